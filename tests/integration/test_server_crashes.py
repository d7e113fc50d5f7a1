# SPDX-License-Identifier: Apache-2.0
"""A few kills at random moments under load; fifty are in `tests/long`."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.crashes.documents import Sources, quick_documents
from tests.crashes.run import crash_and_account

Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]


def test_after_five_kills_nothing_is_lost_nothing_paid_twice_and_nothing_left(
    tmp_path: Path, serve: Serve
) -> None:
    held = quick_documents()
    sources = serve(Sources(held).answer)
    outcome = crash_and_account(folder=tmp_path, held=held, sources=sources, kills=5, longest_life=3.0)
    assert outcome.kills == 5
    assert outcome.discrepancies == [], outcome.summary
