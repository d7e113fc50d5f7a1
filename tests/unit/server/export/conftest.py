# SPDX-License-Identifier: Apache-2.0
"""What the tests of several formats share: tables, pages with an image, and running an exporter."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Block, BlockType, Box, Cell, Line, Page, Paragraph, Table
from airflow_provider_ocr.server.export.exporter import DocumentSummary, Exporter


@pytest.fixture(scope="session")
def export() -> Callable[..., None]:
    """Runs an exporter over pages."""

    def exported(exporter: Exporter, pages: Sequence[Page], **settings: str) -> None:
        exporter.start(DocumentSummary(len(pages), ProcessingSettings.parse(**settings)))
        for page in pages:
            exporter.page(page)
        exporter.finish()

    return exported


@pytest.fixture
def page_image(tmp_path: Path) -> Path:
    """The image of a page of 1000 x 1400 pixels: white, with a red box from (100, 200) to (500, 400)."""
    image = Image.new("RGB", (1000, 1400), "white")
    ImageDraw.Draw(image).rectangle((100, 200, 499, 399), fill="red")
    path = tmp_path / "page-image.jpg"
    image.save(path, quality=95)
    return path


@pytest.fixture(scope="session")
def make_table(make_line: Callable[..., Line]) -> Callable[..., Block]:
    """A table of cells of 200 x 50 pixels from rows of text.

    Where a text is ``<`` or ``^``, the cell to the left or above covers that place too.
    """

    def made(*rows: Sequence[str], ruled: bool = True, left: int = 100, top: int = 500) -> Block:
        columns = tuple(left + 200 * number for number in range(len(rows[0]) + 1))
        levels = tuple(top + 50 * number for number in range(len(rows) + 1))
        cells = []
        for row, column in itertools.product(range(len(rows)), range(len(rows[0]))):
            if rows[row][column] not in ("<", "^"):
                covered_columns = _leading("<", rows[row][column + 1 :])
                covered_rows = _leading("^", [below[column] for below in rows[row + 1 :]])
                right, bottom = columns[column + 1 + covered_columns], levels[row + 1 + covered_rows]
                cell = Cell(
                    row=row,
                    column=column,
                    row_span=1 + covered_rows,
                    column_span=1 + covered_columns,
                    box=Box(columns[column], levels[row], right, bottom),
                    paragraphs=_paragraphs(rows[row][column], columns[column] + 10, levels[row] + 10),
                )
                cells.append(cell)
        table = Table(columns=columns, rows=levels, cells=tuple(cells), ruled=ruled)
        return Block(BlockType.TABLE, Box(columns[0], levels[0], columns[-1], levels[-1]), table=table)

    def _paragraphs(text: str, left: int, top: int) -> tuple[Paragraph, ...]:
        if not text:
            return ()
        words = []
        for word in text.split():
            words.append((word, left))
            left += 20 * len(word) + 10
        return (Paragraph((make_line(*words, top=top),)),)

    return made


def _leading(mark: str, texts: Sequence[str]) -> int:
    return sum(1 for _ in itertools.takewhile(mark.__eq__, texts))
