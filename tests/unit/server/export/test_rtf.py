# SPDX-License-Identifier: Apache-2.0
"""RTF files: their text read back with a reader that had no part in writing it, and their words."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from striprtf.striprtf import rtf_to_text

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
from airflow_provider_ocr.server.export.rtf import RtfExporter

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]
MakeTable = Callable[..., Block]
Written = Callable[..., str]

PICTURE = Block(BlockType.PICTURE, Box(100, 200, 500, 400))
CELL = re.compile(r"(\\clvmgf|\\clvmrg)?((?:\\clbrdr[tlbr]\\brdrs\\brdrw10)*)\\cellx(\d+)")


@pytest.fixture
def written(tmp_path: Path, export: Callable[..., None]) -> Written:
    def made(*pages: Page) -> str:
        export(RtfExporter(tmp_path / "a.rtf"), pages)
        rtf = (tmp_path / "a.rtf").read_bytes().decode("ascii")
        assert len(re.findall(r"(?<!\\)\{", rtf)) == len(re.findall(r"(?<!\\)\}", rtf))
        return rtf

    return made


def lines(rtf: str) -> list[str]:
    # The reader leaves the two halves of a character beyond the first plane apart.
    text = rtf_to_text(rtf).encode("utf-16", "surrogatepass").decode("utf-16")
    return [line for line in text.split("\n") if line]


def paragraph_of(rtf: str, text: str) -> str:
    """The words that begin the paragraph of ``text``."""
    return next(line for line in rtf.splitlines() if text in line).split(text)[0]


def test_a_paragraph_is_one_and_its_hyphens_are_gone(
    written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    first = replace(make_line(("the", 100), ("har-", 200)), hyphenated=True)
    paragraphs = (Paragraph((first, make_line(("bour", 100)))), Paragraph((make_line(("other", 100)),)))
    block = Block(BlockType.TEXT, Box(0, 0, 900, 900), paragraphs)
    assert lines(written(make_page(block))) == ["the harbour", "other"]


@pytest.mark.parametrize(
    "text", ["Łódź", "Ελλάδα", "Київ", "שלום", "東京", "\U0001d504x", "{\\par}", "a\\'e4b", "\x7f", "½€"]
)
def test_every_character_comes_back_and_none_leaves_ascii(
    written: Written, make_line: MakeLine, make_page: MakePage, text: str
) -> None:
    assert lines(written(make_page([make_line((text, 100))]))) == [text]


def test_characters_beyond_the_first_plane_are_two_numbers(
    written: Written, make_line: MakeLine, make_page: MakePage
) -> None:
    rtf = written(make_page([make_line(("\U0001d504\uffe5", 100))]))
    assert "\\u-10187?\\u-8956?\\u-27?" in rtf


def test_control_characters_are_replaced(written: Written, make_line: MakeLine, make_page: MakePage) -> None:
    assert lines(written(make_page([make_line(("a\x00b\x1fc", 100))]))) == ["a\ufffdb\ufffdc"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ((ParagraphRole.TEXT, 0), r"\pard\plain\fs22 "),
        ((ParagraphRole.HEADING, 1), r"\pard\plain\s1\outlinelevel0\keepn\b\fs32 "),
        ((ParagraphRole.HEADING, 2), r"\pard\plain\s2\outlinelevel1\keepn\b\fs28 "),
        ((ParagraphRole.HEADING, 9), r"\pard\plain\s3\outlinelevel2\keepn\b\fs24 "),
        ((ParagraphRole.LIST_ITEM, 0), r"\pard\plain\s4\li360\fs22 "),
    ],
)
def test_a_role_is_a_style_and_its_looks(
    written: Written, make_line: MakeLine, make_page: MakePage, kind: tuple[ParagraphRole, int], words: str
) -> None:
    paragraph = Paragraph((make_line(("text", 100)),), kind[0], level=kind[1])
    rtf = written(make_page(Block(BlockType.TEXT, Box(0, 0, 900, 900), (paragraph,))))
    assert paragraph_of(rtf, "text") == words


@pytest.mark.parametrize(
    ("alignment", "word"),
    [
        (Alignment.LEFT, ""),
        (Alignment.CENTER, r"\qc"),
        (Alignment.RIGHT, r"\qr"),
        (Alignment.JUSTIFIED, r"\qj"),
    ],
)
def test_alignment_and_size_of_type_are_kept(
    written: Written, make_line: MakeLine, make_page: MakePage, alignment: Alignment, word: str
) -> None:
    paragraph = Paragraph((replace(make_line(("text", 100)), size=9.5),), alignment=alignment)
    rtf = written(make_page(Block(BlockType.TEXT, Box(0, 0, 900, 900), (paragraph,))))
    assert paragraph_of(rtf, "text") == rf"\pard\plain{word}\fs19 "


def test_a_table_is_one_with_its_merged_cells(
    written: Written, make_page: MakePage, make_table: MakeTable
) -> None:
    table = make_table(("Ship", "Cargo", "<"), ("^", "coal 12", "27,50"), ("Anna", "", "wool"))
    rtf = written(make_page(table))
    assert lines(rtf) == ["Ship|Cargo|", "|coal 12|27,50|", "Anna||wool|"]
    rows = [row.split("\n")[0] for row in rtf.split(r"\trowd")[1:]]
    assert [[(mark, int(end)) for mark, _, end in CELL.findall(row)] for row in rows] == [
        [("\\clvmgf", 2880), ("", 8640)],
        [("\\clvmrg", 2880), ("", 5760), ("", 8640)],
        [("", 2880), ("", 5760), ("", 8640)],
    ]


def test_only_a_table_with_rules_has_borders(
    written: Written, make_page: MakePage, make_table: MakeTable
) -> None:
    rtf = written(make_page(make_table(("a",)), make_table(("b",), ruled=False, top=900)))
    ruled, plain = (CELL.findall(row)[0][1] for row in rtf.split(r"\trowd")[1:])
    assert ruled.count("clbrdr") == 4
    assert plain == ""
    assert r"\par" in rtf.split(r"\row")[1], "two tables would be one"


def test_a_table_wider_than_the_page_is_made_to_fit(
    written: Written, make_page: MakePage, make_table: MakeTable
) -> None:
    rtf = written(make_page(make_table(["x"] * 5, left=0)))
    ends = [int(end) for _, _, end in CELL.findall(rtf)]
    assert ends == sorted(set(ends))
    assert ends[-1] <= 10 * 1440 - 2 * 0.75 * 1440 + 1


def picture_of(rtf: str) -> tuple[str, bytes]:
    """The words before a picture's data, and the data."""
    match = re.search(r"\{\\pict(?P<words>.*)\n(?P<data>[0-9a-f\n]+)\}", rtf)
    assert match is not None
    return match["words"], bytes.fromhex(match["data"])


