# SPDX-License-Identifier: Apache-2.0
"""A password fits its own hash and no other, and the hash tells nothing."""

from __future__ import annotations

import base64
import re
import time

import pytest

from airflow_provider_ocr.server.accounts.passwords import hash_password, nobodys_hash, verify_password

HASH = hash_password("pass:word/ü")


@pytest.mark.parametrize("password", ["", "x", "pass:word/ü", "\0", " ", "長い" * 500])
def test_a_password_fits_its_hash(password: str) -> None:
    assert verify_password(password, hash_password(password))


@pytest.mark.parametrize(
    "password", ["", "pass:word/u", "pass:word/Ü", "pass:word/ü ", "pass:word", pytest.param(HASH, id="hash")]
)
def test_another_password_does_not(password: str) -> None:
    assert not verify_password(password, HASH)


def test_the_hash_says_how_it_was_made_and_has_a_salt_of_its_own() -> None:
    assert re.fullmatch(r"scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}", HASH)
    assert hash_password("pass:word/ü") != HASH


def test_a_hash_with_other_parameters_is_verified_with_them() -> None:
    # RFC 7914, section 12: "pleaseletmein", "SodiumChloride", N = 16384, r = 8, p = 1.
    vector = bytes.fromhex(
        "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
        "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
    )
    salt, expected = (base64.b64encode(part).decode().rstrip("=") for part in (b"SodiumChloride", vector))
    stored = f"scrypt$ln=14,r=8,p=1${salt}${expected}"
    assert verify_password("pleaseletmein", stored)
    assert not verify_password("pleaseletmeout", stored)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "secret",
        HASH.replace("scrypt", "argon2"),
        HASH + "=",
        HASH.partition(",")[0],
        HASH.replace("ln=15", "ln=30"),
        HASH.replace("r=8", "r=99"),
        HASH.replace("p=1", "p=0"),
        re.sub("ln=15", "ln=0", HASH),
    ],
    # The hash is another one in each process that the tests run in.
    ids=["empty", "word", "scheme", "too-long", "too-short", "cost", "blocks", "parallel", "no-cost"],
)
def test_what_is_no_hash_or_would_cost_too_much_is_refused(stored: str) -> None:
    begin = time.monotonic()
    with pytest.raises(ValueError, match=r"no scrypt hash|scrypt|n must be|memory|[Ii]nvalid"):
        verify_password("x", stored)
    assert time.monotonic() - begin < 1


def test_nobody_has_the_hash_of_nobody() -> None:
    assert re.fullmatch(r"scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}", nobodys_hash())
    assert nobodys_hash() != nobodys_hash()
    assert not verify_password("", nobodys_hash())
