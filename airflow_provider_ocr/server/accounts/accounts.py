# SPDX-License-Identifier: Apache-2.0
"""Accounts: which application a request comes from. A wrong password and an unknown name cost the same."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

from starlette.concurrency import run_in_threadpool

from airflow_provider_ocr.server.accounts.credential_cache import CredentialCache
from airflow_provider_ocr.server.accounts.login_delay import LoginDelay
from airflow_provider_ocr.server.accounts.passwords import nobodys_hash, verify_password

# Each takes 32 MB and a core: who floods the server with log-ins gets no more of it than this.
_VERIFICATIONS_AT_ONCE = 2


class Account(Protocol):
    """What has to be known of an application to let it in."""

    @property
    def name(self) -> str:
        """Its name, as it logs in with."""

    @property
    def password_hash(self) -> str:
        """What `hash_password` gave for its password."""

    @property
    def disabled(self) -> bool:
        """Whether it is let in no more."""


class Accounts:
    """The applications that may use the server.

    :param find: the application of a name; asked for every request, so that a change counts at once.
    :param delay: how failed log-ins slow down.
    """

    def __init__(self, find: Callable[[str], Account | None], *, delay: LoginDelay | None = None) -> None:
        self._find = find
        self._delay = delay or LoginDelay()
        self._cache = CredentialCache()
        self._nobody = nobodys_hash()
        self._verifiers = ThreadPoolExecutor(_VERIFICATIONS_AT_ONCE, thread_name_prefix="log-in")

    async def authenticate(self, authorization: str | None, *, client: str) -> str | None:
        """The name of the application that an ``Authorization`` header proves, or None.

        Credentials that were lately right are let in at once. Others wait, if there were failures before.

        :param client: the address that the request comes from.
        :raises TooManyAttemptsError: if too many log-ins wait already.
        """
        credentials = _basic_credentials(authorization)
        if credentials is None:
            return None
        account = await run_in_threadpool(self._find, credentials.name)
        if self._is_known(credentials, account):
            return credentials.name
        async with self._delay.attempt(client, credentials.name) as attempt:
            attempt.failed = not await self._verify(credentials)
        return None if attempt.failed else credentials.name

    async def _verify(self, credentials: _Credentials) -> bool:
        # Who stood before in the line may have had the same credentials; and the wait may have been long.
        account = await run_in_threadpool(self._find, credentials.name)
        if self._is_known(credentials, account):
            return True
        password_hash = account.password_hash if account else self._nobody
        loop = asyncio.get_running_loop()
        right = await loop.run_in_executor(
            self._verifiers, verify_password, credentials.password, password_hash
        )
        if not right or account is None or account.disabled:
            return False
        self._cache.remember(*credentials, password_hash)
        return True

    def _is_known(self, credentials: _Credentials, account: Account | None) -> bool:
        if account is None or account.disabled:
            return False
        return self._cache.knows(*credentials, account.password_hash)


class _Credentials(NamedTuple):
    name: str
    password: str


def _basic_credentials(authorization: str | None) -> _Credentials | None:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.casefold() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return None
    name, colon, password = _text(decoded).partition(":")
    # Not every database takes a NUL, and no application has one in its name.
    return _Credentials(name, password) if colon and "\0" not in name else None


def _text(decoded: bytes) -> str:
    # Old clients encode as ISO 8859-1; whatever is no UTF-8 came from one of them.
    try:
        return decoded.decode()
    except UnicodeDecodeError:
        return decoded.decode("iso-8859-1")
