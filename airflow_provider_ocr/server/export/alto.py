# SPDX-License-Identifier: Apache-2.0
"""``alto``: ALTO 4.4 of the Library of Congress, in pixels of the original image.

Streamed, so that a document of any length is written in the memory of one page. A paragraph is a
``TextBlock``; a table is a ``ComposedBlock`` of rows, which are ``ComposedBlock``s of cells, because ALTO has
no table of its own. A word that a line's end divides is put together in ``SUBS_CONTENT``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import fmean

from lxml import etree  # type: ignore[import-untyped]  # lxml carries no types

from airflow_provider_ocr import __version__
from airflow_provider_ocr.protocol.characters import as_xml_text
from airflow_provider_ocr.server.document import (
    Alignment,
    Barcode,
    Block,
    BlockType,
    Box,
    Line,
    Page,
    Paragraph,
    ParagraphRole,
    Table,
    Word,
    enclosing,
)
from airflow_provider_ocr.server.export.coordinates import Coordinates, space_between
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.language_tags import language_tag
from airflow_provider_ocr.server.paragraph_text import is_divided, undivided

NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"
_ALIGNMENTS = {
    Alignment.LEFT: "Left",
    Alignment.CENTER: "Center",
    Alignment.RIGHT: "Right",
    Alignment.JUSTIFIED: "Block",
}
_LEVELS = range(1, 7)  # of headings


class AltoExporter:
    """Writes ``alto`` to ``path``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = ExitStack()
        self._document: etree._IncrementalFileWriter

    def start(self, summary: DocumentSummary) -> None:  # noqa: ARG002 - ALTO says nothing about the whole
        """Write everything that stands before the first page."""
        file = self._open.enter_context(self._path.open("wb"))
        self._document = self._open.enter_context(etree.xmlfile(file, encoding="UTF-8"))
        self._document.write_declaration()
        attributes = {f"{{{_XSI}}}schemaLocation": f"{NAMESPACE} {_SCHEMA}", "SCHEMAVERSION": "4.4"}
        self._open.enter_context(
            self._document.element(_name("alto"), attributes, nsmap={None: NAMESPACE, "xsi": _XSI})
        )
        for part in (_description(), _styles(), _tags()):
            self._document.write(part)
        self._open.enter_context(self._document.element(_name("Layout")))

    def page(self, page: Page) -> None:
        """Write the page."""
        self._document.write(_PageWriter(page).page_element())

    def finish(self) -> None:
        """Close the document and the file."""
        self._open.close()


def _description() -> etree._Element:
    description = etree.Element(_name("Description"), nsmap={None: NAMESPACE})
    _child(description, "MeasurementUnit").text = "pixel"
    software = _child(_child(description, "Processing", ID="PROCESSING"), "processingSoftware")
    _child(software, "softwareName").text = "airflow-provider-ocr"
    _child(software, "softwareVersion").text = __version__
    return description


def _styles() -> etree._Element:
    styles = etree.Element(_name("Styles"), nsmap={None: NAMESPACE})
    for alignment, value in _ALIGNMENTS.items():
        _child(styles, "ParagraphStyle", ID=_style(alignment), ALIGN=value)
    return styles


def _tags() -> etree._Element:
    tags = etree.Element(_name("Tags"), nsmap={None: NAMESPACE})
    for role in ParagraphRole:
        if role is ParagraphRole.HEADING:
            for level in _LEVELS:
                _child(tags, "StructureTag", ID=_tag(role, level), LABEL=f"{role} {level}")
        elif role is not ParagraphRole.TEXT:
            _child(tags, "StructureTag", ID=_tag(role), LABEL=role)
    return tags


def _style(alignment: Alignment) -> str:
    return f"ALIGN_{alignment.upper()}"


def _tag(role: ParagraphRole, level: int = 0) -> str:
    within = min(max(level, _LEVELS[0]), _LEVELS[-1])
    return f"ROLE_{role.name}" + (f"_{within}" if role is ParagraphRole.HEADING else "")


