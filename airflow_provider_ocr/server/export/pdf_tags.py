# SPDX-License-Identifier: Apache-2.0
"""The tree of a document's parts inside a PDF file: made page by page, put together when all are there.

Each page has an element of its own under the document's, because a reader of PDF 1.4, which PDF/A-1 is
made of, need not take arrays as long as those of a whole document would be.
"""

from __future__ import annotations

import pikepdf

from airflow_provider_ocr.server.export.pdf_structure import Element, PageStructure

_HELD = "/AirflowProviderOcrTags"  # of a page, until its elements have their place in the tree


def add_page_tags(pdf: pikepdf.Pdf, page: pikepdf.Page, structure: PageStructure) -> None:
    """Give ``page`` its elements, which ``add_tag_tree`` puts into the document's tree."""
    owners: dict[int, pikepdf.Object] = {}
    whole = _add(pdf, page, Element("Div", children=structure.elements), owners)
    marked = pikepdf.Array([owners[mark] for mark in range(structure.count)])
    page.obj[_HELD] = pikepdf.Dictionary(Whole=whole, Marked=pdf.make_indirect(marked))


def add_tag_tree(pdf: pikepdf.Pdf) -> None:
    """Put the elements of all pages into one tree, and say that the document is tagged."""
    root = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.StructTreeRoot))
    document = pdf.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.StructElem, S=pikepdf.Name.Document, P=root)
    )
    wholes, owners = pikepdf.Array(), pikepdf.Array()
    for number, page in enumerate(pdf.pages):
        held = page.obj[_HELD]
        held.Whole.P = document
        wholes.append(held.Whole)
        owners.append(number)
        owners.append(held.Marked)
        page.obj.StructParents = number
        del page.obj[_HELD]
    document.K = wholes
    root.K = document
    root.ParentTree = pdf.make_indirect(pikepdf.Dictionary(Nums=owners))
    root.ParentTreeNextKey = len(pdf.pages)
    pdf.Root.StructTreeRoot = root
    pdf.Root.MarkInfo = pikepdf.Dictionary(Marked=True)


def _add(
    pdf: pikepdf.Pdf, page: pikepdf.Page, element: Element, owners: dict[int, pikepdf.Object]
) -> pikepdf.Object:
    """The element and all below it as objects.

    :param owners: is given the object that each marked piece of content belongs to.
    """
    added = pdf.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.StructElem, S=pikepdf.Name("/" + element.role), Pg=page.obj)
    )
    children = [_add(pdf, page, child, owners) for child in element.children]
    for child in children:
        child.P = added
    owners |= dict.fromkeys(element.marks, added)
    if element.marks or children:
        added.K = pikepdf.Array([*element.marks, *children])
    if element.row_span > 1 or element.column_span > 1:
        added.A = pikepdf.Dictionary(
            O=pikepdf.Name.Table, RowSpan=element.row_span, ColSpan=element.column_span
        )
    return added
