# SPDX-License-Identifier: Apache-2.0
"""Lists as commands print them: for people as a table, for programs as JSON, YAML or plain columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum

Row = Mapping[str, str | int | float | bool | None]


class Output(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    PLAIN = "plain"


def list_text(rows: Sequence[Row], output: Output, *, absent: Mapping[str, str] | None = None) -> str:
    """A list as text.

    :param rows: all with the same columns.
    :param absent: what stands for None in a column of a table, by the column's name; by default a dash.
    """
    if output is Output.JSON:
        return json.dumps([dict(row) for row in rows], ensure_ascii=False)
    if output is Output.YAML:
        return _yaml(rows)
    if not rows:
        return "No data found"
    cells = [[_cell(value, (absent or {}).get(column, "-")) for column, value in row.items()] for row in rows]
    return _columns([list(rows[0]), *cells], ruled=output is Output.TABLE)


def _yaml(rows: Sequence[Row]) -> str:
    if not rows:
        return "[]"
    lines = []
    for row in rows:
        # A scalar of JSON is one of YAML.
        pairs = [f"{column}: {json.dumps(value, ensure_ascii=False)}" for column, value in row.items()]
        lines.append("- " + "\n  ".join(pairs))
    return "\n".join(lines)


def _columns(lines: Sequence[Sequence[str]], *, ruled: bool) -> str:
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    between = " | " if ruled else "  "
    printed = [
        between.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    if ruled:
        printed.insert(1, "=+=".join("=" * width for width in widths))
    return "\n".join(printed)


def _cell(value: str | float | bool | None, absent: str) -> str:
    return absent if value is None else str(value)
