# SPDX-License-Identifier: Apache-2.0
"""How far a text that was read is from what stands on the page, and whether doubts about it were justified.

White space counts as one space: how lines are wrapped is measured by the order of words.
"""

from __future__ import annotations

from collections.abc import Sequence

from rapidfuzz.distance import Indel, Levenshtein


def character_errors(read: str, truth: str) -> int:
    """Characters to insert, delete or replace; an empty reading has all of the truth's wrong."""
    return int(Levenshtein.distance(_spaced(read), _spaced(truth)))


def characters(text: str) -> int:
    """How many there are, with one space between words."""
    return len(_spaced(text))


def order_similarity(read: str, truth: str) -> float:
    """Share (0 to 1) of the words of both texts that stand in the same order."""
    return float(Indel.normalized_similarity(read.split(), truth.split()))


def area_under_curve(scores: Sequence[float], bad: Sequence[bool]) -> float | None:
    """How likely a bad page has a higher score than a good one; ties count half.

    :param scores: of each page, higher where there is more doubt.
    :param bad: whether the page is bad.
    :return: 0 to 1, or None if all pages are alike.
    """
    worse = [score for score, is_bad in zip(scores, bad, strict=True) if is_bad]
    better = [score for score, is_bad in zip(scores, bad, strict=True) if not is_bad]
    if not worse or not better:
        return None
    wins = sum((one > other) + (one == other) / 2 for one in worse for other in better)
    return wins / (len(worse) * len(better))


def _spaced(text: str) -> str:
    return " ".join(text.split())
