# SPDX-License-Identifier: Apache-2.0
"""Pages are billed by their area."""

from __future__ import annotations

from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition.errors import PageError, PasswordError
from airflow_provider_ocr.server.recognition.measurement import billed_pages, measure
from tests.unit.server import image_kinds


@pytest.mark.parametrize(
    ("width", "height", "billed"),
    [
        (8.27, 11.69, 1),  # A4
        (8.5, 11.0, 1),  # Letter
        (8.5, 14.0, 1),  # Legal
        (3.5, 2.0, 1),
        (0.0, 0.0, 1),
        (11.69, 16.54, 2),  # A3
        (11.6, 16.5, 1),  # more than one per cent less
        (16.54, 23.39, 4),  # A2
        (33.11, 46.81, 16),  # A0
        (8.27, 3 * 11.69, 3),
    ],
)
def test_a_page_is_billed_as_so_many_of_a4(width: float, height: float, billed: int) -> None:
    assert billed_pages(width, height) == billed
    assert billed_pages(height, width) == billed


@pytest.mark.parametrize(
    ("size", "dpi", "billed"),
    [
        ((2480, 3508), 300, 1),
        ((4960, 3508), 300, 2),
        ((4960, 7016), 600, 1),
        ((3000, 4000), None, 1),  # a photo that does not say how large it is
        ((3000, 4000), 1, 1),
        ((1654, 2339), 100, 4),
        ((3508, 4961), None, 2),  # what A3 has at 300 dpi
    ],
)
def test_images_are_measured_by_a_believable_resolution(
    tmp_path: Path, size: tuple[int, int], dpi: int | None, billed: int
) -> None:
    options = {"dpi": (dpi, dpi)} if dpi else {}
    Image.new("1", size).save(tmp_path / "a.png", **options)  # type: ignore[arg-type]  # one option or none
    assert measure([tmp_path / "a.png"]) == (1, billed)


def test_all_pages_of_all_files_count(tmp_path: Path) -> None:
    frames = [Image.new("1", (827, 1169)), Image.new("1", (1654, 1169))]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:], dpi=(100, 100))
    with pikepdf.new() as pdf:
        for size in ((595, 842), (842, 1191)):
            pdf.add_blank_page(page_size=size)
        pdf.save(tmp_path / "b.pdf", encryption=pikepdf.Encryption(user="secret", owner="owner"))
    assert measure([tmp_path / "a.tif", tmp_path / "b.pdf"], password="secret") == (4, 6)
    with pytest.raises(PasswordError, match=r"^Image 2: "):
        measure([tmp_path / "a.tif", tmp_path / "b.pdf"])


def test_a_page_beyond_a_limit_is_found_by_measuring(tmp_path: Path) -> None:
    Image.new("1", (9, 9)).save(tmp_path / "a.png")
    claim = image_kinds.tiff(bytes(16), (18_000, 18_000), {258: (1,), 259: (4,), 262: (0,)})
    (tmp_path / "b.tif").write_bytes(claim)
    with pytest.raises(PageError, match="Image 2: Page 1 has more than 300 million pixels"):
        measure([tmp_path / "a.png", tmp_path / "b.tif"])
