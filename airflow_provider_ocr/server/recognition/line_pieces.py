# SPDX-License-Identifier: Apache-2.0
"""Lines taken apart into words and their characters, and made of such pieces anew."""

from __future__ import annotations

import statistics
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import replace

from airflow_provider_ocr.server.document import Baseline, Character, Line, Reading, Word, enclosing

Piece = tuple[Word, Sequence[Character]]
"""A word, and those of its characters that count."""


def pieces_of(line: Line) -> list[Piece]:
    """The words of ``line`` with all their characters."""
    return [(word, list(line.characters(word))) for word in line.words]


def joined(lines: Sequence[Line]) -> Line:
    """One line of the words of all ``lines``, which stand beside each other."""
    if len(lines) == 1:
        return lines[0]
    # Their own baselines may differ by a pixel or two: theirs is in the middle.
    line = line_of(
        [piece for line in lines for piece in pieces_of(line)],
        baseline=round(statistics.median(map(height_of_baseline, lines))),
    )
    return replace(line, size=statistics.median(line.size for line in lines))


def height_of_baseline(line: Line) -> float:
    """How far down the page the middle of the baseline is, in pixels."""
    return (line.baseline.y1 + line.baseline.y2) / 2


def line_of(pieces: Iterable[Piece], *, baseline: int) -> Line:
    """One line of the pieces, of which there is at least one, from left to right.

    :param baseline: pixels down the page at which it stands, level.
    """
    texts: list[str] = []
    edges: array[int] = array("i")
    certainties, readings = bytearray(), list[tuple[Reading, ...]]()
    words = []
    for word, characters in sorted(pieces, key=lambda piece: piece[1][0].box.left):
        text = "".join(character.text for character in characters)
        box = word.box if text == word.text else enclosing([character.box for character in characters])
        words.append(Word(text, box, word.confidence, word.language, len(texts), len(characters)))
        for character in characters:
            texts.append(character.text)
            edges.extend(character.box)
            certainties.append(character.confidence)
            readings.append(character.readings)
    box = enclosing([word.box for word in words])
    level = Baseline(words[0].box.left, baseline, words[-1].box.right, baseline)
    return Line(
        tuple(words),
        box,
        level,
        tuple(texts),
        edges,
        bytes(certainties),
        readings=tuple(readings) if any(readings) else (),
    )
