# SPDX-License-Identifier: Apache-2.0
"""Accounts: which application a request comes from. A wrong password and an unknown name cost the same."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping


class Accounts:
    """The applications that may use the server.

    Only a keyed hash of each password stays in memory, under a key that lives as long as the process.

    :param passwords: application name to password.
    """

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._key = secrets.token_bytes(32)
        self._hashes = {name: self._hash(password) for name, password in passwords.items()}
        self._nobody = secrets.token_bytes(32)

    def authenticate(self, authorization: str | None) -> str | None:
        """The application that an ``Authorization`` header proves, or None."""
        credentials = _basic_credentials(authorization)
        if credentials is None:
            return None
        name, password = credentials
        expected = self._hashes.get(name, self._nobody)
        return name if hmac.compare_digest(expected, self._hash(password)) else None

    def _hash(self, password: str) -> bytes:
        return hmac.digest(self._key, password.encode(), hashlib.sha256)


def _basic_credentials(authorization: str | None) -> tuple[str, str] | None:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.casefold() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return None
    name, colon, password = _text(decoded).partition(":")
    return (name, password) if colon else None


def _text(decoded: bytes) -> str:
    # Old clients encode as ISO 8859-1; whatever is no UTF-8 came from one of them.
    try:
        return decoded.decode()
    except UnicodeDecodeError:
        return decoded.decode("iso-8859-1")
