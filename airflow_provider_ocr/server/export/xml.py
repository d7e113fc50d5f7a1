# SPDX-License-Identifier: Apache-2.0
"""``xml``: the FineReader10-schema-v1 document, in coordinates of the original image.

Streamed, so that a document of any length is written in the memory of one page. Attributes that have
their default value are left out, and of the optional ones only those that the service itself writes.
"""

from __future__ import annotations

import codecs
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from lxml import etree  # type: ignore[import-untyped]  # lxml carries no types

from airflow_provider_ocr import __version__
from airflow_provider_ocr.server.document import Barcode, Block, BlockType, Box, Character, Line, Page, Word
from airflow_provider_ocr.server.export.exporter import DocumentSummary

NAMESPACE = "http://www.abbyy.com/FineReader_xml/FineReader10-schema-v1.xml"

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SUSPICIOUS_BELOW = 60  # confidence of a character
_ROTATIONS = {90: "RotatedClockwise", 180: "RotatedUpsidedown", 270: "RotatedCounterclockwise"}
_LANGUAGES = {
    # What the result XML calls a language where the API's own name is not specific enough for it.
    "Dutch": "DutchStandard",
    "English": "EnglishUnitedStates",
    "French": "FrenchStandard",
    "German": "GermanStandard",
    "Italian": "ItalianStandard",
}
_NOT_IN_XML = dict.fromkeys(
    (*range(0x9), 0xB, 0xC, *range(0xE, 0x20), 0xFFFE, 0xFFFF), "\N{REPLACEMENT CHARACTER}"
)


class XmlExporter:
    """Writes ``xml`` to ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = ExitStack()
        self._file: BinaryIO
        self._document: etree._IncrementalFileWriter

    def start(self, summary: DocumentSummary) -> None:
        """Begin the document."""
        self._file = self._open.enter_context(self._path.open("wb"))
        # lxml writes neither the mark nor "standalone" when it streams.
        self._file.write(codecs.BOM_UTF8 + b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n')
        self._document = self._open.enter_context(etree.xmlfile(self._file, encoding="UTF-8"))
        attributes = {
            f"{{{_XSI}}}schemaLocation": f"{NAMESPACE} {NAMESPACE}",
            "version": "1.0",
            "producer": f"airflow-provider-ocr {__version__}",
            "languages": "",
        }
        if summary.pages > 1:
            attributes["pagesCount"] = str(summary.pages)
        self._open.enter_context(
            self._document.element(
                f"{{{NAMESPACE}}}document", attributes, nsmap={None: NAMESPACE, "xsi": _XSI}
            )
        )

    def page(self, page: Page) -> None:
        """Write the page."""
        self._document.write(page_element(page))

    def finish(self) -> None:
        """Close the document and the file."""
        self._open.close()


def page_element(page: Page) -> etree._Element:
    """The ``page`` element with all its blocks."""
    element = etree.Element(
        _name("page"),
        width=str(page.original_width),
        height=str(page.original_height),
        resolution=str(round(page.original_dpi)),
        originalCoords="1",
        nsmap={None: NAMESPACE},
    )
    if page.rotation:
        element.set("rotation", _ROTATIONS[page.rotation])
    for block in page.blocks:
        _PageWriter(page).block(element, block)
    return element


class _PageWriter:
    """Writes blocks of ``page``, each box led back to the original image."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def block(self, parent: etree._Element, block: Block) -> None:
        box = self._edges(block.box)
        element = etree.SubElement(parent, _name("block"), blockType=block.type.value, blockName="", **box)
        etree.SubElement(etree.SubElement(element, _name("region")), _name("rect"), **box)
        if block.type is BlockType.TEXT:
            text = etree.SubElement(element, _name("text"))
            for paragraph in block.paragraphs:
                par = etree.SubElement(text, _name("par"))
                for line in paragraph.lines:
                    self._line(par, line)
        elif block.type is BlockType.SEPARATOR:
            self._separator(element, block.box)
        elif block.barcode is not None:
            self._barcode(element, block.barcode, block.box)

    def _line(self, par: etree._Element, line: Line) -> None:
        baseline = self._page.to_original.point(line.baseline.x1, line.baseline.y1)[1]
        element = etree.SubElement(par, _name("line"), baseline=str(round(baseline)), **self._edges(line.box))
        formatting = None
        before: Word | None = None
        for word in line.words:
            if formatting is None or (before is not None and before.language != word.language):
                language = _LANGUAGES.get(word.language, word.language)
                formatting = etree.SubElement(element, _name("formatting"), lang=language)
            if before is not None:
                self._character(formatting, _space(before, word, line))
            for character in line.characters(word):
                self._character(formatting, character)
            before = word

    def _character(self, formatting: etree._Element, character: Character) -> None:
        element = etree.SubElement(formatting, _name("charParams"), **self._edges(character.box))
        if character.confidence < _SUSPICIOUS_BELOW:
            element.set("suspicious", "1")
        element.text = character.text.translate(_NOT_IN_XML)

    def _separator(self, block: etree._Element, box: Box) -> None:
        level = box.width >= box.height
        thickness = box.height if level else box.width
        element = etree.SubElement(block, _name("separator"), thickness=str(thickness), type="Black")
        middle_x, middle_y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        ends = (
            ((box.left, middle_y), (box.right, middle_y))
            if level
            else ((middle_x, box.top), (middle_x, box.bottom))
        )
        for name, end in zip(("start", "end"), ends, strict=True):
            x, y = self._page.to_original.point(*end)
            etree.SubElement(element, _name(name), x=str(round(x)), y=str(round(y)))

    def _barcode(self, block: etree._Element, barcode: Barcode, box: Box) -> None:
        edges = self._edges(box)
        par = etree.SubElement(etree.SubElement(block, _name("text")), _name("par"))
        line = etree.SubElement(par, _name("line"), baseline=edges["b"], **edges)
        formatting = etree.SubElement(line, _name("formatting"), lang="")
        formatting.text = barcode.text.translate(_NOT_IN_XML)
        etree.SubElement(block, _name("barcodeInfo"), type=barcode.kind)

    def _edges(self, box: Box) -> dict[str, str]:
        left, top, right, bottom = self._page.to_original.box(box)
        return {
            "l": str(max(0, left)),
            "t": str(max(0, top)),
            "r": str(min(self._page.original_width, right)),
            "b": str(min(self._page.original_height, bottom)),
        }


def _space(before: Word, after: Word, line: Line) -> Character:
    """The space between two words, as the engine does not give any."""
    left, right = sorted((before.box.right, after.box.left))
    return Character(" ", Box(left, line.box.top, right, line.box.bottom), 100)


def _name(local: str) -> str:
    return f"{{{NAMESPACE}}}{local}"
