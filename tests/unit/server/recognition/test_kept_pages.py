# SPDX-License-Identifier: Apache-2.0
"""Pages on disk, complete or absent, under a name for what they depend on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Page
from airflow_provider_ocr.server.recognition import kept_pages
from airflow_provider_ocr.server.recognition.kept_pages import KeptPages, recognition_key


def key(**values: Any) -> str:
    return recognition_key(ProcessingSettings.parse(**{"export_format": "txt", **values}))


def test_a_key_is_a_short_name_for_a_folder() -> None:
    assert len(key()) == 16
    assert key().isalnum()


@pytest.mark.parametrize(
    "values",
    [
        {"export_format": "pdfSearchable"},
        {"description": "another"},
        {"pdf_password": "secret"},
        {"write_tags": "dontWrite"},
        {"read_barcodes": True},
        {"export_format": "xml"},
        {"language": "English"},
    ],
)
def test_what_pages_do_not_depend_on_is_not_in_the_key(values: dict[str, Any]) -> None:
    assert key(**values) == key()


def test_what_pages_depend_on_is_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {
        key(),
        key(language="German"),
        key(language="German,English"),
        key(language="English,German"),
        key(profile="textExtraction"),
        key(text_type="gothic"),
        key(image_source="photo"),
        key(correct_orientation=False),
        key(correct_skew=False),
        key(export_format="xml", write_recognition_variants=True),
    }
    monkeypatch.setattr(kept_pages, "__version__", "another")
    assert len({*keys, key()}) == 11


def test_pages_are_kept_in_any_order(tmp_path: Path, make_page: Callable[..., Page]) -> None:
    kept = KeptPages(tmp_path)
    assert kept.numbers() == frozenset()
    for number in (12, 3):
        kept.keep(make_page(number=number), pages=20)
    assert KeptPages(tmp_path).numbers() == {3, 12}
    assert kept.read(12) == (make_page(number=12), 20)
    assert {path.name for path in tmp_path.iterdir()} == {"3.page", "12.page"}


def test_what_a_process_left_that_died_does_not_count(tmp_path: Path) -> None:
    for name in ("3.page.4711", "x.page", "-1.page", "\N{SUPERSCRIPT TWO}.page", "notes"):
        (tmp_path / name).write_bytes(b"half a page")
    assert KeptPages(tmp_path).numbers() == frozenset()


def test_an_absent_page_and_a_damaged_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        KeptPages(tmp_path).read(1)
    (tmp_path / "1.page").write_bytes(b"")
    with pytest.raises(ValueError, match="not a kept page"):
        KeptPages(tmp_path).read(1)


def test_failures_are_marked_and_forgotten_with_their_pictures(
    tmp_path: Path, make_page: Callable[..., Page]
) -> None:
    kept = KeptPages(tmp_path)
    kept.keep(make_page(number=1), pages=3)
    kept.mark_failed(2)
    kept.mark_failed(3)
    kept.keep(make_page(number=2), pages=3)
    assert (kept.failures(), kept.numbers()) == ({2, 3}, {1, 2})
    kept.forget_failures()
    assert (kept.failures(), kept.numbers()) == (frozenset(), {1})


def test_marking_follows_no_link_that_a_process_made(tmp_path: Path) -> None:
    (tmp_path / "2.failed").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        KeptPages(tmp_path).mark_failed(2)
    assert not (tmp_path / "elsewhere").exists()


def test_counting_pages_loads_no_engine() -> None:
    program = "import sys, airflow_provider_ocr.server.workers.children; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(loaded.stdout.split())
    assert "airflow_provider_ocr.server.recognition.kept_pages" in modules
    assert modules.isdisjoint({"tesserocr", "cv2", "numpy", "PIL", "pypdfium2", "pikepdf", "zxingcpp"})


def test_a_key_can_be_made_where_no_engine_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    with_engine = key()
    monkeypatch.setattr(kept_pages, "version", missing)
    kept_pages._engine_version.cache_clear()
    try:
        assert len(key()) == 16
        assert key() != with_engine
    finally:
        kept_pages._engine_version.cache_clear()
