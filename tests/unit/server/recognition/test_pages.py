# SPDX-License-Identifier: Apache-2.0
"""Whole documents, recognised for real."""

from __future__ import annotations

from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Block, BlockType, Box, Page, Paragraph
from airflow_provider_ocr.server.export.txt import page_text
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.errors import PageError, PageMemoryError
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.pages import recognise_page
from airflow_provider_ocr.server.recognition.quality import LOW_WORD_CONFIDENCE
from airflow_provider_ocr.server.recognition.tessdata import Tessdata

TXT = ProcessingSettings.parse(export_format="txt")


def recognise(path: Path, settings: ProcessingSettings, engine: Engine) -> list[Page]:
    """All pages of a file."""
    with Document([path]) as document:
        numbers = range(1, document.pages + 1)
        return [recognise_page(document.page(number), settings, engine=engine) for number in numbers]


@pytest.fixture
def recognised(engine: Engine, tmp_path: Path) -> Callable[..., Page]:
    """Recognises one drawn page."""

    def one_page(image: Image.Image, settings: ProcessingSettings = TXT) -> Page:
        image.save(tmp_path / "image.png", dpi=(300, 300))
        (page,) = recognise(tmp_path / "image.png", settings, engine)
        return page

    return one_page


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("rechnung.pdf", "German"),
        # With a real Airflow, the system tests hold all of them to this on every day.
        pytest.param("letter.jpg", "English", marks=pytest.mark.long),
        pytest.param("minutes.tif", "English", marks=pytest.mark.long),
    ],
)
def test_a_sample_scan_is_read_with_at_most_two_per_cent_of_errors(
    engine: Engine, samples: Path, name: str, language: str
) -> None:
    settings = ProcessingSettings.parse(export_format="txt", language=language)
    read = "".join(page_text(page) for page in recognise(samples / name, settings, engine)).split()
    truth = (samples / name).with_suffix(".txt").read_text().split()
    matching = SequenceMatcher(None, " ".join(truth), " ".join(read), autojunk=False).get_matching_blocks()
    assert sum(block.size for block in matching) >= 0.98 * len(" ".join(truth))
    assert len(" ".join(read)) <= 1.02 * len(" ".join(truth))


def text(page: Page) -> str:
    return " ".join(word.text for word in page.words)


def centre(box: Box) -> tuple[float, float]:
    return (box.left + box.right) / 2, (box.top + box.bottom) / 2


@pytest.mark.parametrize("clockwise", [90, 180, 270])
def test_words_of_a_turned_page_lie_on_the_drawn_words(
    recognised: Callable[..., Page], draw: Callable[..., Any], clockwise: int
) -> None:
    drawing = draw()
    width, height = drawing.image.size
    page = recognised(drawing.image.rotate(clockwise, expand=True))
    assert (page.rotation, text(page)) == (clockwise, drawing.text)
    assert (page.original_width, page.original_height) == (
        (width, height) if clockwise == 180 else (height, width)
    )
    for word, (_, box) in zip(page.words, drawing.words, strict=True):
        x, y = centre(box)
        drawn = {90: (y, width - x), 180: (width - x, height - y), 270: (height - y, x)}[clockwise]
        assert centre(page.to_original.box(word.box)) == pytest.approx(drawn, abs=8)


def test_words_of_a_skewed_page_lie_on_the_drawn_words(
    recognised: Callable[..., Page], draw: Callable[..., Any]
) -> None:
    drawing = draw()
    page = recognised(drawing.image.rotate(2.5, resample=Image.Resampling.BICUBIC, fillcolor=255))
    assert page.skew == pytest.approx(-2.5, abs=0.1)
    assert text(page) == drawing.text
    turn = np.radians(-2.5)
    middle = np.array(drawing.image.size) / 2
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    for word, (_, box) in zip(page.words, drawing.words, strict=True):
        drawn = matrix @ (np.array(centre(box)) - middle) + middle
        assert centre(page.to_original.box(word.box)) == pytest.approx(tuple(drawn), abs=8)


def test_skew_stays_where_its_correction_is_switched_off(
    recognised: Callable[..., Page], draw: Callable[..., Any]
) -> None:
    image = draw().image.rotate(2.5, resample=Image.Resampling.BICUBIC, fillcolor=255)
    page = recognised(image, ProcessingSettings.parse(export_format="txt", correct_skew=False))
    assert page.skew == 0.0
    assert (page.width, page.height) == image.size
    assert all(line.baseline.angle == pytest.approx(np.radians(2.5), abs=0.01) for line in page.lines)


def test_orientation_stays_where_its_correction_is_switched_off(
    recognised: Callable[..., Page], draw: Callable[..., Any]
) -> None:
    image = draw().image.rotate(180)
    page = recognised(image, ProcessingSettings.parse(export_format="txt", correct_orientation=False))
    assert page.rotation == 0


