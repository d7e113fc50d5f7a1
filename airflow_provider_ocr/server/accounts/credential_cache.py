# SPDX-License-Identifier: Apache-2.0
"""Remembers for some minutes which credentials were right, without keeping a password."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Entry:
    digest: bytes
    until: float


class CredentialCache:
    """The credentials that have lately been verified.

    It keeps a keyed hash, under a key that lives as long as the process, of a password together with the
    stored hash that it was verified against. So a changed password counts at once.

    :param seconds: how long after their last use credentials are remembered.
    """

    def __init__(self, *, seconds: float = 300.0) -> None:
        self._seconds = seconds
        self._key = secrets.token_bytes(32)
        self._entries: dict[str, _Entry] = {}

    def remember(self, name: str, password: str, password_hash: str) -> None:
        """Take note that an application's password was right.

        :param password_hash: what it was verified against.
        """
        digest = self._digest(name, password, password_hash)
        self._entries[name] = _Entry(digest, time.monotonic() + self._seconds)

    def knows(self, name: str, password: str, password_hash: str) -> bool:
        """Whether these are credentials that are remembered; being used, they are for a while longer."""
        entry = self._entries.get(name)
        if entry is None:
            return False
        if entry.until < time.monotonic():
            self._entries.pop(name, None)
            return False
        if not hmac.compare_digest(entry.digest, self._digest(name, password, password_hash)):
            return False
        self._entries[name] = _Entry(entry.digest, time.monotonic() + self._seconds)
        return True

    def _digest(self, name: str, password: str, password_hash: str) -> bytes:
        # The password comes last, because it alone may have a NUL in it.
        together = "\0".join((password_hash, name, password)).encode()
        return hmac.digest(self._key, together, hashlib.sha256)
