# SPDX-License-Identifier: Apache-2.0
"""The text of a paragraph as one line, with words put together again that a line's end divides."""

from __future__ import annotations

from airflow_provider_ocr.server.document import Line, Paragraph

_HYPHENS = "-\u00ad\u2010\u2011¬"


def line_text(line: Line) -> str:
    """The words of ``line`` with a space between them."""
    return " ".join(word.text for word in line.words)


def paragraph_text(paragraph: Paragraph) -> str:
    """The paragraph's lines, a space between them, or nothing where a word goes on in the next."""
    text = ""
    for index, line in enumerate(paragraph.lines):
        text += line_text(line)
        if index + 1 < len(paragraph.lines):
            # At the end of a paragraph nothing goes on, and a hyphen there is all that tells of the rest.
            text = text[:-1] if line.hyphenated and text.endswith(tuple(_HYPHENS)) else text + " "
    return text
