# SPDX-License-Identifier: Apache-2.0
"""Whoever proves to know an application's password is that application; everything else is nobody."""

from __future__ import annotations

import base64

import pytest

from airflow_provider_ocr.server.accounts import Accounts

ACCOUNTS = Accounts({"my app": "pass:word/ü", "other": "password"})


def basic(credentials: str, encoding: str = "utf-8") -> str:
    return "Basic " + base64.b64encode(credentials.encode(encoding)).decode()


@pytest.mark.parametrize(
    "header",
    [
        basic("my app:pass:word/ü"),
        basic("my app:pass:word/ü", "iso-8859-1"),
        basic("my app:pass:word/ü").replace("Basic", "bAsIc"),
        basic("my app:pass:word/ü").replace("Basic ", "Basic   ") + "  ",
    ],
)
def test_name_and_password_prove_the_application(header: str) -> None:
    assert ACCOUNTS.authenticate(header) == "my app"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ",
        basic("my app"),
        basic("my app:"),
        basic(":pass:word/ü"),
        basic("my app:pass:word/Ü"),
        basic("my app:password"),
        basic("other:pass:word/ü"),
        basic("My App:pass:word/ü"),
        basic("nobody:password"),
        basic("other:password") + "!",
        basic("other:password").replace("Basic", "Bearer"),
        basic("other:password").replace("Basic ", ""),
        "Basic other:password",
        "Basic \xe9\xe8",
        "Basic " + base64.b64encode(b"\xff\xfe\x00").decode(),
    ],
)
def test_everything_else_proves_nothing(header: str | None) -> None:
    assert ACCOUNTS.authenticate(header) is None


def test_no_password_stays_in_memory_as_it_was_given() -> None:
    assert "pass:word/ü" not in repr(vars(ACCOUNTS))
    assert Accounts({"a": "same"})._hashes != Accounts({"a": "same"})._hashes
