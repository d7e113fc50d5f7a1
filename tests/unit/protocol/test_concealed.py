# SPDX-License-Identifier: Apache-2.0
"""What is concealed is seen by nobody who does not ask for it."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable

import pytest

from airflow_provider_ocr.protocol.concealed import Concealed, reveal

TEXT = Concealed("https://a.example/b?sig=***", "https://a.example/b?sig=SECRET")

READERS: dict[str, Callable[[Concealed], str]] = {
    "str": str,
    "repr": repr,
    "format": lambda text: f"{text} {text!r} {text:>50}",
    "percent": lambda text: "%s %r" % (text, text),  # noqa: UP031 - loggers do it so
    "json": json.dumps,
    "concatenation": lambda text: "a" + text,
    "vars": lambda text: repr([text, getattr(text, "__dict__", None)]),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_whoever_reads_it_sees_what_may_be_seen(read: Callable[[Concealed], str]) -> None:
    assert "sig=***" in read(TEXT)
    assert "SECRET" not in read(TEXT)


@pytest.mark.parametrize(
    "copied",
    [copy.copy(TEXT), copy.deepcopy([TEXT])[0], pickle.loads(pickle.dumps(TEXT))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_stands_for_the_same(copied: Concealed) -> None:
    assert (str(copied), copied.revealed) == (str(TEXT), TEXT.revealed)


def test_revealing_leaves_alone_what_is_not_concealed() -> None:
    values = [TEXT, "plain", None, 1]
    assert [reveal(value) for value in values] == ["https://a.example/b?sig=SECRET", "plain", None, 1]
