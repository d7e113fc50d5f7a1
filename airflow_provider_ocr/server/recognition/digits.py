# SPDX-License-Identifier: Apache-2.0
"""The digits of what was read, for documents of which nothing else is wanted."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace

from airflow_provider_ocr.server.document import Block, Line, Paragraph, Word, enclosing
from airflow_provider_ocr.server.recognition.text_types import DIGITS


def digits_of(blocks: Sequence[Block]) -> list[Block]:
    """The text blocks with no words but those that are digits throughout; without a block that has none."""
    kept = []
    for block in blocks:
        paragraphs = [
            Paragraph(tuple(_with(line, words) for line in paragraph.lines if (words := _numbers(line))))
            for paragraph in block.paragraphs
        ]
        filled = tuple(paragraph for paragraph in paragraphs if paragraph.lines)
        if filled:
            boxes = [line.box for paragraph in filled for line in paragraph.lines]
            kept.append(replace(block, box=enclosing(boxes), paragraphs=filled))
    return kept


def _numbers(line: Line) -> list[Word]:
    return [word for word in line.words if word.text and set(word.text) <= set(DIGITS)]


def _with(line: Line, words: Sequence[Word]) -> Line:
    """The line with these of its words only."""
    places = [place for word in words for place in range(word.first, word.first + word.count)]
    firsts = [sum(earlier.count for earlier in words[:number]) for number in range(len(words))]
    return replace(
        line,
        words=tuple(replace(word, first=first) for word, first in zip(words, firsts, strict=True)),
        box=enclosing([word.box for word in words]),
        texts=tuple(line.texts[place] for place in places),
        edges=array("i", (edge for place in places for edge in line.edges[4 * place : 4 * place + 4])),
        certainties=bytes(line.certainties[place] for place in places),
        hyphenated=False,
        readings=tuple(line.readings[place] for place in places) if line.readings else (),
    )
