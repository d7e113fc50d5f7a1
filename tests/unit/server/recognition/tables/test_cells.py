# SPDX-License-Identifier: Apache-2.0
"""Cells of ruled tables, as they are read from an image."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Page, Table
from airflow_provider_ocr.server.paragraph_text import paragraph_text
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.pages import recognise_page
from tests.unit.server.recognition.tables.drawn_tables import DPI, drawn_table


def recognised(seed: int, folder: Path, engine: Engine, **settings: str) -> Page:
    drawn_table(seed).image.save(folder / "a.png", dpi=(DPI, DPI))
    with Document([folder / "a.png"]) as document:
        return recognise_page(
            document.page(1), ProcessingSettings.parse(language="English,German", **settings), engine=engine
        )


def texts(table: Table) -> dict[tuple[int, int, int, int], str]:
    return {
        (cell.row, cell.column, cell.row_span, cell.column_span): " ".join(
            map(paragraph_text, cell.paragraphs)
        )
        for cell in table.cells
    }


def tables(page: Page) -> list[Table]:
    return [block.table for block in page.blocks if block.table is not None]


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 20))]
)
def test_each_cell_has_its_own_text(seed: int, tmp_path: Path, engine: Engine) -> None:
    (table,) = tables(recognised(seed, tmp_path, engine))
    expected, found = drawn_table(seed).cells, texts(table)
    assert found.keys() == expected.keys()
    wrong = {place: text for place, text in found.items() if text != expected[place]}
    assert len(wrong) <= 0.02 * len(expected)


def test_text_around_a_table_stays_outside_of_it_in_its_order(tmp_path: Path, engine: Engine) -> None:
    page = recognised(0, tmp_path, engine)
    kinds = [(block.type.value, " ".join(map(paragraph_text, block.paragraphs))) for block in page.blocks]
    assert kinds == [
        ("Text", "What stands above the table is no part of it"),
        ("Table", ""),
        ("Text", "and neither is what follows below."),
    ]


def test_where_no_tables_are_wanted_their_text_stays_text(tmp_path: Path, engine: Engine) -> None:
    page = recognised(0, tmp_path, engine, profile="textExtraction")
    assert tables(page) == []
    assert {word.text for word in page.words} >= set(" ".join(drawn_table(0).cells.values()).split())
