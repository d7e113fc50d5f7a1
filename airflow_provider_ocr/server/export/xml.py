# SPDX-License-Identifier: Apache-2.0
"""``xml`` and ``xmlForCorrectedImage``: the FineReader10-schema-v1 document.

Streamed, so that a document of any length is written in the memory of one page. Attributes that have
their default value are left out, and of the optional ones only those that the service itself writes:
styles of paragraphs and fonts are not among them, because ``xml:writeFormatting`` is not a parameter here.
"""

from __future__ import annotations

import codecs
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from lxml import etree  # type: ignore[import-untyped]  # lxml carries no types

from airflow_provider_ocr import __version__
from airflow_provider_ocr.protocol.characters import as_xml_text
from airflow_provider_ocr.server.document import (
    Alignment,
    Barcode,
    Block,
    BlockType,
    Box,
    Cell,
    Character,
    Line,
    Page,
    Paragraph,
    Reading,
    Table,
    Word,
)
from airflow_provider_ocr.server.export.coordinates import Coordinates, space_between
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
_NO_BORDERS = dict.fromkeys(("leftBorder", "topBorder", "rightBorder", "bottomBorder"), "Absent")


class _DocumentExporter:
    """Writes pages to ``path``, in coordinates of the original image or else of the corrected one."""

    def __init__(self, path: Path, *, original: bool) -> None:
        self._path = path
        self._original = original
        self._variants = False
        self._open = ExitStack()
        self._file: BinaryIO
        self._document: etree._IncrementalFileWriter

    def start(self, summary: DocumentSummary) -> None:
        """Begin the document."""
        self._variants = summary.settings.write_recognition_variants
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
        if summary.pages != 1:
            attributes["pagesCount"] = str(summary.pages)
        self._open.enter_context(
            self._document.element(
                f"{{{NAMESPACE}}}document", attributes, nsmap={None: NAMESPACE, "xsi": _XSI}
            )
        )

    def page(self, page: Page) -> None:
        """Write the page."""
        writer = _PageWriter(page, original=self._original, variants=self._variants)
        self._document.write(writer.page_element())

    def finish(self) -> None:
        """Close the document and the file."""
        self._open.close()


class XmlExporter(_DocumentExporter):
    """Writes ``xml`` to ``path``, in coordinates of the original image."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, original=True)


class XmlForCorrectedImageExporter(_DocumentExporter):
    """Writes ``xmlForCorrectedImage`` to ``path``, in coordinates of the corrected image."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, original=False)


