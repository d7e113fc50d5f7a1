# SPDX-License-Identifier: Apache-2.0
"""The tags of a PDF file as a PDF reader sees them."""

from __future__ import annotations

import ctypes
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdfium2
from pypdfium2 import raw


def tags_of(path: Path, number: int) -> list[Any]:
    """The elements of a page of a PDF file: role, words where it has some, and elements below it.

    :param number: 0 for the first page.
    """
    document = pypdfium2.PdfDocument(path)
    page = document[number]
    texts = _texts(page)
    tree = raw.FPDF_StructTree_GetForPage(page)
    try:
        return [
            _tag(raw.FPDF_StructTree_GetChildAtIndex(tree, index), texts)
            for index in range(raw.FPDF_StructTree_CountChildren(tree))
        ]
    finally:
        raw.FPDF_StructTree_Close(tree)
        page.close()
        document.close()


def _tag(element: Any, texts: dict[int, str]) -> list[Any]:
    role = _read(lambda buffer, size: raw.FPDF_StructElement_GetType(element, buffer, size))
    tag: list[Any] = [role]
    for index in range(raw.FPDF_StructElement_CountChildren(element)):
        mark = raw.FPDF_StructElement_GetChildMarkedContentID(element, index)
        child = raw.FPDF_StructElement_GetChildAtIndex(element, index)
        tag.append(" ".join(texts[mark].split()) if mark >= 0 else _tag(child, texts))
    return tag


def _texts(page: pypdfium2.PdfPage) -> dict[int, str]:
    """The text of each marked piece of content, -1 for what is not marked as an element's."""
    texts: defaultdict[int, str] = defaultdict(str)
    loaded = page.get_textpage()
    for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_TEXT]):

        def read(buffer: Any, size: int, item: Any = item) -> int:
            return int(raw.FPDFTextObj_GetText(item, loaded, buffer, size))

        texts[raw.FPDFPageObj_GetMarkedContentID(item)] += _read(read)
    loaded.close()
    return texts


def _read(get: Callable[[Any, int], int]) -> str:
    size = get(None, 0)
    buffer = ctypes.create_string_buffer(size)
    get(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return buffer.raw.decode("utf-16-le").rstrip("\0")
