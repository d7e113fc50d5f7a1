# SPDX-License-Identifier: Apache-2.0
"""urllib3's connections, kept to the exchange that is under way: its time, its bytes.

Every wait on a socket is asked for and every byte that arrives is counted, from the look-up of the name to
the last byte of the body, through a proxy's tunnel as well.
"""

from __future__ import annotations

import http.client
import io
import socket
import sys
import time
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from requests.utils import select_proxy
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
)
from urllib3.util import Url, parse_url

from airflow_provider_ocr.client.connecting import open_socket
from airflow_provider_ocr.client.exchange import Exchange, Stage, under_way

_SEND_BYTES = 64 * 1024
_BUFFER_BYTES = 64 * 1024
_TURN_SECONDS = 1.0
_SHORTEST_TURN_SECONDS = 0.001  # a socket takes 0 for not waiting at all


class _Arriving(io.RawIOBase):
    """What arrives at a socket; each wait for it is the exchange's to grant."""

    def __init__(self, connection: socket.socket, exchange: Exchange) -> None:
        # Keeps the socket open until the answer is closed.
        self._arriving = connection.makefile("rb", buffering=0)
        self._connection = connection
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        received = self._receive(buffer)
        self._exchange.count(received)
        return received

    def _receive(self, buffer: Any) -> int:
        until = time.monotonic() + self._exchange.patience()
        while True:
            patience = min(self._exchange.patience(), until - time.monotonic())
            # In short turns, because the exchange may be stopped meanwhile.
            self._connection.settimeout(max(_SHORTEST_TURN_SECONDS, min(patience, _TURN_SECONDS)))
            try:
                return self._connection.recv_into(buffer)
            except TimeoutError:
                if time.monotonic() >= until:
                    raise

    def close(self) -> None:
        self._arriving.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer whose status line, headers and body all count."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        unbounded, self.fp = self.fp, io.BufferedReader(_Arriving(sock, under_way()), _BUFFER_BYTES)
        unbounded.close()


class _Connection(HTTPConnection):
    response_class = _Answer
    _connecting = False

    def connect(self) -> None:
        # What is said to a proxy on the way is no request yet.
        self._connecting = True
        try:
            super().connect()
        finally:
            self._connecting = False

    def _new_conn(self) -> socket.socket:
        exchange = under_way()
        seconds = exchange.patience(self.timeout if isinstance(self.timeout, int | float) else None)
        try:
            connection = open_socket(
                self._dns_host,
                self.port,
                seconds=seconds,
                source_address=self.source_address,
                options=self.socket_options or (),
            )
        except (socket.gaierror, UnicodeError) as error:
            unresolved = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
            raise NameResolutionError(self.host, self, unresolved) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "the connection was not accepted in time") from error
        except OSError as error:
            raise NewConnectionError(self, "the connection was not accepted") from error
        connection.settimeout(exchange.patience(seconds))
        sys.audit("http.client.connect", self, self.host, self.port)
        return connection

    def send(self, data: Any) -> None:
        """Send ``data`` in pieces, so that a long body may take its time as long as it moves."""
        if self.sock is None:
            self.connect()
        exchange = under_way()
        exchange.stage = Stage.AT_PROXY if self._connecting else Stage.SENT
        for start in range(0, len(data), _SEND_BYTES):
            self.sock.settimeout(exchange.patience())
            super().send(memoryview(data)[start : start + _SEND_BYTES])


class _TlsConnection(_Connection, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


_POOLS = {"http": _Pool, "https": _TlsPool}


class MissingBundleError(OSError):
    """The file or folder with the certificate authorities does not exist.

    :param path: where it should be.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class UnusableProxyError(OSError):
    """A proxy, be it one's own or the environment's, that nothing can be sent through.

    :param problem: what is wrong with it, as a clause that repeats nothing of its URL.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class BoundedAdapter(HTTPAdapter):
    """Makes `requests` use these connections, directly and through HTTP proxies."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of direct connections.

        :param args: as requests gives them.
        """
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def get_connection_with_tls_context(
        self, request: Any, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """The pool for a request.

        :raises UnusableProxyError: if the proxy for it is none that these connections can use.
        """
        if proxy := select_proxy(request.url, proxies):
            _require_http(proxy)
        return super().get_connection_with_tls_context(request, verify, proxies, cert)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> PoolManager:
        """The pools of connections through one proxy.

        :param proxy: URL of the proxy.
        """
        manager: PoolManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:
        """Prepare a pool to verify its server.

        :param conn: the pool.
        :param url: the URL that is asked for.
        :param verify: whether to verify, or the path of a CA bundle.
        :param cert: the client's certificate, as requests takes it.
        :raises MissingBundleError: if there is nothing to verify it with.
        """
        try:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]  # its stub has no types
        except OSError:
            raise MissingBundleError(str(verify)) from None


def _require_http(proxy: str) -> None:
    try:
        # Each finds faults that the other overlooks, and both will be asked.
        urlsplit(proxy)
        url = parse_url(proxy)
    except ValueError:
        url = Url()
    if not url.host:
        raise UnusableProxyError(
            "the proxy's URL is malformed; it should look like http://proxy.example:3128"
        )
    # A SOCKS proxy needs connections of its own kind, which would keep to no exchange.
    if url.scheme not in (None, "http", "https"):
        raise UnusableProxyError("the proxy is no HTTP proxy; SOCKS and others cannot be used")
