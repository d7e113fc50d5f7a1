# SPDX-License-Identifier: Apache-2.0
"""Pages to bytes and back: compressed JSON, so that reading what a stranger may have written runs no code."""

from __future__ import annotations

import json
import zlib
from array import array
from typing import Any

from airflow_provider_ocr.server.document import (
    Affine,
    Barcode,
    Baseline,
    Block,
    BlockType,
    Box,
    Line,
    Page,
    Paragraph,
    Word,
)

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
            to_original=Affine(*values["to_original"]),
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
        values["paragraphs"] = [
            [_line_values(line) for line in paragraph.lines] for paragraph in block.paragraphs
        ]
    if block.barcode:
        values["barcode"] = [block.barcode.kind, block.barcode.text]
    return values


def _block(values: dict[str, Any]) -> Block:
    barcode = values.get("barcode")
    return Block(
        BlockType(values["type"]),
        Box(*values["box"]),
        tuple(Paragraph(tuple(map(_line, lines))) for lines in values.get("paragraphs", ())),
        Barcode(*barcode) if barcode else None,
    )


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
    )
