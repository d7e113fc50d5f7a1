# SPDX-License-Identifier: Apache-2.0
"""Word files, read back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import docx
import pytest
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from PIL import Image

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
from airflow_provider_ocr.server.export.docx import DocxExporter

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]
MakeTable = Callable[..., Block]
Written = Callable[..., Document]

PICTURE = Block(BlockType.PICTURE, Box(100, 200, 500, 400))


@pytest.fixture
def written(tmp_path: Path, export: Callable[..., None]) -> Written:
    def made(*pages: Page) -> Document:
        export(DocxExporter(tmp_path / "a.docx"), pages)
        return docx.Document(str(tmp_path / "a.docx"))

    return made


def texts(document: Document) -> list[str]:
    return [paragraph.text for paragraph in document.paragraphs]


def text_block(*paragraphs: Paragraph) -> Block:
    return Block(BlockType.TEXT, Box(0, 0, 900, 900), paragraphs)


def test_a_paragraph_is_one_and_its_hyphens_are_gone(
    written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    first = replace(make_line(("the", 100), ("har-", 200)), hyphenated=True)
    second = make_line(("bour", 100), ("office", 200), top=200)
    other = Paragraph((make_line(("other", 100), top=300),))
    assert texts(written(make_page(text_block(Paragraph((first, second)), other)))) == [
        "the harbour office",
        "other",
    ]


@pytest.mark.parametrize("text", ["Łódź", "Ελλάδα", "Київ", "שלום", "東京", "\U0001d504", "<&>\"'", "a\tb"])
def test_every_character_comes_back(
    written: Written, make_line: MakeLine, make_page: MakePage, text: str
) -> None:
    assert texts(written(make_page([make_line((text, 100))]))) == [text]


def test_what_xml_cannot_carry_is_replaced(
    written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    assert texts(written(make_page([make_line(("a\x00b\x1fc\ufffe", 100))]))) == ["a\ufffdb\ufffdc\ufffd"]


@pytest.mark.parametrize(
    ("kind", "style"),
    [
        ((ParagraphRole.TEXT, 0), "Normal"),
        ((ParagraphRole.HEADING, 1), "Heading 1"),
        ((ParagraphRole.HEADING, 3), "Heading 3"),
        ((ParagraphRole.HEADING, 6), "Heading 3"),
        ((ParagraphRole.HEADING, 0), "Heading 1"),
        ((ParagraphRole.LIST_ITEM, 0), "List Paragraph"),
        ((ParagraphRole.CAPTION, 0), "Caption"),
        ((ParagraphRole.HEADER, 0), "Header"),
        ((ParagraphRole.FOOTER, 0), "Footer"),
    ],
)
def test_a_role_is_a_style(
    written: Written, make_line: MakeLine, make_page: MakePage, kind: tuple[ParagraphRole, int], style: str
) -> None:
    role, level = kind
    paragraph = Paragraph((make_line(("text", 100)),), role, level=level)
    (read,) = written(make_page(text_block(paragraph))).paragraphs
    assert read.style is not None
    assert read.style.name == style


@pytest.mark.parametrize(
    ("alignment", "expected"),
    [
        (Alignment.LEFT, None),
        (Alignment.CENTER, WD_ALIGN_PARAGRAPH.CENTER),
        (Alignment.RIGHT, WD_ALIGN_PARAGRAPH.RIGHT),
        (Alignment.JUSTIFIED, WD_ALIGN_PARAGRAPH.JUSTIFY),
    ],
)
def test_an_alignment_is_kept(
    written: Written,
    make_line: MakeLine,
    make_page: MakePage,
    alignment: Alignment,
    expected: WD_ALIGN_PARAGRAPH | None,
) -> None:
    paragraph = Paragraph((make_line(("text", 100)),), alignment=alignment)
    assert written(make_page(text_block(paragraph))).paragraphs[0].alignment == expected


def test_type_has_the_size_of_most_of_its_lines(
    written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    lines = [replace(make_line(("x", 100), top=100 * n), size=size) for n, size in enumerate((9.9, 10.1, 30))]
    unknown = Paragraph((make_line(("y", 100), top=900),))
    known, other = written(make_page(text_block(Paragraph(tuple(lines)), unknown))).paragraphs
    assert known.runs[0].font.size is not None
    assert known.runs[0].font.size.pt == 10.0
    assert other.runs[0].font.size is None


def test_a_table_is_one_with_its_merged_cells(
    written: Written, make_page: MakePage, make_table: MakeTable
) -> None:
    rows = [("Ship", "Cargo", "<"), ("^", "coal 12", "27,50"), ("Anna", "", "wool")]
    document = written(make_page(make_table(*rows)))
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["Ship", "Cargo", "Cargo"],
        ["Ship", "coal 12", "27,50"],
        ["Anna", "", "wool"],
    ]
    assert table.style is not None
    assert table.style.name == "Table Grid"
    assert [round(column.width.inches, 2) for column in table.columns if column.width] == [2.0, 2.0, 2.0]


def test_a_table_without_rules_has_none(written: Written, make_page: MakePage, make_table: MakeTable) -> None:
    (table,) = written(make_page(make_table(("a", "b"), ("c", "d"), ruled=False))).tables
    assert table.style is not None
    assert table.style.name == "Normal Table"


def test_a_table_wider_than_the_page_is_made_to_fit(
    written: Written, make_page: MakePage, make_table: MakeTable
) -> None:
    document = written(make_page(make_table(["x"] * 5, left=0)))
    section, (table,) = document.sections[0], document.tables
    assert section.page_width is not None
    assert section.left_margin is not None
    assert sum(column.width or 0 for column in table.columns) <= section.page_width - 2 * section.left_margin


def test_tables_that_follow_each_other_stay_two(
    written: Written, make_page: MakePage, make_table: MakeTable
) -> None:
    assert len(written(make_page(make_table(("a",)), make_table(("b",), top=700))).tables) == 2


def test_a_picture_is_cut_out_of_the_page(written: Written, make_page: MakePage, page_image: Path) -> None:
    document = written(make_page(PICTURE, image=page_image))
    (shape,) = document.inline_shapes
    assert (shape.width.inches, shape.height.inches) == pytest.approx((4, 2), abs=0.01)
    (part,) = [part for part in document.part.related_parts.values() if "media" in part.partname]
    with Image.open(io.BytesIO(part.blob)) as image:
        assert image.size == (400, 200)
        red, green, _ = image.getpixel((200, 100))  # type: ignore[misc]  # a pixel of a colour image has three values
    assert red > 200
    assert green < 50


def test_a_black_and_white_picture_stays_so(tmp_path: Path, written: Written, make_page: MakePage) -> None:
    Image.new("1", (1000, 1400), 1).save(tmp_path / "page.tif", compression="group4")
    document = written(make_page(PICTURE, image=tmp_path / "page.tif"))
    (part,) = [part for part in document.part.related_parts.values() if "media" in part.partname]
    with Image.open(io.BytesIO(part.blob)) as image:
        assert (image.format, image.mode) == ("PNG", "1")


def test_a_page_that_is_one_picture_is_on_its_page_unchanged(
    written: Written, make_page: MakePage, page_image: Path
) -> None:
    document = written(make_page(Block(BlockType.PICTURE, Box(0, 0, 1000, 1400)), image=page_image))
    (part,) = [part for part in document.part.related_parts.values() if "media" in part.partname]
    assert part.blob == page_image.read_bytes()
    (shape,), (section,) = document.inline_shapes, document.sections
    assert section.page_height is not None
    assert shape.height < section.page_height - 2 * (section.top_margin or 0)


def test_a_barcode_is_a_picture_that_says_what_it_stands_for(
    written: Written, make_page: MakePage, page_image: Path
) -> None:
    barcode = Block(BlockType.BARCODE, Box(100, 200, 500, 400), barcode=Barcode("QRCODE", "a\x1db"))
    document = written(make_page(barcode, image=page_image))
    assert 'descr="a\ufffdb"' in document.inline_shapes[0]._inline.xml


def test_a_picture_needs_the_pages_image(written: Written, make_page: MakePage) -> None:
    with pytest.raises(ValueError, match="page 1 has no image"):
        written(make_page(PICTURE))


def page_starts(document: Document) -> list[str]:
    return [read.text for read in document.paragraphs if read.paragraph_format.page_break_before]


def test_each_page_begins_on_a_page(
    written: Written, make_line: MakeLine, make_page: MakePage, make_table: MakeTable
) -> None:
    pages: Sequence[Page] = [
        make_page([make_line(("one", 100))]),
        make_page([make_line(("two", 100))], number=2),
        make_page(number=3),
        make_page(make_table(("four",)), number=4),
    ]
    document = written(*pages)
    assert page_starts(document) == ["two", "", ""]
    assert len(document.sections) == 1


def test_pages_are_of_the_size_of_their_scans(
    written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    lying = replace(make_page([make_line(("b", 100))], number=2), width=1400, height=1000)
    pages = [make_page([make_line(("a", 100))]), lying, replace(lying, number=3)]
    huge = replace(lying, number=4, width=100_000, height=50_000)
    document = written(*pages, huge)
    sizes = [(round(s.page_width.inches, 1), round(s.page_height.inches, 1)) for s in document.sections]  # type: ignore[union-attr]  # every section was given its size
    assert sizes == [(10, 14), (14, 10), (22, 11)]
    assert [text for text in texts(document) if text] == ["a", "b", "b", "b"]


def test_nobody_is_named_and_no_thumbnail_shown(
    tmp_path: Path, written: Written, make_page: MakePage
) -> None:
    properties = written(make_page()).core_properties
    assert {properties.author, properties.last_modified_by, properties.comments, properties.title} == {""}
    assert properties.created is not None
    assert properties.created.year > 2013
    with zipfile.ZipFile(tmp_path / "a.docx") as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "[Content_Types].xml"
        assert not [name for name in archive.namelist() if "thumbnail" in name]


def test_nothing_but_the_result_is_left_behind(
    tmp_path: Path, written: Written, make_page: MakePage, page_image: Path
) -> None:
    written(make_page(PICTURE, image=page_image))
    assert {path.name for path in tmp_path.iterdir()} == {"a.docx", page_image.name}
