# SPDX-License-Identifier: Apache-2.0
"""What a task keeps that is nobody else's business lies in the database sealed, never in the clear.

A database file, its write-ahead log, a backup or a dead row of PostgreSQL tells nothing of a source, a
password or a description to whoever has not got the server's secret as well.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from airflow_provider_ocr.server.files.storage import force_to_disk

_SECRET_BYTES = 32


class UnreadableSealError(Exception):
    """Something was sealed under another secret than the server has now."""


class Sealer:
    """Seals and opens small mappings of texts.

    :param secret: at least 32 random bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(derived_key(secret, "seal")))

    def seal(self, texts: Mapping[str, str]) -> str | None:
        """The texts that are not empty, sealed; None where there are none."""
        given = {name: text for name, text in texts.items() if text}
        return self._fernet.encrypt(json.dumps(given).encode()).decode() if given else None

    def open(self, sealed: str | None) -> dict[str, str]:
        """What `seal` was given.

        :raises UnreadableSealError: if it was sealed under another secret.
        """
        if sealed is None:
            return {}
        try:
            opened: dict[str, str] = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            raise UnreadableSealError(
                "A task was sealed under another secret; start the server with the secret that it had then."
            ) from None
        return opened


def derived_key(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one purpose; it tells nothing of the secret or of other purposes' keys."""
    return hmac.digest(secret, f"cloud-ocr-server {purpose}".encode(), hashlib.sha256)


def load_or_make_secret(path: Path) -> bytes:
    """The secret in a file, which is made, for the owner's eyes alone, if it is not there.

    :raises ValueError: if the file is too short to be a secret.
    """
    if not path.exists():
        _make_secret(path)
    secret = path.read_bytes()
    if len(secret) < _SECRET_BYTES:
        raise ValueError(f"The secret in {path} has fewer than {_SECRET_BYTES} bytes.")
    return secret


def _make_secret(path: Path) -> None:
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        # Not replaced: of two that start at once, both take what the first has made.
        with suppress(FileExistsError):
            path.hardlink_to(new)
        force_to_disk(path.parent)
    finally:
        new.unlink(missing_ok=True)
