# SPDX-License-Identifier: Apache-2.0
"""Whatever is logged is one line, with its time, and no query of a URL."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest

from airflow_provider_ocr.server.operations.logs import log_to

LINE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (INFO|ERROR) a\.test .*"


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged while the test runs."""
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    urllib3_level = logging.getLogger("urllib3").level
    stream = io.StringIO()
    log_to(stream)
    yield stream
    logging.getLogger("urllib3").setLevel(urllib3_level)


def test_a_traceback_is_one_line(log: io.StringIO) -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        logging.getLogger("a.test").exception("task %s: failed", "4711")
    [line] = log.getvalue().splitlines()
    assert re.fullmatch(LINE, line)
    assert r"task 4711: failed\nTraceback" in line
    assert line.endswith(r"ValueError: first\nsecond")


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x1b[2J"])
def test_what_a_client_sent_makes_no_line_of_its_own(log: io.StringIO, end: str) -> None:
    logging.getLogger("a.test").info("path %s", f"/x{end}2026 INFO forged")
    [line] = log.getvalue().splitlines()
    assert re.fullmatch(LINE, line)
    assert "\x1b" not in line


def test_urls_lose_their_queries_and_users(log: io.StringIO) -> None:
    logging.getLogger("a.test").info("fetching %s", "https://me:canary@host/scan.png?signature=canary")
    assert "canary" not in log.getvalue()
    assert "https://host/scan.png?..." in log.getvalue()


def test_a_library_that_warns_with_whole_urls_is_kept_quiet(log: io.StringIO) -> None:
    logging.getLogger("urllib3.connectionpool").warning("Failed to parse headers (url=/x?canary)")
    logging.getLogger("a.test").debug("too much")
    assert log.getvalue() == ""
