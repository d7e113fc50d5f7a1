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
from airflow_provider_ocr.server.document import BlockType, Box, Page
from airflow_provider_ocr.server.export.txt import page_text
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.errors import RecognitionError
from airflow_provider_ocr.server.recognition.pages import recognise

TXT = ProcessingSettings.parse(export_format="txt")


@pytest.fixture
def recognised(engine: Engine, tmp_path: Path) -> Callable[..., Page]:
    """Recognises one drawn page."""

    def one_page(image: Image.Image, settings: ProcessingSettings = TXT, **options: Any) -> Page:
        image.save(tmp_path / "image.png", dpi=(300, 300))
        ((page, _),) = recognise(tmp_path / "image.png", settings, engine=engine, **options)
        return page

    return one_page


@pytest.mark.parametrize(
    ("name", "language"), [("letter.jpg", "English"), ("rechnung.pdf", "German"), ("minutes.tif", "English")]
)
def test_a_sample_scan_is_read_with_at_most_two_per_cent_of_errors(
    engine: Engine, samples: Path, name: str, language: str
) -> None:
    settings = ProcessingSettings.parse(export_format="txt", language=language)
    read = "".join(page_text(page) for page, _ in recognise(samples / name, settings, engine=engine)).split()
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
    assert len([block for block in page.blocks if block.type is BlockType.SEPARATOR]) == 13


@pytest.mark.parametrize("shade", [255, 240])
def test_a_blank_page_is_a_good_page(recognised: Callable[..., Page], shade: int) -> None:
    page = recognised(Image.new("L", (900, 600), shade))
    assert page.blocks == ()


def test_ink_without_words_is_a_failed_page(recognised: Callable[..., Page]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (700, 1600), np.uint8)
    with pytest.raises(RecognitionError, match="Page 1 is not blank, but no word"):
        recognised(Image.fromarray(noise))


def test_a_page_that_is_one_picture_is_a_good_page(recognised: Callable[..., Page]) -> None:
    texture = np.random.default_rng(1).integers(0, 255, (500, 900), np.uint8)
    page = recognised(Image.fromarray(texture))
    assert {block.type for block in page.blocks} == {BlockType.PICTURE}


@pytest.mark.parametrize(("wanted", "count"), [(True, 1), (False, 0)])
def test_barcodes_are_read_only_where_wanted(
    recognised: Callable[..., Page], draw: Callable[..., Any], wanted: bool, count: int
) -> None:
    drawing = draw(("Parcel for Miriam Okonkwo",))
    code = zxingcpp.create_barcode("https://example.org/42", zxingcpp.BarcodeFormat.QRCode)
    drawing.image.paste(Image.fromarray(np.asarray(code.to_image(scale=8))), (900, 400))
    page = recognised(drawing.image, ProcessingSettings.parse(export_format="txt", read_barcodes=wanted))
    found = [block.barcode.text for block in page.blocks if block.barcode]
    assert found == ["https://example.org/42"] * count
    assert text(page).startswith(drawing.text)
    assert (text(page) == drawing.text) or not wanted


def test_the_corrected_image_is_kept_where_asked(
    recognised: Callable[..., Page], draw: Callable[..., Any], tmp_path: Path
) -> None:
    page = recognised(draw().image.rotate(90, expand=True), image_folder=tmp_path)
    assert page.image is not None
    with Image.open(page.image) as kept:
        assert kept.size == (page.width, page.height)
        assert kept.size[0] > kept.size[1]


def test_each_page_comes_with_the_number_of_all(
    engine: Engine, draw: Callable[..., Any], tmp_path: Path
) -> None:
    first, second = draw(("The first page of two",)).image, draw(("The second page of two",)).image
    first.save(tmp_path / "a.tif", save_all=True, append_images=[second], dpi=(300, 300))
    pages = recognise(tmp_path / "a.tif", TXT, engine=engine)
    assert [(page.number, count, text(page)) for page, count in pages] == [
        (1, 2, "The first page of two"),
        (2, 2, "The second page of two"),
    ]