def test_a_picture_is_cut_out_of_the_page(written: Written, make_page: MakePage, page_image: Path) -> None:
    words, data = picture_of(written(make_page(PICTURE, image=page_image)))
    assert words == r"\jpegblip\picw400\pich200\picwgoal5760\pichgoal2880"
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (400, 200)
        red, green, _ = image.getpixel((200, 100))
    assert red > 200
    assert green < 50


def test_a_black_and_white_picture_stays_so(tmp_path: Path, written: Written, make_page: MakePage) -> None:
    Image.new("1", (1000, 1400), 1).save(tmp_path / "page.tif", compression="group4")
    words, data = picture_of(written(make_page(PICTURE, image=tmp_path / "page.tif")))
    assert words.startswith(r"\pngblip")
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.mode) == ("PNG", "1")


def test_a_page_that_is_one_picture_fits_on_its_page(
    written: Written, make_page: MakePage, page_image: Path
) -> None:
    rtf = written(make_page(Block(BlockType.PICTURE, Box(0, 0, 1000, 1400)), image=page_image))
    words, data = picture_of(rtf)
    assert data == page_image.read_bytes()
    height = re.search(r"\\pichgoal(\d+)", words)
    assert height is not None
    assert int(height[1]) <= (14 - 1.5) * 1440 + 1


def test_a_barcode_is_a_picture_that_says_what_it_stands_for(
    written: Written, make_page: MakePage, page_image: Path
) -> None:
    barcode = Block(BlockType.BARCODE, Box(100, 200, 500, 400), barcode=Barcode("QRCODE", "a}\x1d"))
    words, _ = picture_of(written(make_page(barcode, image=page_image)))
    assert words.startswith(r"{\*\picprop{\sp{\sn wzDescription}{\sv a\}\u-3?}}}\jpegblip")


def test_a_picture_needs_the_pages_image(written: Written, make_page: MakePage) -> None:
    with pytest.raises(ValueError, match="page 1 has no image"):
        written(make_page(PICTURE))


def test_each_page_begins_on_a_page_of_its_size(
    written: Written, make_line: MakeLine, make_page: MakePage, make_table: MakeTable
) -> None:
    lying = replace(make_page([make_line(("five", 100))], number=5), width=1400, height=1000)
    rtf = written(
        make_page([make_line(("one", 100))]),
        make_page([make_line(("two", 100))], number=2),
        make_page(number=3),
        make_page(make_table(("four",)), number=4),
        lying,
    )
    assert lines(rtf) == ["one", "two", "four|", "five"]
    assert r"\pagebb" not in paragraph_of(rtf, "one")
    assert r"\pagebb" in paragraph_of(rtf, "two")
    assert r"\pagebb" not in paragraph_of(rtf, "five")
    assert rtf.count(r"\pagebb") == 3
    assert re.findall(r"\\paperw(\d+)\\paperh(\d+)", rtf) == [("14400", "20183")]
    assert re.findall(r"\\sect\\sectd.*\\pgwsxn(\d+)\\pghsxn(\d+).*\\lndscpsxn", rtf) == [("20183", "14400")]


def test_nothing_but_the_result_is_left_behind(
    tmp_path: Path, written: Written, make_page: MakePage, page_image: Path
) -> None:
    written(make_page(PICTURE, image=page_image))
    assert {path.name for path in tmp_path.iterdir()} == {"a.rtf", page_image.name}
