# SPDX-License-Identifier: Apache-2.0
"""Points in time as text, always with a time zone."""

from __future__ import annotations

from datetime import datetime

import pendulum


def parse_time(text: str) -> pendulum.DateTime:
    """A time in ISO 8601, for example in the API's form ``2026-11-22T14:44:23Z``; without a zone it is UTC.

    :param text: what was written.
    :raises ValueError: if the text is no such time.
    """
    # Not pendulum.parse: it takes "now" for a time, and raises TypeError on some text.
    try:
        return pendulum.instance(datetime.fromisoformat(text)).in_timezone("UTC")
    except OverflowError:
        raise ValueError(f"{text!r} is out of range.") from None


def render_time(time: pendulum.DateTime) -> str:
    """A time in the API's form: UTC, whole seconds.

    :param time: with any zone; fractions of a second are cut off.
    """
    # Not strftime: it writes the years before 1000 with fewer than four digits.
    return f"{time.in_timezone('UTC').replace(microsecond=0, tzinfo=None).isoformat()}Z"
