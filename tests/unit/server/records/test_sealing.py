# SPDX-License-Identifier: Apache-2.0
"""What is sealed cannot be read without the secret, and the secret is made once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from airflow_provider_ocr.server.records.sealing import (
    Sealer,
    UnreadableSealError,
    derived_key,
    load_or_make_secret,
)

SECRET = bytes(range(32))
TEXTS = {"source": "https://example.com/?signature=canary", "description": "größer\n"}


def test_what_was_sealed_is_opened_again() -> None:
    assert Sealer(SECRET).open(Sealer(SECRET).seal(TEXTS)) == TEXTS


def test_a_seal_tells_nothing_not_even_that_two_are_the_same() -> None:
    first, second = Sealer(SECRET).seal(TEXTS), Sealer(SECRET).seal(TEXTS)
    assert first is not None
    assert "canary" not in first
    assert first != second


def test_where_there_is_nothing_to_seal_there_is_no_seal() -> None:
    assert Sealer(SECRET).seal({"source": "", "password": ""}) is None
    assert Sealer(SECRET).open(None) == {}


def test_another_secret_opens_nothing_and_says_so() -> None:
    sealed = Sealer(SECRET).seal(TEXTS)
    with pytest.raises(UnreadableSealError, match="another secret"):
        Sealer(SECRET[::-1]).open(sealed)


def test_each_purpose_has_a_key_of_its_own() -> None:
    keys = {derived_key(secret, purpose) for secret in (SECRET, SECRET[::-1]) for purpose in ("a", "b")}
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}


def test_a_secret_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    secret = load_or_make_secret(path)
    assert len(secret) == 32
    assert load_or_make_secret(path) == secret
    assert path.stat().st_mode & 0o077 == 0
    assert load_or_make_secret(tmp_path / "other") != secret


def test_two_servers_that_start_at_once_have_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: load_or_make_secret(tmp_path / "secret"), range(8)))
    assert len(secrets) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_what_is_too_short_for_a_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="fewer than 32 bytes"):
        load_or_make_secret(path)
