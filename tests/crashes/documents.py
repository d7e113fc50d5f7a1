# SPDX-License-Identifier: Apache-2.0
"""Images to recognise, what an undisturbed server makes of them, and a server that has them, some late."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from xml.etree import ElementTree as ET

import pypdfium2
from PIL import Image, ImageDraw, ImageFont

FORMATS = ("txt", "xml", "pdfSearchable")
MISSING = "missing"

_WORDS = ("pear", "plum", "quince", "medlar", "cherry", "damson")


@dataclass(frozen=True, slots=True)
class Document:
    """One image file."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What an undisturbed server makes of documents that are the images of one task.

    :param pages: for each export format the text of each page.
    """

    pages: Mapping[str, Sequence[str]]
    credits: int

    def __add__(self, other: Truth) -> Truth:
        pages = {name: [*self.pages[name], *other.pages[name]] for name in FORMATS}
        return Truth(pages=pages, credits=self.credits + other.credits)


def quick_documents() -> list[Document]:
    """Documents that take a moment each, one of them of several pages."""
    single = [Document(f"{word}.png", _file([[word]], "PNG")) for word in _WORDS]
    return [*single, Document("fruit.tif", _file([[word] for word in _WORDS], "TIFF"))]


def slow_document() -> Document:
    """A document that takes a second or more; still each of its pages is done between two kills."""
    lines = [" ".join(_WORDS[place:] + _WORDS[:place]) for place in range(len(_WORDS))]
    return Document("list.tif", _file([lines, lines[::-1], lines], "TIFF"))


def read_pages(export_format: str, content: bytes) -> list[str]:
    """The text of each page of a result."""
    if export_format == "txt":
        return content.decode("utf-8-sig").split("\f")
    if export_format == "xml":
        pages = ET.fromstring(content).findall("{*}page")
        return ["".join(mark.text or "" for mark in page.iter() if _is_character(mark)) for page in pages]
    with pypdfium2.PdfDocument(io.BytesIO(content)) as document:
        return [page.get_textpage().get_text_range() for page in document]


class Sources:
    """Answers ``/name`` with a document, ``/name?late`` after a while, and nothing else.

    It is started with the fixture ``serve``.
    """

    def __init__(self, held: Sequence[Document]) -> None:
        self._contents = {document.name: document.content for document in held}

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        name, _, late = request.path.lstrip("/").partition("?")
        content = self._contents.get(name)
        if late:
            time.sleep(0.5)
        with suppress(OSError):  # whoever asked may be dead by now
            request.send_response(404 if content is None else 200)
            request.send_header("Content-Length", str(len(content or b"")))
            request.end_headers()
            request.wfile.write(content or b"")


def _is_character(element: ET.Element) -> bool:
    return element.tag.rpartition("}")[2] == "charParams"


def _file(texts: Sequence[Sequence[str]], image_format: str) -> bytes:
    """An image file with a page for each text, which has lines."""
    pages = []
    for lines in texts:
        size = (60 + 25 * max(map(len, lines)), 30 + 45 * len(lines))
        pages.append(Image.new("L", size, 255))
        pen, font = ImageDraw.Draw(pages[-1]), ImageFont.load_default(size=36)
        for place, line in enumerate(lines):
            pen.text((20, 15 + 45 * place), line, font=font, fill=0)
    output = io.BytesIO()
    more = {"save_all": True, "append_images": pages[1:]} if pages[1:] else {}
    pages[0].save(output, image_format, dpi=(200, 200), **more)
    return output.getvalue()
