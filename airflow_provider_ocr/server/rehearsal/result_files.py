# SPDX-License-Identifier: Apache-2.0
"""Small valid files of every export format that say a given text, made without any library for them."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape

from airflow_provider_ocr import __version__
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.export.rtf_text import rtf_text
from airflow_provider_ocr.server.rehearsal.office_files import docx, pptx, xlsx
from airflow_provider_ocr.server.rehearsal.pdf_file import pdf

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_FINE_READER = "http://www.abbyy.com/FineReader_xml/FineReader10-schema-v1.xml"
_ALTO = "http://www.loc.gov/standards/alto/ns-v2#"
_WIDTH, _HEIGHT, _DPI = 1240, 1754, 150  # A4
_LETTER_WIDTH, _LINE_HEIGHT, _MARGIN = 12, 24, 100  # pixels


def result_content(export_format: ExportFormat, pages: Sequence[str]) -> bytes:
    """A file of a format.

    :param pages: the text of each page; there is at least one.
    """
    return _WRITERS[export_format]([_printable(page).splitlines() for page in pages])


Pages = Sequence[Sequence[str]]
"""The lines of each page."""


def _printable(text: str) -> str:
    """A text without the control characters that no XML document can have."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")


def _txt(pages: Pages) -> bytes:
    texts = ["".join(f"{line}\n" for line in page) for page in pages]
    return codecs.BOM_UTF8 + "\f".join(texts).rstrip("\f").encode()


def _rtf(pages: Pages) -> bytes:
    breaks = "\\page\n".join("".join(f"{rtf_text(line)}\\par\n" for line in page) for page in pages)
    return f"{{\\rtf1\\ansi\\deff0{{\\fonttbl{{\\f0 Arial;}}}}\n{breaks}}}".encode("ascii")


def _xml(pages: Pages, *, original_coordinates: bool = True) -> bytes:
    coordinates = ' originalCoords="1"' if original_coordinates else ""
    shown = "".join(
        f'<page width="{_WIDTH}" height="{_HEIGHT}" resolution="{_DPI}"{coordinates}>{_block(page)}</page>'
        for page in pages
    )
    return (
        codecs.BOM_UTF8
        + (
            f'{_DECLARATION}<document xmlns="{_FINE_READER}" version="1.0" '
            f'producer="airflow-provider-ocr {__version__}" pagesCount="{len(pages)}">{shown}</document>'
        ).encode()
    )


def _block(page: Sequence[str]) -> str:
    if not page:
        return ""
    right, bottom = _MARGIN + max(map(len, page)) * _LETTER_WIDTH, _MARGIN + len(page) * _LINE_HEIGHT
    box = f'l="{_MARGIN}" t="{_MARGIN}" r="{right}" b="{bottom}"'
    lines = "".join(_xml_line(line, _MARGIN + place * _LINE_HEIGHT) for place, line in enumerate(page))
    return (
        f'<block blockType="Text" {box}><region><rect {box}/></region><text><par>{lines}</par></text></block>'
    )


def _xml_line(line: str, top: int) -> str:
    bottom = top + _LINE_HEIGHT
    characters = "".join(
        f'<charParams l="{left}" t="{top}" r="{left + _LETTER_WIDTH}" b="{bottom}">'
        f"{escape(character)}</charParams>"
        for left, character in _placed(line)
    )
    right = _MARGIN + len(line) * _LETTER_WIDTH
    return (
        f'<line baseline="{bottom}" l="{_MARGIN}" t="{top}" r="{right}" b="{bottom}">'
        f'<formatting lang="EnglishUnitedStates">{characters}</formatting></line>'
    )


def _placed(line: str) -> list[tuple[int, str]]:
    return [(_MARGIN + place * _LETTER_WIDTH, character) for place, character in enumerate(line)]


def _alto(pages: Pages) -> bytes:
    shown = "".join(_alto_page(number, page) for number, page in enumerate(pages, start=1))
    return (
        f'{_DECLARATION}<alto xmlns="{_ALTO}"><Description><MeasurementUnit>pixel</MeasurementUnit>'
        f"</Description><Layout>{shown}</Layout></alto>"
    ).encode()


def _alto_page(number: int, page: Sequence[str]) -> str:
    size = f'WIDTH="{_WIDTH}" HEIGHT="{_HEIGHT}"'
    lines = "".join(
        f'<TextLine HPOS="{_MARGIN}" VPOS="{_MARGIN + place * _LINE_HEIGHT}" HEIGHT="{_LINE_HEIGHT}" '
        f'WIDTH="{max(1, len(line)) * _LETTER_WIDTH}">{_alto_words(line)}</TextLine>'
        for place, line in enumerate(page)
        if line.strip()
    )
    block = f'<TextBlock ID="block{number}">{lines}</TextBlock>' if lines else ""
    return (
        f'<Page ID="page{number}" PHYSICAL_IMG_NR="{number}" {size}>'
        f'<PrintSpace HPOS="0" VPOS="0" {size}>{block}</PrintSpace></Page>'
    )


def _alto_words(line: str) -> str:
    words = (f'<String CONTENT="{escape(word, _QUOTED)}"/>' for word in line.split())
    return "<SP/>".join(words)


_QUOTED = {'"': "&quot;"}

_WRITERS: dict[ExportFormat, Callable[[Pages], bytes]] = {
    ExportFormat.TXT: _txt,
    ExportFormat.TXT_UNSTRUCTURED: _txt,
    ExportFormat.RTF: _rtf,
    ExportFormat.DOCX: docx,
    ExportFormat.XLSX: xlsx,
    ExportFormat.PPTX: pptx,
    ExportFormat.PDF_SEARCHABLE: pdf,
    ExportFormat.PDF_TEXT_AND_IMAGES: pdf,
    ExportFormat.PDFA: lambda pages: pdf(pages, archival=True),
    ExportFormat.XML: _xml,
    ExportFormat.XML_FOR_CORRECTED_IMAGE: lambda pages: _xml(pages, original_coordinates=False),
    ExportFormat.ALTO: _alto,
}
