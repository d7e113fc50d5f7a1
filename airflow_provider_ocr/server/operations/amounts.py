# SPDX-License-Identifier: Apache-2.0
"""Amounts as a person reads them: 1.5 GB, 12,345, 2 h 5 min."""

from __future__ import annotations

_STEP = 1024.0
_SECONDS_PER_MINUTE = 60
_MINUTES_PER_HOUR = 60
_HOURS_PER_DAY = 24


def byte_text(value: float) -> str:
    """A number of bytes, in the unit of 1024 that leaves it below 1024."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if value < _STEP:
            return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"
        value /= _STEP
    return f"{value:.1f} TB"


def count_text(value: float) -> str:
    """A number with its thousands apart, and one decimal place if it has any."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"


def duration_text(seconds: float) -> str:
    """A length of time in its two largest units."""
    whole = int(seconds)
    minutes, rest = divmod(whole, _SECONDS_PER_MINUTE)
    hours, minutes = divmod(minutes, _MINUTES_PER_HOUR)
    days, hours = divmod(hours, _HOURS_PER_DAY)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    first = next((index for index, (value, _) in enumerate(parts) if value), len(parts) - 1)
    return " ".join(f"{value} {unit}" for value, unit in parts[first : first + 2] if value) or "0 s"
