# SPDX-License-Identifier: Apache-2.0
"""The text of a paragraph as one line, with words put together again that a line's end divides."""

from __future__ import annotations

from airflow_provider_ocr.server.document import Line, Paragraph

_HYPHENS = "-\u00ad\u2010\u2011¬"


def line_text(line: Line) -> str:
    """The words of ``line`` with a space between them."""
    return " ".join(word.text for word in line.words)


def is_divided(line: Line) -> bool:
    """Whether the last word of ``line`` goes on in the next line, behind a hyphen that is none of its own."""
    return line.hyphenated and line.words[-1].text.endswith(tuple(_HYPHENS))


def undivided(line: Line) -> str:
    """The last word of a divided line without its hyphen."""
    return line.words[-1].text[:-1]


def paragraph_text(paragraph: Paragraph) -> str:
    """The paragraph's lines, a space between them, or nothing where a word goes on in the next."""
    text = ""
    for index, line in enumerate(paragraph.lines):
        text += line_text(line)
        if index + 1 < len(paragraph.lines):
            # At the end of a paragraph nothing goes on, and a hyphen there is all that tells of the rest.
            text = text[:-1] if is_divided(line) else text + " "
    return text
