# SPDX-License-Identifier: Apache-2.0
"""Which typeface a character is shown in: one that comes with the server, else one that the system has.

The system is asked when a document has a character that the first does not show, and only once.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from fontTools.ttLib import TTLibError  # type: ignore[import-untyped]  # fontTools carries no types

from airflow_provider_ocr.server.export.typeface import Typeface

_LISTED = ":scalable=true:slant=0:weight=80:width=100"  # regular faces
_FIELDS = "%{file}\t%{index}\t%{charset}\n"
_PREFERRED = ("NotoSans", "DejaVuSans", "Noto", "DejaVu")  # how their files' names begin
_NUMBERS_OF_FACES = 0xFFFF  # above, the index tells which variant of a variable font is meant


@dataclass(frozen=True, slots=True)
class InstalledFont:
    """A font of the system.

    :param number: which face of a collection.
    :param characters: code points that it shows.
    """

    path: Path
    number: int
    characters: tuple[range, ...]

    def shows(self, character: str) -> bool:
        """Whether it has a shape for the character."""
        return any(ord(character) in part for part in self.characters)


def installed_fonts() -> list[InstalledFont]:
    """The fonts that fontconfig knows, those first that go best with others; none where it is missing."""
    program = shutil.which("fc-list")
    if program is None:
        return []
    command = [program, _LISTED, "--format", _FIELDS]
    listed = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - nobody's input
    return sorted(_fonts(listed.stdout), key=_preference)


class Typefaces:
    """Finds and keeps the typefaces of one document.

    :param installed: lists the fonts of the system.
    """

    def __init__(self, installed: Callable[[], list[InstalledFont]] = installed_fonts) -> None:
        self._installed = installed
        self._listed: list[InstalledFont] | None = None
        self._opened: dict[InstalledFont, Typeface | None] = {}
        self._found: dict[str, Typeface | None] = {}
        with as_file(files("fontpkg_noto_sans") / "files" / "NotoSans[wdth,wght].ttf") as path:
            self.base = Typeface(path)

    def of(self, character: str) -> Typeface | None:
        """What shows the character; None where nothing does.

        :param character: one code point.
        """
        if character not in self._found:
            self._found[character] = self.base if self.base.shows(character) else self._of_system(character)
        return self._found[character]

    def _of_system(self, character: str) -> Typeface | None:
        if self._listed is None:
            self._listed = self._installed()
        for font in self._listed:
            if font.shows(character):
                typeface = self._typeface(font)
                if typeface is not None and typeface.shows(character):
                    return typeface
        return None

    def _typeface(self, font: InstalledFont) -> Typeface | None:
        if font not in self._opened:
            try:
                self._opened[font] = Typeface(font.path, font.number)
            except (OSError, ValueError, TTLibError):  # another of the system's fonts may do
                self._opened[font] = None
        return self._opened[font]


def _fonts(listed: str) -> Iterator[InstalledFont]:
    for line in listed.splitlines():
        path, number, characters = line.split("\t")
        parts = (part.split("-") for part in characters.split())
        ranges = tuple(range(int(part[0], 16), int(part[-1], 16) + 1) for part in parts)
        yield InstalledFont(Path(path), int(number) & _NUMBERS_OF_FACES, ranges)


def _preference(font: InstalledFont) -> tuple[int, str, int]:
    name = font.path.name
    place = next((place for place, start in enumerate(_PREFERRED) if name.startswith(start)), len(_PREFERRED))
    return place, str(font.path), font.number
