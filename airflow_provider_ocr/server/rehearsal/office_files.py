# SPDX-License-Identifier: Apache-2.0
"""The smallest Word, Excel and PowerPoint files that hold a text."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SLIDES = "http://schemas.openxmlformats.org/presentationml/2006/main"
_CORE = "http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
_CORE_RELATION = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
_MEDIA = "application/vnd.openxmlformats-officedocument"
_CORE_MEDIA = "application/vnd.openxmlformats-package.core-properties+xml"

_SAME_FOR_EVER = (1980, 1, 1, 0, 0, 0)  # the same text makes the same file

Pages = Sequence[Sequence[str]]


def docx(pages: Pages) -> bytes:
    """A Word document: a paragraph for each line, a page break between pages."""
    page_break = '<w:p><w:r><w:br w:type="page"/></w:r></w:p>'
    body = page_break.join("".join(map(_paragraph, page)) for page in pages)
    document = f'<w:document xmlns:w="{_WORD}"><w:body>{body}<w:sectPr/></w:body></w:document>'
    return _package(
        "word/document.xml", f"{_MEDIA}.wordprocessingml.document.main+xml", {"word/document.xml": document}
    )


def xlsx(pages: Pages) -> bytes:
    """An Excel workbook: one sheet, one cell for each line."""
    lines = [line for page in pages for line in page]
    rows = "".join(
        f'<row r="{number}"><c r="A{number}" t="inlineStr">'
        f'<is><t xml:space="preserve">{escape(line)}</t></is></c></row>'
        for number, line in enumerate(lines, start=1)
    )
    sheet = f'<worksheet xmlns="{_SHEET}"><sheetData>{rows}</sheetData></worksheet>'
    workbook = (
        f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    return _package(
        "xl/workbook.xml",
        f"{_MEDIA}.spreadsheetml.sheet.main+xml",
        {
            "xl/workbook.xml": workbook,
            "xl/worksheets/sheet1.xml": sheet,
            "xl/_rels/workbook.xml.rels": _relations(
                {"rId1": (f"{_OFFICE}/worksheet", "worksheets/sheet1.xml")}
            ),
        },
        others={"xl/worksheets/sheet1.xml": f"{_MEDIA}.spreadsheetml.worksheet+xml"},
    )


def pptx(pages: Pages) -> bytes:
    """A PowerPoint presentation without slides, whose description is the text."""
    text = "\n".join(line for page in pages for line in page)
    return _package(
        "ppt/presentation.xml",
        f"{_MEDIA}.presentationml.presentation.main+xml",
        {
            "ppt/presentation.xml": f'<p:presentation xmlns:p="{_SLIDES}">'
            '<p:notesSz cx="6858000" cy="9144000"/></p:presentation>',
            "docProps/core.xml": f'<cp:coreProperties xmlns:cp="{_CORE}" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:description>{escape(text)}</dc:description></cp:coreProperties>",
        },
        others={"docProps/core.xml": _CORE_MEDIA},
        properties="docProps/core.xml",
    )


def _paragraph(line: str) -> str:
    return f'<w:p><w:r><w:t xml:space="preserve">{escape(line)}</w:t></w:r></w:p>'


def _package(
    main: str,
    media_type: str,
    parts: Mapping[str, str],
    *,
    others: Mapping[str, str] | None = None,
    properties: str | None = None,
) -> bytes:
    """A file of parts.

    :param main: the name of the part that opens first.
    :param media_type: its media type.
    :param parts: all parts but those that list the others.
    :param others: the media types of other parts.
    :param properties: the name of the part that describes the document.
    """
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{kind}"/>'
        for name, kind in {main: media_type, **(others or {})}.items()
    )
    types = (
        f'<Types xmlns="{_CONTENT_TYPES}">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )
    roots = {"rId1": (f"{_OFFICE}/officeDocument", main)}
    if properties is not None:
        roots["rId2"] = (_CORE_RELATION, properties)
    files = {"[Content_Types].xml": types, "_rels/.rels": _relations(roots), **parts}
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=_SAME_FOR_EVER)
            archive.writestr(entry, _DECLARATION + content, compress_type=zipfile.ZIP_DEFLATED)
    return written.getvalue()


def _relations(targets: Mapping[str, tuple[str, str]]) -> str:
    entries = "".join(
        f'<Relationship Id="{name}" Type="{kind}" Target="{target}"/>'
        for name, (kind, target) in targets.items()
    )
    return f'<Relationships xmlns="{_PACKAGE}">{entries}</Relationships>'
