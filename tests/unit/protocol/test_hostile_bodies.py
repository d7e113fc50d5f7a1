# SPDX-License-Identifier: Apache-2.0
"""No body of 16 MiB, whatever it holds, takes a second or 64 MB more than itself."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("hostile_bodies.py")
MAX_SECONDS = 1.0  # of CPU time, so a busy machine does not count; the slowest took 0.3
MAX_BYTES = 64 * 1024 * 1024

TAG = "The answer has a tag of more than 262,144 bytes."
PARTS = "The answer has more than 50,000 elements and attributes."
VALUES = "The answer's values take more than 33,554,432 bytes."
DTD = "The answer is not XML that can be read (DTDForbidden)."
PAGE = (
    "The answer is a <html> document, not a <response>. There came a web page instead of an answer, probably "
    "from a proxy or gateway."
)
OUTCOMES = {
    "too long": "The answer has 16,777,237 bytes, more than 16,777,216.",
    "expanding entities": DTD,
    "external entity": DTD,
    "DTD without end": DTD,
    "nested": "The answer nests more than 32 elements.",
    "elements": PARTS,
    "named elements": PARTS,
    "one giant attribute": TAG,
    "attributes of one element": TAG,
    "attributes of many elements": PARTS,
    "namespaces": PARTS,
    "one giant namespace": VALUES,
    "tasks": PARTS,
    "wide characters": PARTS,
    "wide long values": VALUES,
    "one giant comment": TAG,
    "comments": "list",
    "one giant instruction": TAG,
    "blank end tag": TAG,
    "line ends": "list",
    "references": "list",
    "one giant text": "list",
    "text of line ends": "list",
    "texts": PARTS,
    "blanks before": "list",
    "JSON lists": "The answer is not XML that can be read (code 4).",
    "JSON values": "The answer is not XML that can be read (code 2).",
    "titles": PAGE,
}


# One of each limit; the others meet the same ones.
EVERY_DAY = (
    "too long",
    "expanding entities",
    "external entity",
    "nested",
    "elements",
    "one giant attribute",
    "one giant namespace",
    "wide long values",
    "text of line ends",
    "JSON lists",
    "titles",
)


@cache
def _measured(parser: str, kinds: tuple[str, ...]) -> dict[str, Any]:
    command = [sys.executable, str(PROGRAM), parser, *kinds]
    told = subprocess.run(command, check=True, capture_output=True, timeout=300)
    return dict(json.loads(told.stdout))


@pytest.mark.parametrize("kind", EVERY_DAY)
def test_a_hostile_body_is_refused_or_read_at_once_and_in_little_memory(kind: str) -> None:
    measured = _measured("response", EVERY_DAY)[kind]
    assert measured["outcome"] == OUTCOMES[kind]
    assert measured["seconds"] < MAX_SECONDS
    assert measured["bytes"] < MAX_BYTES


@pytest.mark.long
@pytest.mark.parametrize("kind", OUTCOMES)
def test_each_of_many_hostile_bodies_is_refused_or_read_at_once_and_in_little_memory(kind: str) -> None:
    measured = _measured("response", tuple(OUTCOMES))[kind]
    assert measured["outcome"] == OUTCOMES[kind]
    assert measured["seconds"] < MAX_SECONDS
    assert measured["bytes"] < MAX_BYTES


@pytest.mark.long
@pytest.mark.parametrize("parser", ["info", "error"])
@pytest.mark.parametrize("kind", OUTCOMES)
def test_a_hostile_body_costs_no_more_where_something_else_was_asked_for(kind: str, parser: str) -> None:
    measured = _measured(parser, tuple(OUTCOMES))[kind]
    assert measured["outcome"] != "the process died"
    assert measured["seconds"] < MAX_SECONDS
    assert measured["bytes"] < MAX_BYTES
