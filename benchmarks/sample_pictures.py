# SPDX-License-Identifier: Apache-2.0
"""The sample scans beside what became of them, as pictures for the documentation.

    python -m benchmarks.sample_pictures    a minute; renews docs/pictures

The first page of each scan, and its results as other people's programs show them: office files as
LibreOffice prints them, PDF files as pdfium draws them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pypdfium2
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from benchmarks.libreoffice import convert
from benchmarks.recognising import recogniser

_ROOT = Path(__file__).parents[1]
_SAMPLES = _ROOT / "demo" / "samples"
_PICTURES = _ROOT / "docs" / "pictures"

_SHOWN: Mapping[str, tuple[str, tuple[ExportFormat, ...]]] = {
    "letter.jpg": ("English", (ExportFormat.DOCX, ExportFormat.PDF_TEXT_AND_IMAGES)),
    "minutes.tif": ("English", (ExportFormat.RTF, ExportFormat.PDF_TEXT_AND_IMAGES)),
    "receipt.png": ("English", (ExportFormat.DOCX, ExportFormat.PDF_TEXT_AND_IMAGES)),
    "rechnung.pdf": ("German", (ExportFormat.DOCX, ExportFormat.XLSX)),
}
_HEIGHT = 760
_GAP = 16
_TITLE = 30
_GROUND, _INK = 225, 40
_COLOURS = 48  # enough for paper, ink and a logo, and a third of the bytes


def _first_page(file: Path) -> Image.Image:
    """The first page of an image or PDF file."""
    if file.suffix != ".pdf":
        with Image.open(file) as opened:
            return opened.convert("RGB")
    page = pypdfium2.PdfDocument(file)[0]
    return page.render(scale=2 * _HEIGHT / page.get_height()).to_pil().convert("RGB")


def _shown(file: Path, folder: Path) -> Image.Image:
    """The first page of a result, as another program shows it."""
    if file.suffix == ".pdf":
        return _first_page(file)
    convert([file], "pdf", folder)
    return _first_page(folder / "converted" / f"{file.stem}.pdf")


def _beside(panels: Mapping[str, Image.Image]) -> Image.Image:
    """The pages side by side, equally high, each with its title."""
    pages = {
        title: page.resize((round(page.width * _HEIGHT / page.height), _HEIGHT), Image.Resampling.LANCZOS)
        for title, page in panels.items()
    }
    width = sum(page.width for page in pages.values()) + _GAP * (len(pages) + 1)
    picture = Image.new("RGB", (width, _TITLE + _HEIGHT + _GAP), (_GROUND,) * 3)
    draw, font, left = ImageDraw.Draw(picture), ImageFont.load_default(size=16), _GAP
    for title, page in pages.items():
        draw.text((left, _TITLE // 2), title, font=font, fill=(_INK,) * 3, anchor="lm")
        picture.paste(page, (left, _TITLE))
        left += page.width + _GAP
    return picture


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the pictures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sample_pictures", description=__doc__)
    parser.parse_args(arguments)
    _PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, recogniser(Path(name), scans=_SAMPLES, workers=2) as at:
        folder = Path(name)
        asked = [
            (_SAMPLES / sample, ProcessingSettings.parse(language=language, export_format=",".join(formats)))
            for sample, (language, formats) in _SHOWN.items()
        ]
        for (scan, settings), found in zip(asked, at.recognise(asked), strict=True):
            panels = {f"{scan.name}, as scanned": _first_page(scan)}
            for export_format in settings.export_format:
                result = folder / f"{scan.stem}-{export_format}{export_format.file_type.extension}"
                result.write_bytes(found.results[export_format])
                panels[str(export_format.value)] = _shown(result, folder)
            picture = _beside(panels).quantize(_COLOURS, dither=Image.Dither.NONE)
            picture.save(_PICTURES / f"{scan.stem}.png", optimize=True)
            print(_PICTURES / f"{scan.stem}.png")  # noqa: T201 - what was made
    return 0


if __name__ == "__main__":
    sys.exit(main())
