# SPDX-License-Identifier: Apache-2.0
"""What a benchmark found: a table with targets and verdicts, for the terminal and for the documentation."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One claim.

    :param what: what was measured.
    :param measured: the figure, with its unit.
    :param target: what it has to be.
    :param met: whether it is.
    """

    what: str
    measured: str
    target: str
    met: bool


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def markdown_table(rows: Sequence[Row]) -> str:
    """The rows as a table that is also readable as it stands."""
    cells = [("what", "measured", "target", "verdict")]
    cells += [(row.what, row.measured, row.target, "met" if row.met else "MISSED") for row in rows]
    return aligned_table(cells)


def aligned_table(cells: Sequence[Sequence[str]]) -> str:
    """Lines of cells, the first of them the heading, as a table that is also readable as it stands."""
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = [
        " | ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) for line in cells
    ]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


def machine() -> str:
    """What the figures were measured on, in one sentence."""
    cpus = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.partition(":")[2].strip() for line in cpus.splitlines() if line.startswith("model name")]
    processor = names[0] if names else platform.machine()
    gigabytes = psutil.virtual_memory().total / 1024**3
    return f"{os.cpu_count()} cores ({processor}), {gigabytes:.0f} GB of memory, {platform.system()}"


def versions(*distributions: str) -> str:
    """The versions of Python and of these distributions."""
    found = [f"{name} {version(name)}" for name in distributions]
    return ", ".join([f"Python {platform.python_version()}", *found])


def write_between_markers(page: Path, name: str, text: str) -> None:
    """Replace what stands in a page between ``<!-- name: begin -->`` and ``<!-- name: end -->``.

    :raises ValueError: if the page has no such markers.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = page.read_text(encoding="utf-8").partition(begin)
    _, also_found, after = rest.partition(end)
    if not (found and also_found):
        raise ValueError(f"{page} has no place for these figures: it lacks {begin} and {end}.")
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")
