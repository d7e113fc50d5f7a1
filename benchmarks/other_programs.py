# SPDX-License-Identifier: Apache-2.0
"""Other people's programs: what the results are compared with, and what opens them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.libreoffice import convert


class ProgramMissingError(Exception):
    """A program that is compared with is not installed; the text says which."""


def run(name: str, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> bytes:
    """What a program writes to its standard output.

    :param name: of the program, to be found on the path.
    :param environment: besides the environment of this process.
    :raises ProgramMissingError: if it is not installed.
    :raises subprocess.CalledProcessError: if it fails.
    """
    program = shutil.which(name)
    if program is None:
        raise ProgramMissingError(f"Install {name}: results are compared with, or opened by, it.")
    command = [program, *map(str, arguments)]
    # Its threads would only be in each other's way: with two cores it takes three times as long.
    around = {**os.environ, "OMP_THREAD_LIMIT": "1", **(environment or {})}
    return subprocess.run(command, check=True, capture_output=True, env=around).stdout  # noqa: S603 - ours


def tesseract(image: Path, *, codes: Sequence[str]) -> str:
    """What the ``tesseract`` command line reads, with the page's orientation detected.

    :param codes: the engine's names of the languages.
    """
    read = run("tesseract", image, "stdout", "--psm", "1", "-l", "+".join(codes))
    return read.decode("utf-8", "replace")


def tesseract_files(image: Path, output: Path, *, codes: Sequence[str]) -> None:
    """Have ``tesseract`` write text and a searchable PDF, with the page's orientation detected.

    :param output: the files' name, without an extension.
    """
    run("tesseract", image, output, "--psm", "1", "-l", "+".join(codes), "txt", "pdf")


def ocrmypdf(pdf: Path, output: Path, *, codes: Sequence[str], processes: int) -> None:
    """Have ``ocrmypdf`` write a searchable PDF, and its text beside it, of upright and straight pages.

    :param output: the PDF; the text's extension is ``.txt``.
    """
    wanted = ("--rotate-pages", "--deskew", "--sidecar", output.with_suffix(".txt"))
    run("ocrmypdf", f"-j{processes}", "-l", "+".join(codes), *wanted, pdf, output)


def pdftotext(pdf: Path) -> str:
    """The text of a PDF as Poppler gives it."""
    return run("pdftotext", pdf, "-").decode("utf-8", "replace")


def office_texts(files: Sequence[Path], folder: Path) -> list[str]:
    """The text of each file as LibreOffice gives it.

    :param folder: for LibreOffice's profile and what it writes.
    """
    if files:
        convert(files, "txt:Text (encoded):UTF8", folder)
    converted = (folder / "converted" / file.with_suffix(".txt").name for file in files)
    return [file.read_text("utf-8-sig") for file in converted]
