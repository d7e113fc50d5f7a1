# SPDX-License-Identifier: Apache-2.0
"""How long to wait before a call is repeated: growing, at least what the server asks for, and jittered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST_PAUSE = 20.0
_MAX_DIGITS = 9


def pause_before_retry(attempt: int, retry_after: float | None, jitter: float) -> float:
    """Seconds to wait before the next attempt.

    :param attempt: which attempt has just failed, counted from 1.
    :param retry_after: what the server asked for in seconds, if it did.
    :param jitter: a random number from 0 to 1, so that many clients do not come back together.
    """
    growing: float = min(_LONGEST_PAUSE, 0.5 * 2 ** min(attempt, 10))
    asked = retry_after or 0.0
    # What the server asks is the least: those whom it asked at once would come back at once.
    spread = max(growing / 2, min(_LONGEST_PAUSE, asked) / 4)
    return max(growing / 2, asked) + jitter * spread


def retry_after_of(headers: Mapping[str, str]) -> float | None:
    """Seconds that an answer's ``Retry-After`` asks to wait; None where it asks for nothing that makes sense.

    :param headers: the answer's.
    """
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked[:_MAX_DIGITS])
    at = _time(asked)
    if at is None:
        return None
    # By the server's own clock, where it shows it: ours may be wrong.
    now = _time(headers.get("Date", "")) or datetime.now(UTC)
    return max(0.0, (at - now).total_seconds())


def _time(text: str) -> datetime | None:
    try:
        time = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
