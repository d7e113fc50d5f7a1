# SPDX-License-Identifier: Apache-2.0
"""The typefaces of drawn pages: those that are installed of a list of freely licensed families."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

from PIL import ImageFont

PROPORTIONAL = (
    *("Liberation Serif", "Liberation Sans", "Liberation Sans Narrow", "DejaVu Serif", "DejaVu Sans"),
    *("Noto Serif", "Noto Sans"),
)
TYPEWRITER = ("Courier Prime", "Liberation Mono", "DejaVu Sans Mono")
MATRIX = ("DejaVu Sans Mono", "Liberation Mono")
"""Of these the dots of a printer's letters are taken."""
OCR_A = ("OCRA",)
OCR_B = ("OCR B",)

_FEWEST_FAMILIES = 6
_REGULAR = ("Regular", "Book", "Medium")  # the first of them that a family has


class TypefaceMissingError(Exception):
    """Pages cannot be drawn as they are meant to be; the text says what to install."""


def installed(families: tuple[str, ...]) -> list[str]:
    """Those of the families that are installed.

    :raises TypefaceMissingError: if none is.
    """
    found = [family for family in families if family in _files()]
    if not found:
        raise TypefaceMissingError(f"Install one of these typefaces, so that fc-list shows it: {families}.")
    return found


def proportional() -> list[str]:
    """The proportional families that are installed.

    :raises TypefaceMissingError: if there are fewer than six: pages would look too much alike.
    """
    found = installed(PROPORTIONAL)
    if len(found) < _FEWEST_FAMILIES:
        raise TypefaceMissingError(
            f"Only {', '.join(found)} are installed; install {_FEWEST_FAMILIES} of {', '.join(PROPORTIONAL)}."
        )
    return found


@cache
def typeface(family: str, pixels: int) -> ImageFont.FreeTypeFont:
    """A family's regular face.

    :param family: one that is installed.
    :param pixels: its size.
    """
    return ImageFont.truetype(_files()[family], pixels)


@cache
def _files() -> dict[str, str]:
    """The file of each installed family's regular face."""
    program = shutil.which("fc-list")
    if program is None:
        raise TypefaceMissingError("Install fontconfig: its program fc-list finds the typefaces.")
    command = [program, "--format", "%{family[0]}\t%{style[0]}\t%{file}\n"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - nobody's input
    fields = [line.split("\t") for line in sorted(listed.stdout.splitlines())]
    files: dict[str, str] = {}
    # OCR B has faces whose names end alike but whose letters are hollow or white: the first is plain.
    for wanted in _REGULAR:
        for family, style, file in fields:
            if style == wanted:
                files.setdefault(family, file)
    return files
