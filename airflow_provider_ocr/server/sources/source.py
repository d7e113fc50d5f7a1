# SPDX-License-Identifier: Apache-2.0
"""Fetches the remote image of a task: within limits, over http and https, from permitted networks only.

Every failure is a `SourceError` whose text is one sentence for the task's ``error``. It names the host
and never the query of the URL, where signatures stand. Nothing of the environment counts: no proxies, no
.netrc; and nothing is kept from one fetch to the next: no cookies, no connections.
"""

from __future__ import annotations

import base64
import http.client
import re
import socket
import ssl
import threading
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import unquote_to_bytes, urljoin

import certifi
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from airflow_provider_ocr import __version__
from airflow_provider_ocr.server.sources.host_turns import HostTurns
from airflow_provider_ocr.server.sources.networks import AddressPolicy, NoConnectionError
from airflow_provider_ocr.server.sources.transfer import Transfer

MAX_IMAGE_BYTES = 200 * 1024 * 1024
MAX_REDIRECTS = 5

_PIECE_BYTES = 256 * 1024
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AS_IT_IS = frozenset({"", "identity"})
_COMPRESSED = frozenset({"gzip", "x-gzip", "deflate"})
_HOST = re.compile(r"[!-~]{1,253}")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class SourceError(Exception):
    """The image could not be had; the text is for the user of the API."""


