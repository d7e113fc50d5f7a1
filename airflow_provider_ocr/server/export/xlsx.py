# SPDX-License-Identifier: Apache-2.0
"""``xlsx``: a sheet for each page, tables in its cells, and between them all other text, a row for each line.

Nothing of it is a formula, a link or a date; a number is one only in a table's column of numbers. Neither
pictures nor barcodes are part of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]  # XlsxWriter does not say that it is typed

from airflow_provider_ocr.protocol.characters import as_xml_text
from airflow_provider_ocr.server.document import Cell, Page, ParagraphRole, Table
from airflow_provider_ocr.server.export.cell_numbers import (
    CellNumber,
    NumberWriting,
    column_numbers,
    writings,
)
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.paragraph_text import line_text, paragraph_text

_NARROWEST, _WIDEST = 9, 60  # letters that a table's column is wide
_LONGEST_TEXT = 32_767  # characters that a cell can have


class XlsxExporter:
    """Writes ``xlsx`` to ``path``.

    What a spreadsheet has of a page is little: 500 pages take tens of megabytes. XlsxWriter's constant
    memory is not for this, as it keeps a file open for every sheet, and cannot merge cells of several rows.
    """

    def __init__(self, path: Path) -> None:
        options = {
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
            "tmpdir": str(path.parent),
        }
        self._workbook = xlsxwriter.Workbook(str(path), options)
        self._formats: dict[frozenset[tuple[str, Any]], Any] = {}
        self._writings: tuple[NumberWriting, ...] = ()

    def start(self, summary: DocumentSummary) -> None:
        """Learn how numbers are written in the document's languages."""
        self._writings = writings(summary.settings.language)

    def page(self, page: Page) -> None:
        """Write the page's sheet."""
        sheet = self._workbook.add_worksheet(f"Page {page.number}")
        sheet.fit_to_pages(1, 0)  # printed, a table is as wide as the paper, and as long as it may be
        row = 0
        widths: dict[int, int] = {}
        for block in page.blocks:
            for paragraph in block.paragraphs:
                bold = {"bold": True} if paragraph.role is ParagraphRole.HEADING else {}
                for line in paragraph.lines:
                    self._write(sheet, row, 0, as_xml_text(line_text(line)), bold)
                    row += 1
            if block.table is not None:
                row += 1 if row else 0
                self._table(sheet, row, block.table, widths)
                row += len(block.table.rows)
        for column, width in widths.items():
            sheet.set_column(column, column, min(max(width + 2, _NARROWEST), _WIDEST))

    def finish(self) -> None:
        """Write the file."""
        self._workbook.close()

    def _table(self, sheet: Any, top: int, table: Table, widths: dict[int, int]) -> None:
        """Write the table from row ``top`` on, and note in ``widths`` what its columns take."""
        looks = {"border": 1} if table.ruled else {}
        numbers = _numbers(table, self._writings)
        for cell in table.cells:
            row, text = top + cell.row, _text(cell)
            kind = {**looks, "text_wrap": True} if "\n" in text else looks
            if (cell.row_span, cell.column_span) != (1, 1):
                bottom, right = row + cell.row_span - 1, cell.column + cell.column_span - 1
                sheet.merge_range(row, cell.column, bottom, right, "", self._format(kind))
            if text and cell.column_span == 1:
                longest = max(map(len, text.splitlines()))
                widths[cell.column] = max(widths.get(cell.column, 0), longest)
            number = numbers.get((cell.row, cell.column))
            if number is None:
                self._write(sheet, row, cell.column, text, kind)
            else:
                shown = self._format({**looks, "num_format": number.number_format})
                sheet.write_number(row, cell.column, number.value, shown)

    def _write(self, sheet: Any, row: int, column: int, text: str, looks: dict[str, Any]) -> None:
        sheet.write_string(row, column, text[:_LONGEST_TEXT], self._format(looks))

    def _format(self, looks: dict[str, Any]) -> Any:
        """The workbook's one format of these looks."""
        if not looks:
            return None
        key = frozenset(looks.items())
        if key not in self._formats:
            self._formats[key] = self._workbook.add_format(looks)
        return self._formats[key]


def _text(cell: Cell) -> str:
    return as_xml_text("\n".join(paragraph_text(paragraph) for paragraph in cell.paragraphs))


def _numbers(table: Table, among: tuple[NumberWriting, ...]) -> dict[tuple[int, int], CellNumber]:
    """The table's numbers by row and column."""
    numbers = {}
    for column in range(len(table.columns) - 1):
        cells = [cell for cell in table.cells if (cell.column, cell.column_span) == (column, 1)]
        found = column_numbers([_text(cell) for cell in cells], among)
        numbers.update({(cells[place].row, column): number for place, number in found.items()})
    return numbers