def ruled_table(rows: list[list[str]]) -> Image.Image:
    image = Image.new("L", (1500, 150 + 70 * len(rows)), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=38)
    columns, bottom = (100, 240, 800, 1080, 1400), 60 + 70 * len(rows)
    for number in range(len(rows) + 1):
        pen.line((columns[0], 60 + 70 * number, columns[-1], 60 + 70 * number), fill=0, width=3)
    for x in columns:
        pen.line((x, 60, x, bottom), fill=0, width=3)
    for number, row in enumerate(rows):
        for text_, left, right in zip(row, columns, columns[1:], strict=False):
            numeric = text_.replace(".", "").isdigit()
            x, anchor = (right - 14, "ra") if numeric else (left + 14, "la")
            pen.text((x, 75 + 70 * number), text_, font=font, fill=0, anchor=anchor)
    return image


def test_digits_of_a_ruled_table_survive(recognised: Callable[..., Page]) -> None:
    names = ("Desk lamp", "Oak shelf", "Paper tray", "Wall clock", "Door sign", "Coat stand", "Chair mat")
    prices = ("102.50", "17.00", "8.75", "246.10", "31.99", "175.25", "64.40")
    rows = [
        [str(10 + n), name, str(3 * n + 2), price]
        for n, (name, price) in enumerate(zip(names, prices, strict=True))
    ]
    page = recognised(ruled_table(rows))
    read = [line.split() for line in page_text(page).splitlines() if line]
    assert [line[-1] for line in read] == list(prices)
    assert [" ".join(line[1:3]) for line in read] == list(names)
    (table,) = [block.table for block in page.blocks if block.table is not None]
    assert (len(table.rows), len(table.columns), len(table.cells)) == (8, 5, 28)
    assert not [block for block in page.blocks if block.type is BlockType.SEPARATOR]


LINES = (
    "Amount payable four hundred euros",
    "Due on the first of March 2026",
    "Account holder Miller and Sons",
    "Reference number 889977",
)


def paper_with(ground: int, shade: int) -> Image.Image:
    """Black lines, and below them a box of one level with lines of another."""
    image = Image.new("L", (1600, 1200), 255)
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=48)
    pen.rectangle((80, 560, 1500, 1000), fill=ground)
    for number, line in enumerate(LINES):
        pen.text((120, 100 + 90 * number), line, font=font, fill=0)
        pen.text((120, 600 + 90 * number), line, font=font, fill=shade)
    return image


@pytest.mark.parametrize(
    ("ground", "shade"),
    [(0, 255), (90, 240), (180, 255), (230, 150), (255, 200), (255, 180), (255, 225)],
    ids=["dark box", "grey box", "light grey box", "grey on grey", "faint", "less faint", "very faint"],
)
def test_light_and_faint_lines_are_read_beside_black_ones(
    recognised: Callable[..., Page], ground: int, shade: int
) -> None:
    page = recognised(paper_with(ground, shade))
    assert [" ".join(word.text for word in line.words) for line in page.lines] == [*LINES, *LINES]


def test_a_white_on_black_page_is_read_like_any_other(
    recognised: Callable[..., Page], draw: Callable[..., Any]
) -> None:
    drawing = draw()
    negative = drawing.image.point(lambda level: 255 - level)
    assert text(recognised(negative)) == drawing.text
    turned = recognised(negative.rotate(90, expand=True))
    assert (text(turned), turned.rotation) == (drawing.text, 90)


def test_the_light_header_row_of_a_table_is_read(recognised: Callable[..., Page]) -> None:
    image = ruled_table(
        [["", "", "", ""], ["11", "Desk lamp", "5", "102.50"], ["12", "Oak shelf", "8", "17.00"]]
    )
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=38)
    pen.rectangle((100, 60, 1400, 130), fill=70)
    for x, title in ((114, "No"), (254, "Article"), (814, "Count"), (1094, "Price")):
        pen.text((x, 75), title, font=font, fill=255)
    read = [line.split() for line in page_text(recognised(image)).splitlines() if line]
    assert read == [
        ["No", "Article", "Count", "Price"],
        ["11", "Desk", "lamp", "5", "102.50"],
        ["12", "Oak", "shelf", "8", "17.00"],
    ]


def test_one_huge_word_is_read(recognised: Callable[..., Page]) -> None:
    image = Image.new("L", (2400, 3300), 255)
    ImageDraw.Draw(image).text((150, 400), "WAR", font=ImageFont.load_default(size=600), fill=0)
    assert text(recognised(image)) == "WAR"


