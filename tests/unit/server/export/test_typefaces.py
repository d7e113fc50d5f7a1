# SPDX-License-Identifier: Apache-2.0
"""Every character is shown in the first typeface that has it, and a bad font file is passed over."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_provider_ocr.server.export.typefaces import InstalledFont, Typefaces, installed_fonts

BASE = Typefaces(list).base
HEBREW = range(0x590, 0x600)


def none() -> list[InstalledFont]:
    return []


@pytest.mark.parametrize("text", ["Łódź", "Ελλάδα", "Москва", "Ţară", "Việt", "žluťoučký", "№½€—•“”"])
def test_the_scripts_of_europe_need_no_font_of_the_system(text: str) -> None:
    typefaces = Typefaces(none)
    assert {typefaces.of(character) for character in text} == {typefaces.base}


def test_what_no_font_has_has_none() -> None:
    assert Typefaces(none).of("א") is None


def test_the_system_is_asked_once_and_only_when_it_has_to_be() -> None:
    asked = []

    def installed() -> list[InstalledFont]:
        asked.append(1)
        return []

    typefaces = Typefaces(installed)
    assert typefaces.of("a")
    assert asked == []
    assert (typefaces.of("א"), typefaces.of("ب")) == (None, None)
    assert asked == [1]


def test_a_file_that_is_no_font_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "bad.ttf").write_bytes(b"no font")
    bad = InstalledFont(tmp_path / "bad.ttf", 0, (HEBREW,))
    gone = InstalledFont(tmp_path / "gone.ttf", 0, (HEBREW,))
    assert Typefaces(lambda: [bad, gone]).of("א") is None


@pytest.mark.skipif(shutil.which("fc-list") is None, reason="fontconfig (fc-list) is not installed")
def test_fonts_are_found_without_an_environment() -> None:
    """Recognition processes, which write the files, have none."""
    code = (
        "from airflow_provider_ocr.server.export.typefaces import installed_fonts; "
        "print(len(installed_fonts()))"
    )
    counted = subprocess.run(
        [sys.executable, "-c", code], env={}, capture_output=True, check=True, timeout=60
    )
    assert int(counted.stdout) == len(installed_fonts())


def test_there_are_none_without_fontconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed_fonts() == []


def test_extents_are_those_of_the_letters() -> None:
    high, low = BASE.extent("l"), BASE.extent("p")
    assert 0.7 < high.top < 0.8
    assert high.bottom == 0
    assert low.bottom < -0.2
    assert 0 < high.advance < low.advance < 1
    assert BASE.extent(" ").top == BASE.extent(" ").bottom == 0
