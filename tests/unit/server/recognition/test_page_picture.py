# SPDX-License-Identifier: Apache-2.0
"""What a result file shows of a page is the page as it was read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.document import BlockType, Box
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.input import Document
from airflow_provider_ocr.server.recognition.page_picture import picture_page, with_images
from airflow_provider_ocr.server.recognition.pages import recognise_page

TXT = ProcessingSettings.parse(export_format="txt")


@pytest.mark.parametrize(
    ("mode", "suffix", "turn"),
    [
        ("1", ".tif", 0.0),
        ("L", ".jpg", 90.0),
        ("RGB", ".jpg", 182.5),
        pytest.param("1", ".tif", 90.0, marks=pytest.mark.long),
        pytest.param("1", ".tif", 182.5, marks=pytest.mark.long),
        pytest.param("L", ".jpg", 0.0, marks=pytest.mark.long),
        pytest.param("L", ".jpg", 182.5, marks=pytest.mark.long),
        pytest.param("RGB", ".jpg", 0.0, marks=pytest.mark.long),
        pytest.param("RGB", ".jpg", 90.0, marks=pytest.mark.long),
    ],
)
def test_the_image_is_made_again_as_the_words_lie_on_it(
    *, engine: Engine, draw: Callable[..., Any], tmp_path: Path, turn: float, mode: str, suffix: str
) -> None:
    image = draw().image.rotate(turn, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)
    image = image.convert(mode)
    if mode == "L":
        image.putpixel((1, 1), 128)
    if mode == "RGB":
        image.paste((255, 0, 0), (0, 0, 9, 9))
    image.save(tmp_path / "a.png", dpi=(300, 300))
    with Document([tmp_path / "a.png"]) as document:
        page = recognise_page(document.page(1), TXT, engine=engine)
        shown = with_images(page, document, formats=[ExportFormat.PDF_SEARCHABLE], folder=tmp_path)
    assert shown.image is not None
    assert shown.image.suffix == suffix
    with Image.open(shown.image) as opened:
        assert opened.size == (page.width, page.height)
        grey = np.asarray(opened.convert("L"))
    for word in page.words:
        box = word.box
        assert grey[box.top : box.bottom, box.left : box.right].min() < 64
        grey = grey.copy()
        grey[box.top - 6 : box.bottom + 6, box.left - 6 : box.right + 6] = 255
    assert np.mean(grey < 128) < 0.003


def test_a_page_that_failed_is_one_picture(tmp_path: Path) -> None:
    Image.new("L", (300, 200), 255).save(tmp_path / "a.png", dpi=(100, 100))
    with Document([tmp_path / "a.png"]) as document:
        page = picture_page(document.page(1))
    assert page.failed
    assert [(block.type, block.box) for block in page.blocks] == [(BlockType.PICTURE, Box(0, 0, 300, 200))]
    assert (page.original_width, page.original_height, page.rotation) == (300, 200, 0)
    assert page.dpi == pytest.approx(100, abs=0.1)