class _PageWriter:
    """Writes ``page``; the identifiers of all that is on it begin with the page's."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._coordinates = Coordinates.of_original(page)
        self._numbers: dict[str, Iterator[int]] = {}

    def page_element(self) -> etree._Element:
        """The ``Page`` element with all its blocks."""
        size = {"WIDTH": str(self._coordinates.width), "HEIGHT": str(self._coordinates.height)}
        number = str(self._page.number)
        element = etree.Element(_name("Page"), ID=f"P{number}", nsmap={None: NAMESPACE}, **size)
        element.set("PHYSICAL_IMG_NR", number)
        certainties = [word.confidence for word in self._page.words]
        if certainties:
            element.set("PC", _share(fmean(certainties)))
        space = _child(element, "PrintSpace", HPOS="0", VPOS="0", **size)
        for block in self._page.blocks:
            self._block(space, block)
        return element

    def _block(self, parent: etree._Element, block: Block) -> None:
        for paragraph in block.paragraphs:
            self._paragraph(parent, paragraph)
        if block.table is not None:
            self._table(parent, block.table, block.box)
        elif block.barcode is not None:
            self._barcode(parent, block.barcode, block.box)
        elif block.type is BlockType.PICTURE:
            self._placed(parent, "Illustration", block.box, "I")
        elif block.type is BlockType.SEPARATOR:
            self._placed(parent, "GraphicalElement", block.box, "G")

    def _table(self, parent: etree._Element, table: Table, box: Box) -> None:
        element = self._placed(parent, "ComposedBlock", box, "C", TYPE="table")
        for row, cells in itertools.groupby(table.cells, key=lambda cell: cell.row):
            height = Box(box.left, table.rows[row], box.right, table.rows[row + 1])
            line = self._placed(element, "ComposedBlock", height, "C", TYPE="row")
            for cell in cells:
                place = self._placed(line, "ComposedBlock", cell.box, "C", TYPE="cell")
                for paragraph in cell.paragraphs:
                    self._paragraph(place, paragraph)

    def _barcode(self, parent: etree._Element, barcode: Barcode, box: Box) -> None:
        block = self._placed(parent, "ComposedBlock", box, "C", TYPE=f"barcode {barcode.kind}")
        line = self._placed(self._placed(block, "TextBlock", box, "B"), "TextLine", box, "L")
        self._placed(line, "String", box, "S", CONTENT=as_xml_text(barcode.text))

    def _paragraph(self, parent: etree._Element, paragraph: Paragraph) -> None:
        lines = paragraph.lines
        box = enclosing([line.box for line in lines])
        element = self._placed(parent, "TextBlock", box, "B", STYLEREFS=_style(paragraph.alignment))
        if paragraph.role is not ParagraphRole.TEXT:
            element.set("TAGREFS", _tag(paragraph.role, paragraph.level))
        for number, line in enumerate(lines):
            self._line(
                element,
                line,
                before=lines[number - 1] if number else None,
                after=lines[number + 1] if number + 1 < len(lines) else None,
            )

    def _line(self, block: etree._Element, line: Line, *, before: Line | None, after: Line | None) -> None:
        element = self._placed(block, "TextLine", line.box, "L")
        base = line.baseline
        points = [self._coordinates.point(base.x1, base.y1), self._coordinates.point(base.x2, base.y2)]
        element.set("BASELINE", " ".join(f"{x},{y}" for x, y in points))
        previous: Word | None = None
        for word in line.words:
            if previous is not None:
                self._placed(element, "SP", space_between(previous, word, line), "W")
            string = self._string(element, line, word)
            if before is not None and previous is None and is_divided(before):
                string.set("SUBS_TYPE", "HypPart2")
                string.set("SUBS_CONTENT", as_xml_text(undivided(before) + word.text))
            previous = word
        if after is not None and is_divided(line):
            self._hyphen(element, string, line, after)

    def _string(self, element: etree._Element, line: Line, word: Word) -> etree._Element:
        string = self._placed(element, "String", word.box, "S", CONTENT=as_xml_text(word.text))
        string.set("WC", _share(word.confidence))
        string.set("CC", " ".join(str(_doubt(mark.confidence)) for mark in line.characters(word)))
        tag = language_tag(word.language)
        if tag is not None:
            string.set("LANG", tag)
        return string

    def _hyphen(self, element: etree._Element, string: etree._Element, line: Line, after: Line) -> None:
        *_, hyphen = line.characters(line.words[-1])
        string.set("CONTENT", as_xml_text(undivided(line)))
        string.set("SUBS_TYPE", "HypPart1")
        string.set("SUBS_CONTENT", as_xml_text(undivided(line) + after.words[0].text))
        mark = self._placed(element, "HYP", hyphen.box, "H", CONTENT=as_xml_text(hyphen.text))
        del mark.attrib["ID"]

    def _placed(
        self, parent: etree._Element, name: str, box: Box, kind: str, **attributes: str
    ) -> etree._Element:
        left, top, right, bottom = self._coordinates.box(box)
        number = next(self._numbers.setdefault(kind, itertools.count(1)))
        return _child(
            parent,
            name,
            ID=f"P{self._page.number}_{kind}{number}",
            HPOS=str(left),
            VPOS=str(top),
            WIDTH=str(right - left),
            HEIGHT=str(bottom - top),
            **attributes,
        )


def _share(confidence: float) -> str:
    return f"{min(max(confidence, 0.0), 100.0) / 100:.2f}"


def _doubt(confidence: int) -> int:
    """0 for a character that is certain, 9 for one that is not."""
    return min(9, (100 - confidence) // 10)


def _child(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, _name(name), **attributes)


def _name(local: str) -> str:
    return f"{{{NAMESPACE}}}{local}"
