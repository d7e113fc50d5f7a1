# SPDX-License-Identifier: Apache-2.0
"""A page of a TIFF file as a file of its own."""

from __future__ import annotations

import os
import zlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition import tiff_page
from airflow_provider_ocr.server.recognition.image_file import ImageFile
from airflow_provider_ocr.server.recognition.tiff_page import page_alone
from tests.unit.server import image_kinds
from tests.unit.server.image_kinds import written

NOISE = [Image.effect_noise((120, 90 + n), 60) for n in range(3)]
COMPRESSIONS = ["tiff_lzw", "tiff_adobe_deflate", "group4", "jpeg", "zstd"]


def in_one_file(path: Path, pages: list[Image.Image], compression: str, **options: object) -> Path:
    mode = "1" if compression == "group4" else pages[0].mode
    first, *others = [page.convert(mode) for page in pages]
    first.save(path, "TIFF", save_all=True, append_images=others, compression=compression, **options)
    return path


@pytest.mark.parametrize("big_tiff", [False, True], ids=["classic", "of 64-bit offsets"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_page_looks_alone_as_it_does_among_others(
    tmp_path: Path, compression: str, *, big_tiff: bool
) -> None:
    path = in_one_file(tmp_path / "a.tif", NOISE, compression, big_tiff=big_tiff, dpi=(200, 200))
    with Image.open(path) as opened:
        for number in range(len(NOISE)):
            opened.seek(number)
            file = page_alone(path, opened)
            assert file is not None
            with file, Image.open(file) as alone:
                assert getattr(alone, "n_frames", 1) == 1
                assert alone.info["dpi"] == (200, 200)
                assert np.array_equal(np.asarray(alone), np.asarray(opened))


def test_a_file_with_the_big_end_first_is_taken_apart_too(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tags = {258: (8,) * 3, 259: (8,), 262: (2,), 277: (3,)}
    path.write_bytes(image_kinds.tiff(zlib.compress(os.urandom(2_700)), (30, 30), tags, order=">"))
    with Image.open(path) as opened:
        file = page_alone(path, opened)
        assert file is not None
        with file, Image.open(file) as alone:
            assert np.array_equal(np.asarray(alone), np.asarray(opened))


@pytest.mark.parametrize(
    "content",
    [
        image_kinds.old_style_jpeg(NOISE[0].convert("RGB")),
        written(NOISE[0], "TIFF"),
        written(NOISE[0], "PNG"),
    ],
    ids=["old-style JPEG", "uncompressed", "no TIFF"],
)
def test_what_is_not_found_by_its_page_alone_stays_in_its_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with Image.open(tmp_path / "a") as opened:
        assert page_alone(tmp_path / "a", opened) is None


def test_a_page_of_too_many_bytes_stays_in_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = in_one_file(tmp_path / "a.tif", NOISE, "tiff_lzw")
    monkeypatch.setattr(tiff_page, "_MOST_BYTES", 5_000)
    with Image.open(path) as opened:
        assert page_alone(path, opened) is None


def test_bytes_that_a_file_claims_many_times_are_copied_once(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    claims = {258: (8,), 259: (5,), 262: (1,), 277: (1,), 278: (1,), 273: (8,) * 900, 279: (90_000,) * 900}
    path.write_bytes(image_kinds.tiff(os.urandom(90_000), (10, 900), claims))
    with Image.open(path) as opened:
        file = page_alone(path, opened)
    assert file is not None
    with file:
        assert os.fstat(file.fileno()).st_size <= path.stat().st_size


def test_a_page_of_a_long_file_takes_no_more_memory_than_one_of_a_short_file(tmp_path: Path) -> None:
    pages = [Image.effect_noise((300, 300), 60) for _ in range(200)]
    path = in_one_file(tmp_path / "a.tif", pages, "tiff_lzw")
    assert path.stat().st_size > 20_000_000
    with closing(ImageFile(path)) as opened:
        opened.page(1)
        Path("/proc/self/clear_refs").write_text("5")  # its peak begins anew
        before = memory("VmHWM")
        opened.page(150)
        assert memory("VmHWM") - before < 5_000


def memory(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
