# SPDX-License-Identifier: Apache-2.0
"""What the parts of a page are, in the roles that a tagged PDF file has for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from airflow_provider_ocr.server.document import Cell, Page, Paragraph, ParagraphRole, Table

_DEEPEST_HEADING = 6
_REPEATED = frozenset({ParagraphRole.HEADER, ParagraphRole.FOOTER})
_ARTIFACT = "/Artifact <</Type /Pagination>> BDC"


@dataclass(frozen=True, slots=True)
class Element:
    """One node of the tree of a document's parts.

    :param role: the standard structure type, for example ``H1``.
    :param marks: numbers of the marked pieces of the page's content that it has.
    :param children: what it is made of besides.
    """

    role: str
    marks: tuple[int, ...] = ()
    children: tuple[Element, ...] = ()
    row_span: int = 1
    column_span: int = 1


@dataclass(slots=True)
class PageStructure:
    """A page's elements, and what marks its content as theirs.

    :param elements: in reading order.
    :param marks: for each paragraph of the page, in its order, the operator that begins its marked content.
    :param count: how many pieces of content are marked as elements'.
    """

    elements: tuple[Element, ...] = ()
    marks: list[str] = field(default_factory=list)
    count: int = 0

    @classmethod
    def of(cls, page: Page) -> PageStructure:
        """The structure of a page. Its repeated headers and footers are artifacts, not elements."""
        structure = cls()
        elements: list[Element] = []
        for block in page.blocks:
            elements += structure._text(block.paragraphs)
            if block.table is not None:
                elements.append(structure._table(block.table))
        structure.elements = tuple(elements)
        return structure

    def _text(self, paragraphs: Sequence[Paragraph]) -> Iterator[Element]:
        for role, group in groupby(paragraphs, key=lambda paragraph: paragraph.role):
            if role is ParagraphRole.LIST_ITEM:
                items = (Element("LBody", self._mark("LBody")) for _ in group)
                yield Element("L", children=tuple(Element("LI", children=(item,)) for item in items))
                continue
            for paragraph in group:
                if role in _REPEATED:
                    self.marks.append(_ARTIFACT)
                else:
                    name = _role(paragraph)
                    yield Element(name, self._mark(name))

    def _table(self, table: Table) -> Element:
        rows: list[list[Element]] = [[] for _ in table.rows[1:]]
        for cell in table.cells:
            rows[cell.row].append(self._cell(cell))
        return Element("Table", children=tuple(Element("TR", children=tuple(cells)) for cells in rows))

    def _cell(self, cell: Cell) -> Element:
        marks = tuple(mark for _ in cell.paragraphs for mark in self._mark("TD"))
        return Element("TD", marks, row_span=cell.row_span, column_span=cell.column_span)

    def _mark(self, role: str) -> tuple[int]:
        self.marks.append(f"/{role} <</MCID {self.count}>> BDC")
        self.count += 1
        return (self.count - 1,)


def marked(mark: str, operators: str) -> str:
    """The operators as marked content.

    :param mark: the operator that begins it; without one they stay as they are.
    """
    return f"{mark}\n{operators}\nEMC" if mark else operators


def _role(paragraph: Paragraph) -> str:
    if paragraph.role is ParagraphRole.HEADING:
        return f"H{min(max(paragraph.level, 1), _DEEPEST_HEADING)}"
    return "P"
