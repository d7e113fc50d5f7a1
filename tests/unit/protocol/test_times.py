# SPDX-License-Identifier: Apache-2.0
"""A time is in UTC from the wire on, and back."""

from __future__ import annotations

import pendulum
import pytest

from airflow_provider_ocr.protocol.times import parse_time, render_time


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-22T14:44:23Z", pendulum.datetime(2026, 11, 22, 14, 44, 23)),
        ("2026-11-22T15:44:23+01:00", pendulum.datetime(2026, 11, 22, 14, 44, 23)),
        ("2026-11-22T14:44:23", pendulum.datetime(2026, 11, 22, 14, 44, 23)),
        ("2026-11-22T14:44:23.5Z", pendulum.datetime(2026, 11, 22, 14, 44, 23, 500_000)),
    ],
)
def test_a_time_is_read_as_utc(text: str, time: pendulum.DateTime) -> None:
    read = parse_time(text)
    assert (read, read.timezone_name) == (time, "UTC")


@pytest.mark.parametrize(
    "text", ["", "now", "9:", "P1Y", "yesterday", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_time_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_time(text)


def test_a_time_is_written_in_utc_and_whole_seconds() -> None:
    time = pendulum.datetime(2026, 1, 2, 3, 4, 5, 999_999, tz="Asia/Tokyo")
    assert render_time(time) == "2026-01-01T18:04:05Z"