def test_lines_that_nobody_can_read_count_as_low_words(
    recognised: Callable[..., Page], draw: Callable[..., Any]
) -> None:
    image = draw(height=1400).image
    pen = ImageDraw.Draw(image)
    for number in range(12):  # marks of letter size, evenly spaced, that are no letters
        pen.ellipse((200 + 60 * number, 1200, 240 + 60 * number, 1240), outline=0, width=18)
    page = recognised(image)
    assert min(word.confidence for word in page.words if word.box.top > 1100) < LOW_WORD_CONFIDENCE


class ShortSighted(Engine):
    """Reads one line wherever it looks."""

    def read(
        self, grey: Any, *, dpi: float, settings: ProcessingSettings, anything: bool = False
    ) -> list[Block]:
        """The first line of the first block."""
        first = super().read(grey, dpi=dpi, settings=settings, anything=anything)[0]
        line = next(first.lines)
        return [Block(BlockType.TEXT, line.box, (Paragraph((line,)),))]

    def read_lines(self, *_: Any, **__: Any) -> list[Block]:
        """Nothing."""
        return []


def test_a_page_of_which_most_was_not_read_fails(
    tessdata: Tessdata, draw: Callable[..., Any], tmp_path: Path
) -> None:
    draw(["A line of text that stands here"] * 14, height=1300).image.save(tmp_path / "a.png", dpi=(300, 300))
    with pytest.raises(PageError, match="Page 1 is not blank, but most of its text could not be read"):
        recognise(tmp_path / "a.png", TXT, ShortSighted(tessdata.folder))


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (3, 3), (8, 300), (20, 20)])
@pytest.mark.parametrize("shade", [0, 255])
def test_a_page_too_small_for_any_letter_is_blank(
    recognised: Callable[..., Page], size: tuple[int, int], shade: int
) -> None:
    assert recognised(Image.new("L", size, shade)).blocks == ()


@pytest.mark.parametrize("shade", [255, 240])
def test_a_blank_page_is_a_good_page(recognised: Callable[..., Page], shade: int) -> None:
    page = recognised(Image.new("L", (900, 600), shade))
    assert page.blocks == ()


def test_ink_without_words_is_a_failed_page(recognised: Callable[..., Page]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (700, 1600), np.uint8)
    with pytest.raises(PageError, match="Page 1 is not blank, but no word"):
        recognised(Image.fromarray(noise))


def test_a_page_that_is_one_picture_is_a_good_page(recognised: Callable[..., Page]) -> None:
    texture = np.random.default_rng(1).integers(0, 255, (500, 900), np.uint8)
    page = recognised(Image.fromarray(texture))
    assert {block.type for block in page.blocks} == {BlockType.PICTURE}


@pytest.mark.parametrize("wanted", [True, False])
def test_barcodes_are_found_wanted_or_not_and_are_no_text(
    recognised: Callable[..., Page], draw: Callable[..., Any], wanted: bool
) -> None:
    drawing = draw(("Parcel for Miriam Okonkwo",))
    code = zxingcpp.create_barcode("https://example.org/42", zxingcpp.BarcodeFormat.QRCode)
    drawing.image.paste(Image.fromarray(np.asarray(code.to_image(scale=8))), (900, 400))
    page = recognised(drawing.image, ProcessingSettings.parse(export_format="txt", read_barcodes=wanted))
    assert [block.barcode.text for block in page.blocks if block.barcode] == ["https://example.org/42"]
    assert text(page) == drawing.text


@pytest.fixture(params=["drawn", pytest.param("minutes.tif", marks=pytest.mark.long)])
def several_pages(
    request: pytest.FixtureRequest, draw: Callable[..., Any], samples: Path, tmp_path: Path
) -> Path:
    """A document of more than one page."""
    if request.param != "drawn":
        return samples / str(request.param)
    first, *others = (
        draw((line,), height=300).image for line in ("It begins with", "318 ships", "and ends.")
    )
    first.save(tmp_path / "drawn.tif", save_all=True, append_images=others, dpi=(300, 300))
    return tmp_path / "drawn.tif"


def test_a_page_does_not_depend_on_those_before_it(
    engine: Engine, tessdata: Tessdata, several_pages: Path
) -> None:
    with Document([several_pages]) as document:
        assert document.pages == 3
        last = recognise_page(document.page(document.pages), TXT, engine=Engine(tessdata.folder))
    assert last.words
    assert last == recognise(several_pages, TXT, engine)[-1]


class Exhausted(Engine):
    """Has no memory left."""

    def read(self, *_: Any, **__: Any) -> list[Block]:
        """Nothing."""
        raise MemoryError


def test_a_page_that_needs_too_much_memory_says_so(
    tessdata: Tessdata, draw: Callable[..., Any], tmp_path: Path
) -> None:
    draw().image.save(tmp_path / "a.png")
    with pytest.raises(PageMemoryError, match="Page 1 needs more memory than is allowed"):
        recognise(tmp_path / "a.png", TXT, Exhausted(tessdata.folder))
