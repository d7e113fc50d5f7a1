# SPDX-License-Identifier: Apache-2.0
"""``pptx``: a slide for each page, each paragraph, table and picture at its place and in its size.

The slides have the proportions of the first page; another page is as large on its slide as fits. python-pptx
makes the slides; none of them stays in its presentation, so that no more than one is ever held.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from pptx import Presentation
from pptx.enum.text import MSO_AUTO_SIZE, PP_ALIGN
from pptx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.parts.slide import SlidePart
from pptx.util import Emu, Pt

from airflow_provider_ocr.protocol.characters import as_xml_text
from airflow_provider_ocr.server.document import (
    Alignment,
    Block,
    Box,
    Page,
    Paragraph,
    ParagraphRole,
    Table,
    enclosing,
)
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.office_properties import describe
from airflow_provider_ocr.server.export.part_files import PartFiles
from airflow_provider_ocr.server.export.pictures import Picture, pictures_of
from airflow_provider_ocr.server.export.type_size import fitting_type_size, type_size
from airflow_provider_ocr.server.paragraph_text import paragraph_text

_EMU_PER_INCH = 914_400
_SHORTEST_SIDE, _LONGEST_SIDE = 1.0, 56.0  # inches; PowerPoint takes no other slides
_SMALLEST_TYPE, _LARGEST_TYPE = 1.0, 4000.0  # points; PowerPoint takes no other type
_CELL_MARGIN = Emu(_EMU_PER_INCH // 40)
_GRID, _NO_GRID = "{5940675A-B579-460E-94D1-54222C63F5DA}", "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
_ALIGNMENTS = {
    Alignment.CENTER: PP_ALIGN.CENTER,
    Alignment.RIGHT: PP_ALIGN.RIGHT,
    Alignment.JUSTIFIED: PP_ALIGN.JUSTIFY,
}
_PICTURE_TYPES = {"jpg": CONTENT_TYPE.JPEG, "png": CONTENT_TYPE.PNG}
_NOT_OF_THE_DOCUMENT = (RELATIONSHIP_TYPE.THUMBNAIL, RELATIONSHIP_TYPE.PRINTER_SETTINGS)


class PptxExporter:
    """Writes ``pptx`` to ``path``. A page with pictures needs its image file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._presentation: Any = Presentation()
        self._parts: PartFiles
        self._size: tuple[int, int] | None = None
        self._slides = 0
        self._pictures = 0

    def start(self, summary: DocumentSummary) -> None:  # noqa: ARG002 - nothing of it is in the file
        """Make room for the slides."""
        describe(self._presentation.core_properties)
        for owner in (self._presentation.part, self._presentation.part.package):
            relations = owner._rels.values()
            for unwanted in [one.rId for one in relations if one.reltype in _NOT_OF_THE_DOCUMENT]:
                owner.drop_rel(unwanted)
        self._parts = PartFiles(self._path)

    def page(self, page: Page) -> None:
        """Write the page's slide.

        :raises ValueError: if it has pictures and no image.
        """
        slide = self._new_slide(page)
        with pictures_of(page) as pictures:
            for block in page.blocks:
                if block.is_picture:
                    picture = pictures.of(block)
                    if picture is not None:
                        self._add_picture(slide, picture, block)
                elif block.table is not None:
                    slide.add_table(block.table)
                for paragraph in block.paragraphs:
                    slide.add_text(paragraph)
        self._parts.add(slide.part.partname, slide.drawn.blob)

    def finish(self) -> None:
        """Complete the file."""
        skeleton = BytesIO()
        self._presentation.save(skeleton)
        self._parts.complete(skeleton.getvalue())

    def _new_slide(self, page: Page) -> _Slide:
        if self._size is None:
            self._size = _slide_size(page)
            self._presentation.slide_width, self._presentation.slide_height = self._size
        self._slides += 1
        package, layout = self._presentation.part.package, self._blank_layout()
        part = Part(PackURI(f"/ppt/slides/slide{self._slides}.xml"), CONTENT_TYPE.PML_SLIDE, package)
        part.relate_to(layout, RELATIONSHIP_TYPE.SLIDE_LAYOUT)
        relation = self._presentation.part.relate_to(part, RELATIONSHIP_TYPE.SLIDE)
        self._presentation.element.get_or_add_sldIdLst().add_sldId(relation)
        scale = min(self._size[0] / page.width, self._size[1] / page.height)
        return _Slide(
            part=part,
            drawn=SlidePart.new(part.partname, package, layout),  # type: ignore[no-untyped-call]  # python-pptx types some
            page=page,
            scale=scale,
            left=round((self._size[0] - page.width * scale) / 2),
            top=round((self._size[1] - page.height * scale) / 2),
        )

    def _blank_layout(self) -> Any:
        return self._presentation.slide_layouts.get_by_name("Blank").part

    def _add_picture(self, slide: _Slide, picture: Picture, block: Block) -> None:
        self._pictures += 1
        name = PackURI(f"/ppt/media/image{self._pictures}.{picture.extension}")
        self._parts.add(name, picture.data)
        part = Part(name, _PICTURE_TYPES[picture.extension], self._presentation.part.package)
        relation = slide.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)
        described = as_xml_text(block.barcode.text) if block.barcode is not None else ""
        slide.add_picture(relation, picture, described)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slide:
    """One page as a slide.

    :param part: what the presentation knows of it: its name, and its relations to others.
    :param drawn: what is on it.
    :param scale: EMU per pixel of the page.
    :param left: EMU that the page's left edge is away from the slide's.
    :param top: the same from top to top.
    """

    part: Part
    drawn: Any
    page: Page
    scale: float
    left: int
    top: int

    def add_text(self, paragraph: Paragraph) -> None:
        """A box with the paragraph's text at its place."""
        if not paragraph.lines:
            return
        box = self._place(enclosing([line.box for line in paragraph.lines]))
        frame = self.drawn.slide.shapes.add_textbox(*box).text_frame
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        frame.word_wrap = len(paragraph.lines) > 1
        frame.auto_size = MSO_AUTO_SIZE.NONE
        self._fill(frame.paragraphs[0], paragraph)

    def add_table(self, table: Table) -> None:
        """The table at its place, its cells merged as they were."""
        place = self._place(Box(table.columns[0], table.rows[0], table.columns[-1], table.rows[-1]))
        frame = self.drawn.slide.shapes.add_table(len(table.rows) - 1, len(table.columns) - 1, *place)
        grid = frame.table
        grid.first_row = grid.horz_banding = False
        (style,) = frame.element.xpath(".//a:tableStyleId")
        style.text = _GRID if table.ruled else _NO_GRID
        for column, left, right in zip(grid.columns, table.columns, table.columns[1:], strict=False):
            column.width = Emu(round((right - left) * self.scale))
        for row, top, bottom in zip(grid.rows, table.rows, table.rows[1:], strict=False):
            row.height = Emu(round((bottom - top) * self.scale))
        for cell in table.cells:
            place = grid.cell(cell.row, cell.column)
            if (cell.row_span, cell.column_span) != (1, 1):
                place.merge(grid.cell(cell.row + cell.row_span - 1, cell.column + cell.column_span - 1))
            place.margin_left = place.margin_right = place.margin_top = place.margin_bottom = _CELL_MARGIN
            for index, paragraph in enumerate(cell.paragraphs):
                frame = place.text_frame
                self._fill(frame.add_paragraph() if index else frame.paragraphs[0], paragraph)

    def add_picture(self, relation: str, picture: Picture, described: str) -> None:
        """The picture that ``relation`` leads to at its place."""
        shapes = self.drawn.slide.shapes
        number = 1 + max((shape.shape_id for shape in shapes), default=1)  # 1 is the slide's own
        added = shapes.element.add_pic(number, f"Picture {number}", "", relation, *self._place(picture.box))
        added.nvPicPr.cNvPr.set("descr", described)  # python-pptx fails on quotation marks in it

    def _fill(self, written: Any, paragraph: Paragraph) -> None:
        if paragraph.alignment in _ALIGNMENTS:
            written.alignment = _ALIGNMENTS[paragraph.alignment]
        run = written.add_run()
        run.text = as_xml_text(paragraph_text(paragraph))
        size = type_size(paragraph) or fitting_type_size(paragraph, dpi=self.page.dpi)
        size *= self.scale * self.page.dpi / _EMU_PER_INCH  # a page may be smaller on its slide
        run.font.size = Pt(min(max(size, _SMALLEST_TYPE), _LARGEST_TYPE))
        if paragraph.role is ParagraphRole.HEADING:
            run.font.bold = True

    def _place(self, box: Box) -> tuple[int, int, int, int]:
        """Left, top, width and height on the slide."""
        return (
            self.left + round(box.left * self.scale),
            self.top + round(box.top * self.scale),
            round(box.width * self.scale),
            round(box.height * self.scale),
        )


def _slide_size(page: Page) -> tuple[int, int]:
    """Width and height in EMU, in the page's proportions where PowerPoint takes them."""
    sides = [side / page.dpi for side in (page.width, page.height)]
    scale = min(max(1.0, _SHORTEST_SIDE / min(sides)), _LONGEST_SIDE / max(sides))
    width, height = (round(_EMU_PER_INCH * max(_SHORTEST_SIDE, side * scale)) for side in sides)
    return width, height
