# SPDX-License-Identifier: Apache-2.0
"""Presentations, read back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pptx
import pytest
from PIL import Image
from pptx.enum.text import PP_ALIGN

from airflow_provider_ocr.server.document import (
    Alignment,
    Barcode,
    Block,
    BlockType,
    Box,
    Line,
    Page,
    Paragraph,
    ParagraphRole,
)
from airflow_provider_ocr.server.export.pptx import PptxExporter

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]
MakeTable = Callable[..., Block]
Written = Callable[..., Any]

PICTURE = Block(BlockType.PICTURE, Box(100, 200, 500, 400))
PIXEL = 9144  # EMU, at 100 dpi


@pytest.fixture
def written(tmp_path: Path, export: Callable[..., None]) -> Written:
    def made(*pages: Page) -> Any:
        export(PptxExporter(tmp_path / "a.pptx"), pages)
        return pptx.Presentation(str(tmp_path / "a.pptx"))

    return made


def shapes(presentation: Any, slide: int = 0) -> list[Any]:
    return list(presentation.slides[slide].shapes)


def place(shape: Any) -> list[float]:
    return [round(value / PIXEL) for value in (shape.left, shape.top, shape.width, shape.height)]


def test_a_paragraph_is_a_box_at_its_place(
    written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    first = replace(make_line(("the", 100), ("har-", 200)), hyphenated=True)
    lines = (first, make_line(("bour", 100), top=200))
    other = Paragraph((make_line(("other", 300), top=900),))
    block = Block(BlockType.TEXT, Box(0, 0, 900, 900), (Paragraph(lines), other))
    box, last = shapes(written(make_page(block)))
    assert (box.text_frame.text, place(box)) == ("the harbour", [100, 100, 180, 130])
    assert (last.text_frame.text, place(last)) == ("other", [300, 900, 100, 30])
    assert (box.text_frame.word_wrap, last.text_frame.word_wrap) == (True, False)


@pytest.mark.parametrize("text", ["Łódź", "Ελλάδα", "Київ", "שלום", "東京", "\U0001d504", "<&>\"'"])
def test_every_character_comes_back(
    written: Written, make_line: MakeLine, make_page: MakePage, text: str
) -> None:
    (box,) = shapes(written(make_page([make_line((text, 100))])))
    assert box.text_frame.text == text


def test_what_xml_cannot_carry_is_replaced(
    written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    (box,) = shapes(written(make_page([make_line(("a\x00b\x0bc", 100))])))
    assert box.text_frame.text == "a\ufffdb\ufffdc"


def test_type_has_its_size_and_about_the_size_of_its_letters_where_none_is_known(
    written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    line = make_line(("text", 100))  # 30 pixels high: 22 points
    known, told = shapes(written(make_page([replace(line, size=9.5)], [line])))
    assert known.text_frame.paragraphs[0].runs[0].font.size.pt == 9.5
    assert told.text_frame.paragraphs[0].runs[0].font.size.pt == pytest.approx(22, abs=2)


def test_roles_and_alignment_are_kept(written: Written, make_line: MakeLine, make_page: MakePage) -> None:
    line = make_line(("text", 100))
    heading = Paragraph((line,), ParagraphRole.HEADING, Alignment.CENTER, 1)
    block = Block(BlockType.TEXT, Box(0, 0, 900, 900), (heading, Paragraph((line,))))
    title, text = (box.text_frame.paragraphs[0] for box in shapes(written(make_page(block))))
    assert (title.runs[0].font.bold, title.alignment) == (True, PP_ALIGN.CENTER)
    assert (text.runs[0].font.bold, text.alignment) == (None, None)


def test_a_table_is_one_with_its_merged_cells(
    written: Written, make_page: MakePage, make_table: MakeTable
) -> None:
    rows = [("Ship", "Cargo", "<"), ("^", "coal 12", "27,50"), ("Anna", "", "wool")]
    (frame,) = shapes(written(make_page(make_table(*rows))))
    table = frame.table
    assert place(frame) == [100, 500, 600, 150]
    assert [[table.cell(row, column).text for column in range(3)] for row in range(3)] == [
        ["Ship", "Cargo", ""],
        ["", "coal 12", "27,50"],
        ["Anna", "", "wool"],
    ]
    spans = {
        (row, column): (table.cell(row, column).span_height, table.cell(row, column).span_width)
        for row in range(3)
        for column in range(3)
        if table.cell(row, column).is_merge_origin
    }
    assert spans == {(0, 0): (2, 1), (0, 1): (1, 2)}


def test_a_table_looks_ruled_only_if_it_is(
    written: Written, make_page: MakePage, make_table: MakeTable
) -> None:
    frames = shapes(written(make_page(make_table(("a",)), make_table(("b",), ruled=False, top=900))))
    ruled, plain = (frame.element.xpath(".//a:tableStyleId")[0].text for frame in frames)
    assert ruled != plain


def test_a_picture_is_cut_out_of_the_page_and_at_its_place(
    written: Written, make_line: MakeLine, make_page: MakePage, page_image: Path
) -> None:
    presentation = written(make_page([make_line(("text", 100))], PICTURE, PICTURE, image=page_image))
    text, picture, other = shapes(presentation)
    assert place(picture) == [100, 200, 400, 200]
    assert len({shape.shape_id for shape in (text, picture, other)}) == 3
    with Image.open(io.BytesIO(picture.image.blob)) as image:
        assert image.size == (400, 200)
        red, green, _ = image.getpixel((200, 100))
    assert red > 200
    assert green < 50


def test_a_page_that_is_one_picture_fills_its_slide(
    written: Written, make_page: MakePage, page_image: Path
) -> None:
    presentation = written(make_page(Block(BlockType.PICTURE, Box(0, 0, 1000, 1400)), image=page_image))
    (picture,) = shapes(presentation)
    assert picture.image.blob == page_image.read_bytes()
    assert (picture.width, picture.height) == (presentation.slide_width, presentation.slide_height)


def test_a_barcode_is_a_picture_that_says_what_it_stands_for(
    written: Written, make_page: MakePage, page_image: Path
) -> None:
    barcode = Block(BlockType.BARCODE, Box(100, 200, 500, 400), barcode=Barcode("QRCODE", 'a"<\x1d'))
    (picture,) = shapes(written(make_page(barcode, image=page_image)))
    assert picture.element.nvPicPr.cNvPr.get("descr") == 'a"<\ufffd'


def test_a_picture_needs_the_pages_image(written: Written, make_page: MakePage) -> None:
    with pytest.raises(ValueError, match="page 1 has no image"):
        written(make_page(PICTURE))


def test_each_page_has_a_slide_in_order_and_fits_on_it(
    written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    corner = make_line(("corner", 880), top=970)
    lying = replace(make_page([corner], number=3), width=1400, height=1000)
    pages = [make_page([make_line(("one", 100))]), make_page(number=2), lying]
    presentation = written(*pages)
    assert (presentation.slide_width / PIXEL, presentation.slide_height / PIXEL) == (1000, 1400)
    assert [len(slide.shapes) for slide in presentation.slides] == [1, 0, 1]
    (box,) = shapes(presentation, 2)
    assert place(box) == [629, 1036, 86, 21]  # 5/7 of its size, and in the middle of the slide's height
    assert box.text_frame.paragraphs[0].runs[0].font.size.pt < 18


@pytest.mark.parametrize(
    ("pixels", "inches"),
    [((100, 140), (1, 1.4)), ((10_000, 5_000), (56, 28)), ((10_000, 10), (56, 1))],
)
def test_slides_are_of_a_size_that_powerpoint_takes(
    written: Written, make_page: MakePage, pixels: tuple[int, int], inches: tuple[float, float]
) -> None:
    page = replace(make_page(), width=pixels[0], height=pixels[1])
    presentation = written(page)
    size = presentation.slide_width.inches, presentation.slide_height.inches
    assert size == pytest.approx(inches, abs=0.01)


def test_nobody_is_named_and_nothing_of_the_template_is_shown(
    tmp_path: Path, written: Written, make_page: MakePage, page_image: Path
) -> None:
    properties = written(make_page(PICTURE, image=page_image)).core_properties
    assert {properties.author, properties.last_modified_by, properties.comments, properties.title} == {""}
    with zipfile.ZipFile(tmp_path / "a.pptx") as archive:
        assert archive.testzip() is None
        assert not [name for name in archive.namelist() if "thumbnail" in name or "printer" in name]
        assert not [name for name in archive.namelist() if b"Canny" in archive.read(name)]
    assert {path.name for path in tmp_path.iterdir()} == {"a.pptx", page_image.name}
