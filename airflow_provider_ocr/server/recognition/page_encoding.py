# SPDX-License-Identifier: Apache-2.0
"""Pages to bytes and back: compressed JSON, so that reading what a stranger may have written runs no code."""

from __future__ import annotations

import json
import zlib
from array import array
from typing import Any

from airflow_provider_ocr.server.document import (
    Alignment,
    Barcode,
    Baseline,
    Block,
    BlockType,
    Box,
    Cell,
    Line,
    Page,
    Paragraph,
    ParagraphRole,
    Projection,
    Reading,
    Table,
    Word,
)

PAGE_FORMAT = 2
"""Changes with what is written here, so that nobody takes an older page for a damaged one."""

_COMPRESSION = 6


def encode_page(page: Page, *, pages: int) -> bytes:
    """A page without its image.

    :param pages: how many its document has.
    """
    values = {name: getattr(page, name) for name in _PLAIN}
    values["to_original"] = list(page.to_original)
    values["blocks"] = [_block_values(block) for block in page.blocks]
    text = json.dumps({"pages": pages, "page": values}, separators=(",", ":"))
    return zlib.compress(text.encode(), _COMPRESSION)


def decode_page(content: bytes) -> tuple[Page, int]:
    """The page, and how many its document has.

    :raises ValueError: if ``content`` is not what ``encode_page`` gave.
    """
    try:
        document = json.loads(zlib.decompress(content))
        values = document["page"]
        page = Page(
            **{name: values[name] for name in _PLAIN},
            to_original=Projection(*values["to_original"]),
            blocks=tuple(_block(block) for block in values["blocks"]),
        )
        return page, int(document["pages"])
    except (zlib.error, KeyError, TypeError, IndexError, OverflowError) as error:
        raise ValueError(f"not a kept page: {error}") from error


_PLAIN = (
    *("number", "original_width", "original_height", "original_dpi"),
    *("width", "height", "dpi", "rotation", "skew", "failed"),
)


def _block_values(block: Block) -> dict[str, Any]:
    values: dict[str, Any] = {"type": block.type.value, "box": block.box}
    if block.paragraphs:
        values["paragraphs"] = [_paragraph_values(paragraph) for paragraph in block.paragraphs]
    if block.barcode:
        values["barcode"] = [block.barcode.kind, block.barcode.text]
    if block.table:
        values["table"] = _table_values(block.table)
    return values


def _block(values: dict[str, Any]) -> Block:
    barcode, table = values.get("barcode"), values.get("table")
    return Block(
        BlockType(values["type"]),
        Box(*values["box"]),
        tuple(map(_paragraph, values.get("paragraphs", ()))),
        Barcode(*barcode) if barcode else None,
        _table(table) if table else None,
    )


def _table_values(table: Table) -> dict[str, Any]:
    cells = [
        [
            [cell.row, cell.column, cell.row_span, cell.column_span],
            cell.box,
            [_paragraph_values(paragraph) for paragraph in cell.paragraphs],
        ]
        for cell in table.cells
    ]
    return {"columns": table.columns, "rows": table.rows, "ruled": table.ruled, "cells": cells}


def _table(values: dict[str, Any]) -> Table:
    cells = (
        Cell(
            row=row,
            column=column,
            row_span=row_span,
            column_span=column_span,
            box=Box(*box),
            paragraphs=tuple(map(_paragraph, paragraphs)),
        )
        for (row, column, row_span, column_span), box, paragraphs in values["cells"]
    )
    return Table(
        columns=tuple(values["columns"]),
        rows=tuple(values["rows"]),
        cells=tuple(cells),
        ruled=values["ruled"],
    )


def _paragraph_values(paragraph: Paragraph) -> list[Any]:
    lines = [_line_values(line) for line in paragraph.lines]
    return [lines, paragraph.role.value, paragraph.alignment.value, paragraph.level]


def _paragraph(values: list[Any]) -> Paragraph:
    lines, role, alignment, level = values
    return Paragraph(tuple(map(_line, lines)), ParagraphRole(role), Alignment(alignment), level)


def _line_values(line: Line) -> dict[str, Any]:
    return {
        "words": [
            [word.text, word.box, word.confidence, word.language, word.first, word.count]
            for word in line.words
        ],
        "box": line.box,
        "baseline": line.baseline,
        "texts": line.texts,
        "edges": list(line.edges),
        "certainties": list(line.certainties),
        "size": line.size,
        "hyphenated": line.hyphenated,
        "readings": line.readings,
    }


def _line(values: dict[str, Any]) -> Line:
    words = (
        Word(text, Box(*box), confidence, language, first, count)
        for text, box, confidence, language, first, count in values["words"]
    )
    return Line(
        tuple(words),
        Box(*values["box"]),
        Baseline(*values["baseline"]),
        tuple(values["texts"]),
        array("i", values["edges"]),
        bytes(values["certainties"]),
        values["size"],
        values["hyphenated"],
        tuple(tuple(Reading(*reading) for reading in each) for each in values["readings"]),
    )
