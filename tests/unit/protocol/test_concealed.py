# SPDX-License-Identifier: Apache-2.0
"""What is concealed is seen by nobody who does not ask for it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable

import pytest

from airflow_provider_ocr.protocol.concealed import Concealed, reveal

SHOWN = "https://a.example/b?sig=***"
WHOLE = "https://a.example/b?sig=SECRET"
TEXT = Concealed(shown=SHOWN, revealed=WHOLE)

READERS: dict[str, Callable[[Concealed], str]] = {
    "str": str,
    "repr": repr,
    "format": lambda text: f"{text} {text!r}",
    "percent": lambda text: "%s %r" % (text, text),  # noqa: UP031 - loggers do it so
    "json": lambda text: json.dumps([text], default=str),
    "Airflow": Concealed.serialize,
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_whoever_reads_it_sees_what_may_be_seen(read: Callable[[Concealed], str]) -> None:
    assert SHOWN in read(TEXT)
    assert "SECRET" not in read(TEXT)


@pytest.mark.parametrize("copied", [copy.copy(TEXT), copy.deepcopy([TEXT])[0]], ids=["copy", "deepcopy"])
def test_a_copy_stands_for_the_same(copied: Concealed) -> None:
    assert (str(copied), copied.revealed) == (SHOWN, WHOLE)


def test_two_are_equal_if_they_stand_for_the_same() -> None:
    assert {TEXT, Concealed(shown="another", revealed=WHOLE)} == {TEXT}
    assert Concealed(shown=SHOWN, revealed="another") != TEXT
    assert TEXT != WHOLE
    assert TEXT != SHOWN


def test_revealing_leaves_alone_what_is_not_concealed() -> None:
    assert [reveal(value) for value in (TEXT, "plain", None, 1)] == [WHOLE, "plain", None, 1]
