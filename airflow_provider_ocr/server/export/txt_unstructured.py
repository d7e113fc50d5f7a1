# SPDX-License-Identifier: Apache-2.0
"""``txtUnstructured``: the text in reading order, block after block, line for line, with barcodes' values.

Encoded as ``txt`` is. A blank line stands between paragraphs; the cells of a table's row are kept apart by
tabulators.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from airflow_provider_ocr.server.document import Block, Page, Table
from airflow_provider_ocr.server.export.txt import TxtExporter
from airflow_provider_ocr.server.paragraph_text import line_text, paragraph_text


class TxtUnstructuredExporter(TxtExporter):
    """Writes ``txtUnstructured`` to ``path``."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, text_of=unstructured_text)


def unstructured_text(page: Page) -> str:
    """The page's text, each line ended by a line feed; empty for a page without any."""
    return "\n".join(part for block in page.blocks for part in _parts(block))


def _parts(block: Block) -> Iterator[str]:
    """What blank lines are to stand between."""
    for paragraph in block.paragraphs:
        yield "".join(f"{line_text(line)}\n" for line in paragraph.lines)
    if block.table is not None:
        yield "".join(f"{row}\n" for row in _rows(block.table))
    if block.barcode is not None:
        yield f"{block.barcode.text}\n"


def _rows(table: Table) -> Iterator[str]:
    for _, cells in itertools.groupby(table.cells, key=lambda cell: cell.row):
        yield "\t".join(" ".join(map(paragraph_text, cell.paragraphs)) for cell in cells)
