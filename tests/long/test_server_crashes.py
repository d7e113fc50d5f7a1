# SPDX-License-Identifier: Apache-2.0
"""Fifty kills at random moments under load, and then every accepted task is accounted for."""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from tests.crashes.documents import Sources, quick_documents, slow_document
from tests.crashes.run import crash_and_account

Serve = Callable[[Callable[[BaseHTTPRequestHandler], None]], str]


@pytest.mark.long
def test_after_fifty_kills_nothing_is_lost_nothing_paid_twice_and_nothing_left(
    tmp_path: Path, serve: Serve
) -> None:
    held = [*quick_documents(), slow_document()]
    sources = serve(Sources(held).answer)
    outcome = crash_and_account(folder=tmp_path, held=held, sources=sources, kills=50, longest_life=6.0)
    assert outcome.kills == 50
    assert outcome.discrepancies == [], outcome.summary
