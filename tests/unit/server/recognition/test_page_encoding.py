# SPDX-License-Identifier: Apache-2.0
"""A page is the same after it was kept."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import (
    Alignment,
    Barcode,
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
)
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.page_encoding import decode_page, encode_page
from airflow_provider_ocr.server.recognition.pages import recognise_page


def test_every_part_of_a_page_survives(
    make_line: Callable[..., Line], make_page: Callable[..., Page]
) -> None:
    page = make_page(
        [make_line(("Łódź", 10), ("\U0001d504\N{REPLACEMENT CHARACTER}", 200), language="Polish")],
        Block(BlockType.PICTURE, Box(1, 2, 3, 4)),
        Block(BlockType.BARCODE, Box(5, 6, 7, 8), barcode=Barcode("QRCODE", "a\x1db\0c")),
        Block(BlockType.SEPARATOR, Box(-1, 0, 9, 2)),
        number=7,
        rotation=270,
        to_original=Projection(0.1, 1 / 3, -2.5, 1e-9, 7.0, 1e9),
    )
    assert decode_page(encode_page(page, pages=12)) == (page, 12)


def test_what_layout_has_found_survives(
    make_line: Callable[..., Line], make_page: Callable[..., Page]
) -> None:
    line = make_line(("co-", 10))
    line = replace(line, size=11.5, hyphenated=True, readings=((Reading("c", 90), Reading("e", 3)), (), ()))
    heading = Paragraph((line,), ParagraphRole.HEADING, Alignment.CENTER, level=2)
    cells = (
        Cell(row=0, column=0, column_span=2, box=Box(0, 0, 20, 10), paragraphs=(heading,)),
        Cell(row=1, column=0, box=Box(0, 10, 10, 20)),
        Cell(row=1, column=1, box=Box(10, 10, 20, 20)),
    )
    table = Table(columns=(0, 10, 20), rows=(0, 10, 20), cells=cells, ruled=True)
    page = make_page(
        Block(BlockType.TEXT, Box(0, 0, 9, 9), (heading, Paragraph((line,)))),
        Block(BlockType.TABLE, Box(0, 0, 20, 20), table=table),
    )
    assert decode_page(encode_page(page, pages=1)) == (page, 1)
    assert len(list(page.lines)) == 3


def test_a_recognised_page_survives_to_the_last_digit(engine: Engine, samples: Path) -> None:
    settings = ProcessingSettings.parse(export_format="xml")
    with Document([samples / "receipt.png"]) as document:
        page = recognise_page(document.page(1), settings, engine=engine)
    assert any(word.confidence % 1 for word in page.words)
    assert decode_page(encode_page(page, pages=1)) == (page, 1)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zlib",
        zlib.compress(b"no json"),
        zlib.compress(b"[]"),
        zlib.compress(b'{"pages": 1, "page": {}}'),
        zlib.compress(json.dumps({"pages": 1, "page": None}).encode()),
        zlib.compress(b'{"pages": 1}')[:-5],
    ],
)
def test_what_is_no_page_is_an_error(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a kept page|Expecting value"):
        decode_page(content)
