# SPDX-License-Identifier: Apache-2.0
"""What a recognition process says to its parent, one JSON object per line. The parent believes nothing of it
but what has the right form: the process has seen a stranger's file.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any

from airflow_provider_ocr.server.recognition.limits import MAX_PAGES

_LONGEST_TEXT = 1000
_LARGEST_NUMBER = 10**12


class MalformedEventError(Exception):
    """A line is no event."""


class Fault(StrEnum):
    """Why a job ended early."""

    DOCUMENT = "document"
    PASSWORD = "password"  # noqa: S105 - the name of a fault
    UNSUPPORTED = "unsupported"
    PAGE = "page"
    """The page itself cannot be read; another process could not either."""
    MEMORY = "memory"
    TIME = "time"
    UNEXPECTED = "unexpected"
    """The process died or is in a state that nobody has foreseen; another one may do better."""
    SYSTEM = "system"
    """The disk or the system failed, not the document."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The process waits for a job."""


@dataclass(frozen=True, slots=True)
class PageBegun:
    """A page of so many is being worked on."""

    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class PageDone:
    """A page of so many is done: kept, or exported."""

    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A document was measured."""

    pages: int
    billed_pages: int


@dataclass(frozen=True, slots=True)
class Recognised:
    """A slice of a document of so many pages is over."""

    pages: int


@dataclass(frozen=True, slots=True)
class Exported:
    """All result files are written. The fields are those of ``jobs.RecognitionSummary``."""

    pages: int
    failed_pages: int
    blank_pages: int
    rotated_pages: int
    words: int
    low_words: int
    word_confidence: float | None
    engine: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The job is over, and why: a sentence for the API user.

    :param page: the page at fault; None where it is none.
    """

    fault: str
    error: str
    page: int | None = None


Event = Ready | PageBegun | PageDone | Measured | Recognised | Exported | Failed

_KINDS: dict[str, type[Event]] = {
    "ready": Ready,
    "begun": PageBegun,
    "page": PageDone,
    "measured": Measured,
    "recognised": Recognised,
    "exported": Exported,
    "failed": Failed,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def encode(event: Event) -> str:
    """The line, without its end, that says this."""
    return json.dumps({"event": _NAMES[type(event)], **asdict(event)})


def decode(line: bytes) -> Event:
    """What a line says.

    :raises MalformedEventError: if it is no event.
    """
    try:
        values = json.loads(line)
        event = _KINDS[values.pop("event")](**values)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise MalformedEventError from None
    if not _is_sound(event):
        raise MalformedEventError
    return event


def _is_sound(event: Event) -> bool:
    if not all(_fits(getattr(event, field.name), str(field.type)) for field in fields(event)):
        return False
    match event:
        case PageBegun(page, pages) | PageDone(page, pages):
            return 1 <= page <= pages <= MAX_PAGES
        case Failed(fault, _, page):
            return fault in set(Fault) and (page is None or 1 <= page <= MAX_PAGES)
        case Measured(pages, billed_pages):
            return 1 <= pages <= min(billed_pages, MAX_PAGES)
    return True


def _fits(value: Any, kind: str) -> bool:
    """Whether a value is of a field's type, in the form in which it may be logged and sent to clients."""
    match value:
        case None:
            return kind.endswith("| None")
        case bool():
            return False
        case int():
            return kind.startswith(("int", "float")) and 0 <= value <= _LARGEST_NUMBER
        case float():
            return kind.startswith("float") and math.isfinite(value) and value >= 0
        case str():
            return kind == "str" and len(value) <= _LONGEST_TEXT and value.isprintable()
    return False