class _PageWriter:
    """Writes ``page``.

    :param original: whether in coordinates of the original image, or else of the corrected one.
    :param variants: whether to write what else a character may be.
    """

    def __init__(self, page: Page, *, original: bool, variants: bool) -> None:
        self._page = page
        self._original = original
        self._coordinates = Coordinates.of_original(page) if original else Coordinates.of_corrected(page)
        self._variants = variants

    def page_element(self) -> etree._Element:
        """The ``page`` element with all its blocks."""
        element = etree.Element(
            _name("page"),
            width=str(self._coordinates.width),
            height=str(self._coordinates.height),
            resolution=str(round(self._coordinates.dpi)),
            nsmap={None: NAMESPACE},
        )
        if self._original:
            element.set("originalCoords", "1")
        if self._page.rotation:
            element.set("rotation", _ROTATIONS[self._page.rotation])
        for block in self._page.blocks:
            self._block(element, block)
        return element

    def _block(self, parent: etree._Element, block: Block) -> None:
        box = self._edges(block.box)
        element = etree.SubElement(parent, _name("block"), blockType=block.type.value, blockName="", **box)
        etree.SubElement(etree.SubElement(element, _name("region")), _name("rect"), **box)
        if block.type is BlockType.TEXT or block.paragraphs:
            self._text(element, block.paragraphs)
        if block.table is not None:
            self._rows(element, block.table)
        elif block.type is BlockType.SEPARATOR:
            self._separator(element, block.box)
        elif block.barcode is not None:
            self._barcode(element, block.barcode, block.box)

    def _rows(self, block: etree._Element, table: Table) -> None:
        rows = [etree.SubElement(block, _name("row")) for _ in table.rows[1:]]
        for cell in table.cells:
            self._cell(rows[cell.row], cell, ruled=table.ruled)

    def _cell(self, row: etree._Element, cell: Cell, *, ruled: bool) -> None:
        width, height = self._coordinates.size(cell.box)
        element = etree.SubElement(row, _name("cell"), width=str(width), height=str(height))
        if cell.column_span > 1:
            element.set("colSpan", str(cell.column_span))
        if cell.row_span > 1:
            element.set("rowSpan", str(cell.row_span))
        if not ruled:
            element.attrib.update(_NO_BORDERS)
        if cell.paragraphs:
            self._text(element, cell.paragraphs)

    def _text(self, parent: etree._Element, paragraphs: tuple[Paragraph, ...]) -> None:
        text = etree.SubElement(parent, _name("text"))
        for paragraph in paragraphs:
            par = etree.SubElement(text, _name("par"))
            if paragraph.alignment is not Alignment.LEFT:
                par.set("align", paragraph.alignment.value)
            for line in paragraph.lines:
                self._line(par, line)

    def _line(self, par: etree._Element, line: Line) -> None:
        _, baseline = self._coordinates.point(line.baseline.x1, line.baseline.y1)
        element = etree.SubElement(par, _name("line"), baseline=str(baseline), **self._edges(line.box))
        formatting = None
        before: Word | None = None
        for word in line.words:
            if formatting is None or (before is not None and before.language != word.language):
                language = _LANGUAGES.get(word.language, word.language)
                formatting = etree.SubElement(element, _name("formatting"), lang=language)
            if before is not None:
                space = Character(" ", space_between(before, word, line), 100)
                self._character(formatting, space)
            for character in line.characters(word):
                self._character(formatting, character)
            before = word

    def _character(self, formatting: etree._Element, character: Character) -> None:
        element = etree.SubElement(formatting, _name("charParams"), **self._edges(character.box))
        if character.confidence < _SUSPICIOUS_BELOW:
            element.set("suspicious", "1")
        text = as_xml_text(character.text)
        if not (self._variants and character.readings):
            element.text = text
            return
        variants = etree.SubElement(element, _name("charRecVariants"))
        variants.tail = text
        for reading in (Reading(character.text, character.confidence), *character.readings):
            confidence = str(reading.confidence)
            variant = etree.SubElement(variants, _name("charRecVariant"), charConfidence=confidence)
            variant.text = as_xml_text(reading.text)

    def _separator(self, block: etree._Element, box: Box) -> None:
        level = box.width >= box.height
        thickness = min(self._coordinates.size(box))
        element = etree.SubElement(block, _name("separator"), thickness=str(thickness), type="Black")
        middle_x, middle_y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
        ends = (
            ((box.left, middle_y), (box.right, middle_y))
            if level
            else ((middle_x, box.top), (middle_x, box.bottom))
        )
        for name, end in zip(("start", "end"), ends, strict=True):
            x, y = self._coordinates.point(*end)
            etree.SubElement(element, _name(name), x=str(x), y=str(y))

    def _barcode(self, block: etree._Element, barcode: Barcode, box: Box) -> None:
        edges = self._edges(box)
        par = etree.SubElement(etree.SubElement(block, _name("text")), _name("par"))
        line = etree.SubElement(par, _name("line"), baseline=edges["b"], **edges)
        formatting = etree.SubElement(line, _name("formatting"), lang="")
        formatting.text = as_xml_text(barcode.text)
        etree.SubElement(block, _name("barcodeInfo"), type=barcode.kind)

    def _edges(self, box: Box) -> dict[str, str]:
        return {name: str(edge) for name, edge in zip("ltrb", self._coordinates.box(box), strict=True)}


def _name(local: str) -> str:
    return f"{{{NAMESPACE}}}{local}"
