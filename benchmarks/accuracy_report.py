# SPDX-License-Identifier: Apache-2.0
"""What is promised of the accuracy of recognition, and whether readings keep it."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.report import Row, aligned_table, machine, markdown_table, percentile, versions
from benchmarks.text_errors import area_under_curve

COLUMNS = frozenset({"two columns", "three columns"})
"""The classes on which reading order is measured."""

POOR = "poor"
"""The class that is there to have errors: what it says of itself is measured."""

_STRAIGHT = "clean"
_ASKEW = ("skewed", "turned")
_NOT_UPRIGHT = {*_ASKEW, "photographed", POOR}

_WORSE_POINTS = 0.5
_WORSE_CHARACTERS = 5
_MEDIAN_PERCENT = 0.5
_ASKEW_POINTS = 0.5
_ORDER = 0.99
_AREA = 0.9
_BAD_PERCENT = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A document as both have read it.

    :param name: of its file.
    :param characters: that stand on it.
    :param errors: characters to insert, delete or replace in what the server read.
    :param tesseract_errors: the same of the ``tesseract`` command line.
    :param words: that the server read.
    :param confidence: in them, 0 to 100, as the server says.
    :param low_words: that it says are doubtful.
    :param barcodes: that it found; there are none.
    :param error: why the task failed, if it did.
    """

    name: str
    characters: int
    errors: int
    tesseract_errors: int
    words: int
    confidence: float
    low_words: int
    barcodes: int
    error: str | None

    @property
    def percent(self) -> float:
        """The server's error rate; a reading cannot be worse than none at all."""
        return min(100.0, 100 * self.errors / self.characters)

    @property
    def tesseract_percent(self) -> float:
        """The command line's."""
        return min(100.0, 100 * self.tesseract_errors / self.characters)

    @property
    def is_worse(self) -> bool:
        """Whether somebody would notice that the command line reads it better."""
        points = self.percent - self.tesseract_percent
        return points > _WORSE_POINTS and self.errors - self.tesseract_errors > _WORSE_CHARACTERS

    @property
    def doubt(self) -> float:
        """How little the server trusts it, as a share of its words that may be wrong."""
        low = self.low_words / self.words if self.words else 1.0
        return low + (100 - self.confidence) / 100


@dataclass(frozen=True, slots=True, kw_only=True)
class PageClassResults:
    """The documents of a class.

    :param orders: of each format, the share of each document's words that stand in the right order.
    """

    page_class: str
    readings: Sequence[Reading]
    orders: dict[str, list[float]]

    @property
    def median(self) -> float:
        """Per cent of characters that are wrong."""
        return statistics.median(reading.percent for reading in self.readings)


def report(found: Sequence[PageClassResults], *, command: str) -> str:
    """All of it as Markdown.

    :param command: what measures the same again.
    """
    documents = sum(len(one.readings) for one in found)
    sentences = [
        f"`{command}`, {documents} documents, on {machine()};",
        f"{versions('airflow-provider-ocr', 'tesserocr')}.",
        "Per cent of characters wrong, by class: median, 95th percentile and worst.",
        "A failed document counts as 100.",
    ]
    worse = [
        f"- {reading.name}: {reading.percent:.2f} % against {reading.tesseract_percent:.2f} %"
        for one in found
        for reading in one.readings
        if reading.is_worse
    ]
    failed = [
        f"- {reading.name} failed: {reading.error}"
        for one in found
        for reading in one.readings
        if reading.error
    ]
    parts = [
        "\n".join(textwrap.wrap(" ".join(sentences), 120)),
        _classes(found),
        markdown_table(verdicts(found)),
    ]
    if worse:
        parts.append("\n".join(["Read better by the command line:", "", *worse]))
    if failed:
        parts.append("\n".join(failed))
    return "\n\n".join(parts)


def verdicts(found: Sequence[PageClassResults]) -> list[Row]:
    """The promises that can be judged by these classes."""
    readings = [reading for one in found for reading in one.readings]
    by_name = {one.page_class: one for one in found}
    rows = [*_against_tesseract(readings), _upright(found), *_askew(by_name), *_orders(found)]
    rows += [_barcodes(readings), *_confidence(readings)]
    return rows


def _classes(found: Iterable[PageClassResults]) -> str:
    lines = [("class", "documents", "median", "95 %", "worst", "tesseract median", "95 %", "worst")]
    for one in found:
        ours = [reading.percent for reading in one.readings]
        others = [reading.tesseract_percent for reading in one.readings]
        lines.append((one.page_class, str(len(ours)), *_three(ours), *_three(others)))
    return aligned_table(lines)


def _three(percents: Sequence[float]) -> tuple[str, str, str]:
    figures = statistics.median(percents), percentile(percents, 95), max(percents)
    median, high, worst = (f"{figure:.2f}" for figure in figures)
    return median, high, worst


def _against_tesseract(readings: Sequence[Reading]) -> list[Row]:
    mean = statistics.mean(reading.percent - reading.tesseract_percent for reading in readings)
    worse = sum(reading.is_worse for reading in readings)
    return [
        Row(
            what="error rate less that of the tesseract command line, mean of all documents",
            measured=f"{mean:+.2f} points",
            target="<= 0",
            met=mean <= 0,
        ),
        Row(
            what=f"documents worse by over {_WORSE_POINTS} points and {_WORSE_CHARACTERS} characters",
            measured=f"{worse} of {len(readings)}",
            target="0",
            met=worse == 0,
        ),
    ]


def _upright(found: Sequence[PageClassResults]) -> Row:
    medians = [(one.median, one.page_class) for one in found if one.page_class not in _NOT_UPRIGHT]
    worst, page_class = max(medians, default=(0.0, "none measured"))
    return Row(
        what="highest median of the upright classes",
        measured=f"{worst:.2f} % ({page_class})",
        target=f"<= {_MEDIAN_PERCENT} %",
        met=worst <= _MEDIAN_PERCENT,
    )


def _askew(by_name: dict[str, PageClassResults]) -> list[Row]:
    if _STRAIGHT not in by_name:
        return []
    return [
        Row(
            what=f"median of {name} less that of {_STRAIGHT}",
            measured=f"{(points := by_name[name].median - by_name[_STRAIGHT].median):+.2f} points",
            target=f"<= {_ASKEW_POINTS}",
            met=points <= _ASKEW_POINTS,
        )
        for name in _ASKEW
        if name in by_name
    ]


def _orders(found: Sequence[PageClassResults]) -> list[Row]:
    return [
        Row(
            what=f"words in the right order, {one.page_class}, {name}, mean",
            measured=f"{(mean := statistics.mean(shares)):.3f} (worst {min(shares):.3f})",
            target=f">= {_ORDER}",
            met=mean >= _ORDER,
        )
        for one in found
        for name, shares in one.orders.items()
    ]


def _barcodes(readings: Sequence[Reading]) -> Row:
    false = sum(reading.barcodes for reading in readings)
    return Row(
        what=f"barcodes read on {len(readings)} documents without any",
        measured=str(false),
        target="0",
        met=false == 0,
    )


def _confidence(readings: Sequence[Reading]) -> list[Row]:
    area = area_under_curve(
        [reading.doubt for reading in readings], [reading.percent > _BAD_PERCENT for reading in readings]
    )
    if area is None:
        return []
    return [
        Row(
            what=f"area under the curve of doubt for documents with over {_BAD_PERCENT:.0f} % errors",
            measured=f"{area:.3f}",
            target=f">= {_AREA}",
            met=area >= _AREA,
        )
    ]
