# SPDX-License-Identifier: Apache-2.0
"""Passwords as the database keeps them: a slow salted hash, which says itself how it was made."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

_LOG_2_N = 15
_R = 8
_P = 1
_SALT_BYTES = 16
_HASH_BYTES = 32
# What a hash that somebody else put into the database may cost to verify.
_MOST_MEMORY_BYTES = 128 * 1024**2
_FORM = re.compile(r"scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")


def hash_password(password: str) -> str:
    """The hash of a password, with a salt of its own, as ``scrypt$ln=15,r=8,p=1$<salt>$<hash>``."""
    salt = secrets.token_bytes(_SALT_BYTES)
    return _text(salt, _scrypt(password, salt, log_2_n=_LOG_2_N, r=_R, p=_P, length=_HASH_BYTES))


def nobodys_hash() -> str:
    """A hash that no password has, and that takes as long to verify as any other."""
    return _text(secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_HASH_BYTES))


def verify_password(password: str, password_hash: str) -> bool:
    """Whether a password has this hash; it takes the same time whatever the answer is.

    :param password_hash: what `hash_password` gave, of this version or of one with other parameters.
    :raises ValueError: if that is no such hash, or asks for more memory than a verification may take.
    """
    found = _FORM.fullmatch(password_hash)
    if found is None:
        raise ValueError("What is stored as an application's password is no scrypt hash; set a new password.")
    log_2_n, r, p = (int(number) for number in found.group(1, 2, 3))
    salt, expected = (_bytes(text) for text in found.group(4, 5))
    computed = _scrypt(password, salt, log_2_n=log_2_n, r=r, p=p, length=len(expected))
    return hmac.compare_digest(expected, computed)


def _scrypt(password: str, salt: bytes, *, log_2_n: int, r: int, p: int, length: int) -> bytes:
    return hashlib.scrypt(
        password.encode(), salt=salt, n=1 << log_2_n, r=r, p=p, maxmem=_MOST_MEMORY_BYTES, dklen=length
    )


def _text(salt: bytes, password_hash: bytes) -> str:
    numbers = f"ln={_LOG_2_N},r={_R},p={_P}"
    encoded = (base64.b64encode(part).decode().rstrip("=") for part in (salt, password_hash))
    return "$".join(("scrypt", numbers, *encoded))


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
