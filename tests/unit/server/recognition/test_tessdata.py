# SPDX-License-Identifier: Apache-2.0
"""The data of the installed wheels and of the user, in one folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from font_source_sans_pro import SourceSansPro
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.tessdata import Tessdata, gather_tessdata


def test_the_installed_wheels_read_english_and_german(tessdata: Tessdata) -> None:
    assert {"English", "German"} <= tessdata.languages
    assert "osd" not in tessdata.codes
    assert (tessdata.folder / "osd.traineddata").stat().st_size > 0


def test_languages_without_data_are_named_in_order(tessdata: Tessdata) -> None:
    assert tessdata.unreadable(["Polish", "English", "Digits"]) == ["Polish", "Digits"]


def test_the_users_own_data_win_over_a_wheels(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for name in ("eng", "pol"):
        (own / f"{name}.traineddata").write_bytes(b"own")
    found = gather_tessdata(tmp_path / "links", more=[own])
    assert "Polish" in found.languages
    assert (found.folder / "eng.traineddata").read_bytes() == b"own"


def test_gathering_again_follows_what_has_changed(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    gather_tessdata(tmp_path / "links")
    (own / "eng.traineddata").write_bytes(b"new")
    found = gather_tessdata(tmp_path / "links", more=[own])
    assert (found.folder / "eng.traineddata").read_bytes() == b"new"
    assert gather_tessdata(tmp_path / "links").codes == Tessdata.of(tmp_path / "links").codes


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        gather_tessdata(tmp_path / "links", more=[tmp_path / "nowhere"])


@pytest.mark.parametrize(
    ("language", "code", "text"),
    [
        (
            "French",
            "fra",
            ("L'élève était très zélé, même le jour", "où la leçon sur les forêts fut donnée."),
        ),
        # The engine's data have a micro sign where Greek has a letter.
        ("Greek", "ell", ("γράμμα", "ημέρα", "μήνα")),
    ],
    ids=["French", "Greek"],
)
def test_a_language_is_read_with_debians_data(
    tmp_path: Path, language: str, code: str, text: tuple[str, ...]
) -> None:
    file = next(Path("/usr/share/tesseract-ocr").glob(f"*/tessdata/{code}.traineddata"), None)
    if file is None:
        pytest.skip(f"{language} is not installed: apt install tesseract-ocr-{code}")
    found = gather_tessdata(tmp_path / "links", more=[file.parent])
    accented = ImageFont.truetype(SourceSansPro, 48)
    page = Image.new("L", (1500, 500), 255)
    for row, line in enumerate(text):
        ImageDraw.Draw(page).text((100, 100 + 90 * row), line, font=accented, fill=0)
    settings = ProcessingSettings.parse(language=language)
    blocks = Engine(found.folder).read(np.asarray(page), dpi=300, settings=settings)
    words = [word.text for block in blocks for line in block.lines for word in line.words]
    assert " ".join(words) == " ".join(text)
