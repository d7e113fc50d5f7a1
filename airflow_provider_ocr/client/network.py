# SPDX-License-Identifier: Apache-2.0
"""How this machine reaches other hosts: time-outs, whom it trusts, and by which proxy."""

from __future__ import annotations

from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.sessions import SessionRedirectMixin

from airflow_provider_ocr import __version__
from airflow_provider_ocr.client.connections import BoundedAdapter

USER_AGENT = f"airflow-provider-ocr/{__version__}"

_TWO_MINUTES = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait, in seconds.

    :param connect: for one connection: until the name is resolved and one of its addresses accepts it, and
        once more until TLS is agreed.
    :param read: between two pieces of an answer, or of what is sent.
    :param total: for one method of the API with all its repetitions and pauses; for a download, for each
        256 KiB of the file. None for two minutes, or for three read time-outs where that is longer.
    """

    connect: float = 10.0
    read: float = 20.0
    total: float | None = None

    @property
    def in_all(self) -> float:
        """Seconds that one method of the API may take with everything."""
        return max(_TWO_MINUTES, 3 * self.read) if self.total is None else self.total


class _Session(requests.Session):
    """Leads nowhere but where it is sent, and reads no body by itself."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002 - the base class's
        """None: otherwise `requests` prepares the next request even where nobody follows, and reads and
        unpacks the whole body of a redirection for that.
        """
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """How to reach other hosts.

    :param timeouts: how long to wait.
    :param verify: whether to verify TLS, or the path of a CA bundle.
    :param proxy: URL of the HTTP proxy for everything; None for the environment's (``HTTPS_PROXY``...).
    """

    timeouts: Timeouts = field(default_factory=Timeouts)
    verify: bool | str = True
    proxy: str | None = field(default=None, repr=False)

    def session(self, *, accept_encoding: str) -> requests.Session:
        """A session whose every request has to be sent within an `Exchange`. It may be used by many threads.

        :param accept_encoding: how answers may be compressed.
        """
        session = _Session()
        session.mount("https://", BoundedAdapter())
        session.mount("http://", BoundedAdapter())
        session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": accept_encoding})
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        return session

    def options(self) -> dict[str, Any]:
        """What each request of a session is sent with.

        A session's own settings would not do: for `requests` the environment's come before them.
        """
        # Without a scheme a name before the port would pass for one.
        proxy = self.proxy and (self.proxy if "://" in self.proxy else f"http://{self.proxy}")
        return {
            "timeout": (self.timeouts.connect, self.timeouts.read),
            "verify": self.verify,
            "proxies": {"http": proxy, "https": proxy} if proxy else None,
            "allow_redirects": False,
            "stream": True,
        }


def redirect_target(response: requests.Response) -> str | None:
    """Where an answer leads, as it says it; None if nowhere.

    :param response: an answer, whatever its status.
    """
    return SessionRedirectMixin().get_redirect_target(response)
