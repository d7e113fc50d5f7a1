# SPDX-License-Identifier: Apache-2.0
"""One page with text, a ruled table, a picture with text in it and a barcode, under each profile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import Profile
from airflow_provider_ocr.server.document import BlockType, Page
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.pages import recognise_page
from airflow_provider_ocr.server.recognition.profiles import findings_of

PICTURE = (200, 1150, 1000, 1750)
SIGN = "OPEN DAILY"


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = Image.new("L", (1700, 2300), 255)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(size=44)
    for row, line in enumerate(("Our shop sells bread and honey", "to everybody who comes by.")):
        pen.text((200, 150 + 75 * row), line, font=font, fill=0)
    for column, row in ((column, row) for column in range(2) for row in range(3)):
        box = (200 + 500 * column, 500 + 120 * row, 700 + 500 * column, 620 + 120 * row)
        pen.rectangle(box, outline=0, width=3)
        pen.text(
            (box[0] + 30, box[1] + 35), f"{('Price', 'Total')[column]} {11 * row + 24}", font=font, fill=0
        )
    rough = np.random.default_rng(7).normal(size=(60, 80))
    shades = Image.fromarray((96 + 40 * rough).clip(0, 190).astype(np.uint8)).resize((800, 600))
    page.paste(shades, PICTURE[:2])
    pen.rectangle((400, 1350, 820, 1500), fill=255)
    pen.text((440, 1395), SIGN, font=font, fill=0)
    code = zxingcpp.create_barcode("A-42", zxingcpp.BarcodeFormat.QRCode)
    page.paste(Image.fromarray(np.asarray(code.to_image(scale=8))), (1200, 1900))
    path = tmp_path_factory.mktemp("scan") / "page.png"
    page.save(path, dpi=(300, 300))
    return path


@pytest.fixture(scope="module")
def under(scan: Path, engine: Engine) -> Callable[[Profile], Page]:
    def recognised(profile: Profile) -> Page:
        with Document([scan]) as document:
            settings = ProcessingSettings.parse(profile=profile, export_format="xml")
            return recognise_page(document.page(1), settings, engine=engine)

    return recognised


@pytest.mark.parametrize(
    ("profile", "types", "reads_sign"),
    [
        (Profile.DOCUMENT_CONVERSION, {"Text", "Table", "Picture", "Barcode"}, False),
        (Profile.DOCUMENT_ARCHIVING, {"Text", "Table", "Picture", "Barcode"}, True),
        (Profile.TEXT_EXTRACTION, {"Text", "Barcode"}, True),
        (Profile.BARCODE_RECOGNITION, {"Barcode"}, False),
    ],
    ids=lambda value: value.value if isinstance(value, Profile) else "",
)
def test_a_profile_finds_what_it_is_for(
    under: Callable[[Profile], Page], profile: Profile, types: set[str], reads_sign: bool
) -> None:
    page = under(profile)
    text = " ".join(word.text for word in page.words)
    assert {block.type.value for block in page.blocks} - {BlockType.SEPARATOR.value} == types
    assert (SIGN in text) == reads_sign
    assert ("bread and honey" in text) == ("Text" in types)
    assert ("Total 46" in text) == ("Text" in types)


def test_every_profile_that_is_carried_out_says_what_it_finds() -> None:
    assert all(findings_of(profile) for profile in set(Profile) - {Profile.FIELD_LEVEL_RECOGNITION})
