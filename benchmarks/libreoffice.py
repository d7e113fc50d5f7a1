# SPDX-License-Identifier: Apache-2.0
"""What LibreOffice finds in office files: it opens them, and saves them in a format that is easily read."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lxml import etree, html  # type: ignore[import-untyped]  # lxml carries no types

Grid = list[list[tuple[str, int, int]]]
"""Rows of cells: the text, how many columns the cell covers, and how many rows."""

_SECONDS = 600


def soffice() -> str | None:
    """The program, None where it is not installed."""
    return shutil.which("soffice")


def convert(files: Sequence[Path], to: str, folder: Path) -> None:
    """Save all of the files in another format, in ``folder / "converted"``: one start, which takes seconds.

    :param to: the format, as an extension.
    :raises FileNotFoundError: if LibreOffice is not installed.
    :raises subprocess.CalledProcessError: if it fails.
    """
    program = soffice()
    if program is None:
        raise FileNotFoundError("Install LibreOffice: its program soffice opens the files.")
    profile, converted = f"-env:UserInstallation=file://{folder / 'profile'}", str(folder / "converted")
    command = [program, "--headless", profile, "--convert-to", to, "--outdir", converted, *map(str, files)]
    subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS)  # noqa: S603 - files of ours


def grids_of(file: Path) -> list[Grid]:
    """Every table of a document, or every sheet of a workbook, that was saved as HTML."""
    return [grid_of(table) for table in html.fromstring(file.read_bytes()).iter("table")]


def grid_of(table: html.HtmlElement) -> Grid:
    """The cells of a table in HTML; one that is covered by another is not there."""
    return [
        [
            (spoken(cell), int(cell.get("colspan") or 1), int(cell.get("rowspan") or 1))
            for cell in row.iter("td", "th")
        ]
        for row in table.iter("tr")
    ]


def spoken(element: etree._Element) -> str:
    """The text in an element, with single spaces."""
    return " ".join("".join(element.itertext()).split())
