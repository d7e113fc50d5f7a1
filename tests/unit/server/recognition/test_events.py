# SPDX-License-Identifier: Apache-2.0
"""A process is believed only what has the right form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.server.recognition.events import (
    Event,
    Exported,
    Failed,
    Fault,
    MalformedEventError,
    Measured,
    PageBegun,
    PageDone,
    Ready,
    Recognised,
    decode,
    encode,
)

EXPORTED: dict[str, Any] = {
    "event": "exported",
    "pages": 3,
    "failed_pages": 1,
    "blank_pages": 0,
    "rotated_pages": 0,
    "words": 20,
    "low_words": 2,
    "word_confidence": 95.5,
    "engine": "tesseract 5",
}


@pytest.mark.parametrize(
    "event",
    [
        Ready(),
        PageBegun(1, 2),
        PageDone(2, 2),
        Measured(3, 4),
        Recognised(5),
        Exported(3, 0, 1, 0, 10, 2, None, "tesseract 5.5"),
        Exported(3, 0, 1, 0, 10, 2, 95.5, "tesseract 5.5"),
        Failed(Fault.PASSWORD, "It is protected."),
        Failed(Fault.PAGE, "Page 7 is damaged.", 7),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_is_said_is_understood(event: Event) -> None:
    line = encode(event)
    assert "\n" not in line
    assert decode(line.encode()) == event


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"[]",
        b"null",
        b"{}",
        b'{"event": "no such"}',
        b'{"event": []}',
        b'{"event": "ready", "more": 1}',
        b'{"event": "page", "page": 1}',
        b'{"event": "page", "page": 0, "pages": 1}',
        b'{"event": "page", "page": 2, "pages": 1}',
        b'{"event": "page", "page": "1", "pages": 1}',
        b'{"event": "page", "page": true, "pages": 1}',
        b'{"event": "page", "page": 1.0, "pages": 1}',
        b'{"event": "begun", "page": 2001, "pages": 2001}',
        b'{"event": "measured", "pages": 0, "billed_pages": 0}',
        b'{"event": "measured", "pages": 2, "billed_pages": 1}',
        b'{"event": "measured", "pages": 1, "billed_pages": 1e300}',
        b'{"event": "recognised", "pages": -1}',
        b'{"event": "failed", "fault": "no such", "error": "x"}',
        b'{"event": "failed", "fault": "page", "error": "two\\nlines"}',
        b'{"event": "failed", "fault": "page", "error": "\\u001b[31m"}',
        b'{"event": "failed", "fault": "page", "error": "x", "page": 0}',
        json.dumps({"event": "failed", "fault": "page", "error": "x" * 1001}).encode(),
        json.dumps(EXPORTED | {"engine": "a\r\nSet-Cookie: b"}).encode(),
        json.dumps(EXPORTED | {"word_confidence": float("nan")}).encode(),
        json.dumps(EXPORTED | {"words": 10**13}).encode(),
        json.dumps(EXPORTED | {"words": None}).encode(),
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_anything_else_is_no_event(line: bytes) -> None:
    with pytest.raises(MalformedEventError):
        decode(line)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


@given(changed=st.sampled_from([*EXPORTED, "other"]), value=json_values)
def test_whatever_a_process_says_is_an_event_or_an_error(changed: str, value: object) -> None:
    try:
        event = decode(json.dumps(EXPORTED | {changed: value}).encode())
    except MalformedEventError:
        return
    assert decode(encode(event).encode()) == event
