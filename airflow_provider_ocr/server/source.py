# SPDX-License-Identifier: Apache-2.0
"""Fetches the remote image of a task: within limits, over http and https, from permitted networks only.

Every failure is a `SourceError` whose text is one sentence for the task's ``error``. It names the host
and never the query of the URL, where signatures stand.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from airflow_provider_ocr import __version__
from airflow_provider_ocr.server.networks import AddressPolicy, ForbiddenAddressError

MAX_IMAGE_BYTES = 200 * 1024 * 1024
MAX_REDIRECTS = 5

_PIECE_BYTES = 256 * 1024
_TIMEOUTS = (10.0, 30.0)
_TOTAL_SECONDS = 600.0


class SourceError(Exception):
    """The image could not be had; the text is for the user of the API."""


class SourceFetcher:
    """Brings images to disk.

    :param policy: which addresses may be connected to.
    """

    def __init__(self, policy: AddressPolicy) -> None:
        self._session = _PlainSession()
        agent = f"cloud-ocr-server/{__version__}"
        # Images are compressed already, and a gzip stream that was cut short can look complete.
        self._session.headers.update({"User-Agent": agent, "Accept-Encoding": "identity"})
        adapter = _CheckedAdapter(policy)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def fetch(self, url: str, target: Path) -> None:
        """Write the image behind ``url`` to ``target``, whole or not at all.

        :raises SourceError: if that is not possible.
        """
        partial = target.with_name(target.name + ".part")
        try:
            with self._follow(url) as response:
                _write(response, partial)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    @contextmanager
    def _follow(self, url: str) -> Iterator[requests.Response]:
        """The response behind up to five redirects, each of which is checked like the first address."""
        for _ in range(MAX_REDIRECTS + 1):
            host = check_url(url)
            with (
                _explained(host),
                self._session.get(url, timeout=_TIMEOUTS, allow_redirects=False, stream=True) as response,
            ):
                location = response.headers.get("Location") if response.is_redirect else None
                if location is None:
                    if response.status_code != HTTPStatus.OK:
                        raise SourceError(
                            f"The source image could not be fetched: {host} answered with "
                            f"HTTP {response.status_code}."
                        )
                    yield response
                    return
            url = _redirected(url, location, host=host)
        raise SourceError(f"The source image could not be fetched: more than {MAX_REDIRECTS} redirects.")


def check_url(url: str) -> str:
    """The host of a URL that the server is willing to try.

    :raises SourceError: if it is no absolute http or https URL.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host, parts = None, None
    if parts is None or not host or parts.scheme not in ("http", "https"):
        raise SourceError("The source is not an absolute http or https URL.")
    return host


def _redirected(url: str, location: str, *, host: str) -> str:
    """Where a redirect leads.

    :raises SourceError: if that is no URL, or gives up TLS.
    """
    try:
        target = urljoin(url, location)
        gives_up_tls = urlsplit(url).scheme == "https" and urlsplit(target).scheme != "https"
    except ValueError:
        raise SourceError(
            f"The source image could not be fetched: {host} redirects to what is no URL."
        ) from None
    if gives_up_tls:
        raise SourceError(f"The source image could not be fetched: {host} redirects from https to http.")
    return target


def _write(response: requests.Response, target: Path) -> None:
    deadline = time.monotonic() + _TOTAL_SECONDS
    received = 0
    with target.open("wb") as file:
        while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
            received += len(piece)
            if received > MAX_IMAGE_BYTES:
                raise SourceError(f"The source image is larger than {MAX_IMAGE_BYTES // 1024**2} MB.")
            if time.monotonic() > deadline:
                raise SourceError(f"The source image did not arrive within {_TOTAL_SECONDS:.0f} seconds.")
            file.write(piece)
    if received == 0:
        raise SourceError("The source image is empty.")


@contextmanager
def _explained(host: str) -> Iterator[None]:
    """Turns what goes wrong on the network into one sentence."""
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError) as error:
        raise SourceError(f"The source image could not be fetched from {host}: {_cause(error)}.") from None


def _cause(error: BaseException) -> str:
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, ForbiddenAddressError):
            return str(chain)
        chain = chain.__cause__ or chain.__context__
    if isinstance(error, requests.exceptions.SSLError):
        return "the TLS handshake failed"
    if isinstance(error, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
        return "it did not answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "it could not be connected to"
    return "the transfer broke off"


class _PlainSession(requests.Session):
    """A session that keeps nothing from one response to the next."""

    def __init__(self) -> None:
        super().__init__()
        # No proxies, no .netrc: what is connected to is decided here alone.
        self.trust_env = False
        # What one application's source sets must not go along with another's request.
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nothing: to prepare for a redirect, requests would read the whole body, of whatever size."""


class _CheckedAdapter(HTTPAdapter):
    """Connects through an address policy, and to nothing that it has not checked."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {
            "http": _checked_pool(urllib3.HTTPConnectionPool, self._policy),
            "https": _checked_pool(urllib3.HTTPSConnectionPool, self._policy),
        }


def _checked_pool(pool: Any, policy: AddressPolicy) -> Any:
    """A connection pool like ``pool`` whose sockets come from ``policy``."""

    class Connection(pool.ConnectionCls):  # type: ignore[misc]  # its base is only known at run time
        def _new_conn(self) -> Any:
            try:
                return policy.connect(self._dns_host, self.port, self.timeout)
            except TimeoutError as error:
                raise urllib3.exceptions.ConnectTimeoutError(self, "timed out") from error
            except OSError as error:
                raise urllib3.exceptions.NewConnectionError(self, "failed") from error

    return type(f"Checked{pool.__name__}", (pool,), {"ConnectionCls": Connection})
