# SPDX-License-Identifier: Apache-2.0
"""What was right is known for a while, and only exactly that."""

from __future__ import annotations

import time

import pytest

from airflow_provider_ocr.server.accounts.credential_cache import CredentialCache

RIGHT = ("my app", "pass:word/ü", "stored hash")


def remembering(seconds: float = 300.0) -> CredentialCache:
    cache = CredentialCache(seconds=seconds)
    cache.remember(*RIGHT)
    return cache


def test_what_was_right_is_known() -> None:
    assert remembering().knows(*RIGHT)


@pytest.mark.parametrize(
    "other",
    [
        ("other", "pass:word/ü", "stored hash"),
        ("my app", "pass:word", "stored hash"),
        ("my app", "pass:word/ü", "hash of a new password"),
        ("my app", "", "stored hash\0my app\0pass:word/ü"),
    ],
)
def test_nothing_else_is(other: tuple[str, str, str]) -> None:
    cache = remembering()
    assert not cache.knows(*other)
    assert cache.knows(*RIGHT)


def test_it_is_forgotten_after_a_while_without_use() -> None:
    cache = remembering(seconds=0.2)
    for _ in range(3):
        time.sleep(0.1)
        assert cache.knows(*RIGHT)
    time.sleep(0.3)
    assert not cache.knows(*RIGHT)
    assert cache._entries == {}


def test_no_password_stays_in_memory_and_no_two_processes_keep_the_same() -> None:
    ours, others = remembering()._entries["my app"], remembering()._entries["my app"]
    assert "pass:word/ü" not in repr(ours)
    assert ours.digest != others.digest
