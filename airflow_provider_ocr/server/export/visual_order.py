# SPDX-License-Identifier: Apache-2.0
"""The order in which characters stand beside each other, from left to right, whichever way they are read.

Programs that take text out of a PDF file go by what stands beside what, and turn Hebrew and Arabic round
themselves: written in the order of reading, such words would come out backwards.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import groupby

_TO_THE_LEFT = frozenset({"R", "AL"})
_TO_THE_RIGHT = frozenset({"L", "EN", "AN"})


def leftward(characters: Iterable[str]) -> bool:
    """Whether any of the characters is one that is read from right to left."""
    return any(_directions(character) & _TO_THE_LEFT for character in characters)


def visual_order(characters: tuple[str, ...]) -> tuple[str, ...]:
    """The characters of a word from left to right.

    :param characters: as they are read; a number or a foreign name among them keeps its order.
    """
    if not leftward(characters):
        return characters
    ordered: list[str] = []
    for kept, run in groupby(reversed(characters), key=lambda one: bool(_directions(one) & _TO_THE_RIGHT)):
        turned = list(run)
        ordered += reversed(turned) if kept else turned
    return tuple(ordered)


def _directions(character: str) -> set[str]:
    return {unicodedata.bidirectional(point) for point in character}
