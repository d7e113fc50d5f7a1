# SPDX-License-Identifier: Apache-2.0
"""The page lists the languages that there are, which messages send people to."""

from __future__ import annotations

import re
from pathlib import Path

from airflow_provider_ocr.protocol.languages import LANGUAGES

PAGE = Path(__file__).resolve().parents[3] / "docs" / "operators.md"


def test_the_page_lists_every_language() -> None:
    listed = PAGE.read_text(encoding="utf-8").partition("\n## Languages\n")[2].strip().split("\n\n")[1]
    assert re.split(r",\s+", listed) == sorted(LANGUAGES)