class FetchStoppedError(Exception):
    """The fetcher was closed before the image was there. That says nothing about the image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLimits:
    """What a source is granted.

    :param connect_seconds: for resolving a host's name and connecting to it.
    :param headers_seconds: from there to the end of the header of its answer, TLS included.
    :param read_seconds: for one silence.
    :param total_seconds: for everything, all redirects included.
    :param image_bytes: how large an image may be, decoded.
    """

    connect_seconds: float = 10.0
    headers_seconds: float = 60.0
    read_seconds: float = 30.0
    total_seconds: float = 600.0
    image_bytes: int = MAX_IMAGE_BYTES


class SourceFetcher:
    """Brings images to disk. Safe to use from several threads.

    :param policy: which addresses may be connected to.
    :param limits: what a source is granted.
    :param authorities: a PEM file with certificate authorities to trust besides the well-known ones and
        those of the system.
    """

    def __init__(
        self, policy: AddressPolicy, *, limits: SourceLimits | None = None, authorities: Path | None = None
    ) -> None:
        self._policy = policy
        self._limits = limits or SourceLimits()
        self._tls = _tls(authorities)
        self._hosts = HostTurns()
        self._lock = threading.Lock()
        self._transfers: set[Transfer] = set()
        self._closed = False

    def close(self) -> None:
        """End all fetches, those under way and those to come, with `FetchStoppedError`."""
        with self._lock:
            self._closed = True
            for transfer in self._transfers:
                transfer.cut(FetchStoppedError())

    def fetch(self, url: str, target: Path) -> None:
        """Write the image behind ``url`` to ``target``, whole or not at all.

        :raises SourceError: if that is not possible.
        :raises FetchStoppedError: if the fetcher is closed.
        """
        partial = target.with_name(target.name + ".part")
        try:
            with self._transfer() as transfer, closing(self._pieces(url, transfer)) as pieces:
                self._write(pieces, partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    @contextmanager
    def _transfer(self) -> Iterator[Transfer]:
        """A transfer that is cut when its time is over, or when the fetcher is closed."""
        transfer = Transfer()
        seconds = self._limits.total_seconds
        with self._lock:
            if self._closed:
                raise FetchStoppedError
            self._transfers.add(transfer)
        try:
            with transfer.within(
                seconds, SourceError(f"The source image did not arrive within {seconds:g} seconds.")
            ):
                yield transfer
        finally:
            with self._lock:
                self._transfers.discard(transfer)
            transfer.close()

    def _write(self, pieces: Iterator[bytes], target: Path) -> None:
        received = 0
        limit = self._limits.image_bytes
        with target.open("wb") as file:
            for piece in pieces:
                received += len(piece)
                if received > limit:
                    raise SourceError(f"The source image is larger than {limit // 1024**2} MB.")
                file.write(piece)
        if received == 0:
            raise SourceError("The source image is empty.")

    def _pieces(self, url: str, transfer: Transfer) -> Generator[bytes, None, None]:
        """The image as it arrives, from behind up to five redirects, each checked like the first address."""
        for _ in range(MAX_REDIRECTS + 1):
            host = check_url(url)
            with self._explained(host, transfer), self._answer(parse_url(url), transfer) as answer:
                location = answer.headers.get("Location") if answer.status in _REDIRECTS else None
                if location is None:
                    yield from _body(answer, host=host)
                    # Where a body has no length, a cut looks like its end.
                    transfer.check()
                    return
            url = _redirected(url, location, host=host)
        raise SourceError(f"The source image could not be fetched: more than {MAX_REDIRECTS} redirects.")

    @contextmanager
    def _answer(self, url: Url, transfer: Transfer) -> Iterator[http.client.HTTPResponse]:
        """What a host answers, its body still to come."""
        host, seconds = _host(url), self._limits.headers_seconds
        with (
            self._hosts.turn(host, check=transfer.check),
            # The port is named because the library would look for one in an IPv6 address.
            closing(http.client.HTTPConnection(host, _port(url))) as connection,
        ):
            with transfer.within(
                seconds, _failure(host, f"its answer did not begin within {seconds:g} seconds")
            ):
                connection.sock = self._connect(url, transfer)
                connection.request("GET", url.request_uri, headers=_headers(url))
                answer = connection.getresponse()
            with closing(answer):
                yield answer

    def _connect(self, url: Url, transfer: Transfer) -> socket.socket:
        host = _host(url)
        connection = self._policy.connect(host, _port(url), self._limits.connect_seconds)
        try:
            connection.settimeout(self._limits.read_seconds)
            transfer.use(connection)
            return self._secured(connection, host) if url.scheme == "https" else connection
        except BaseException:
            connection.close()
            raise

    def _secured(self, connection: socket.socket, host: str) -> socket.socket:
        try:
            # Strict about the end: a body without a length that is cut short must not look complete.
            return self._tls.wrap_socket(
                connection, server_hostname=host.rstrip("."), suppress_ragged_eofs=False
            )
        except ssl.SSLCertVerificationError as error:
            reason = error.verify_message.rstrip(".")
            raise NoConnectionError(f"its certificate is not valid ({reason})") from error
        except ssl.SSLError as error:
            raise NoConnectionError(
                "the TLS handshake failed, for which TLS 1.2 or newer is asked"
            ) from error

    @contextmanager
    def _explained(self, host: str, transfer: Transfer) -> Iterator[None]:
        """Turns what goes wrong on the network into one sentence."""
        try:
            yield
        except (OSError, http.client.HTTPException, zlib.error) as error:
            transfer.check()
            raise _failure(host, self._cause(error)) from None

    def _cause(self, error: Exception) -> str:
        match error:
            case NoConnectionError():
                return str(error)
            case TimeoutError():
                return f"it sent nothing for {self._limits.read_seconds:g} seconds"
            case http.client.RemoteDisconnected():
                return "it closed the connection without an answer"
            case zlib.error():
                return "its compression is damaged"
            case OSError() | http.client.IncompleteRead():
                return "the transfer broke off"
            case _:
                return "its answer is not valid HTTP"


def check_url(url: str) -> str:
    """The host of a URL that the server is willing to try.

    :raises SourceError: if it is no absolute http or https URL.
    """
    try:
        parts = parse_url(url)
    except LocationParseError:
        parts = Url()
    host = _host(parts)
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host):
        raise SourceError("The source is not an absolute http or https URL.")
    return host


def _host(url: Url) -> str:
    return (url.host or "").removeprefix("[").removesuffix("]")


def _port(url: Url) -> int:
    return _PORTS[url.scheme or ""] if url.port is None else url.port


def _headers(url: Url) -> dict[str, str]:
    headers = {
        "Host": url.netloc or "",
        "User-Agent": f"cloud-ocr-server/{__version__}",
        "Accept": "*/*",
        # Images are compressed already.
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    if url.auth:
        user, _, password = url.auth.partition(":")
        credentials = base64.b64encode(unquote_to_bytes(user) + b":" + unquote_to_bytes(password))
        headers["Authorization"] = f"Basic {credentials.decode()}"
    return headers


def _redirected(url: str, location: str, *, host: str) -> str:
    """Where a redirect leads.

    :param location: the header as it was read, that is byte by byte.
    :raises SourceError: if that is no URL, or gives up TLS.
    """
    try:
        target = urljoin(url, location.encode("latin-1").decode(errors="replace"))
        gives_up_tls = parse_url(url).scheme == "https" and parse_url(target).scheme != "https"
    except ValueError:
        raise SourceError(
            f"The source image could not be fetched: {host} redirects to what is no URL."
        ) from None
    if gives_up_tls:
        raise SourceError(f"The source image could not be fetched: {host} redirects from https to http.")
    return target


def _body(answer: http.client.HTTPResponse, *, host: str) -> Iterator[bytes]:
    """The image in an answer.

    :raises SourceError: if there is none.
    """
    if answer.status != HTTPStatus.OK:
        raise SourceError(
            f"The source image could not be fetched: {host} answered with HTTP {answer.status}."
        )
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding in _AS_IT_IS:
        yield from _received(answer)
    elif encoding in _COMPRESSED:
        yield from _decompressed(_received(answer))
    else:
        raise _failure(host, "it sent an encoding that the server did not ask for")


def _received(answer: http.client.HTTPResponse) -> Iterator[bytes]:
    while piece := answer.read1(_PIECE_BYTES):
        yield piece
    if answer.length:  # what was announced and did not come
        raise http.client.IncompleteRead(b"", answer.length)


def _decompressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The content of one gzip or zlib stream, never more than one piece of it in memory at once."""
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
    for piece in pieces:
        behind = piece if stream.eof else b""
        rest = piece
        while rest and not stream.eof:
            yield stream.decompress(rest, _PIECE_BYTES)
            rest, behind = stream.unconsumed_tail, stream.unused_data
        if behind:
            raise zlib.error("the stream goes on behind its end")
    if not stream.eof:
        raise http.client.IncompleteRead(b"")


def _failure(host: str, cause: str) -> SourceError:
    return SourceError(f"The source image could not be fetched from {host}: {cause}.")


def _tls(authorities: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # A slim container has no authorities of its own.
    context.load_verify_locations(certifi.where())
    if authorities is not None:
        context.load_verify_locations(authorities)
    context.set_alpn_protocols(["http/1.1"])
    return context
