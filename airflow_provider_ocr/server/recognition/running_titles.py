# SPDX-License-Identifier: Apache-2.0
"""Headers and footers: what stands at the same edge of several pages, but for the numbers in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from airflow_provider_ocr.server.document import Block, BlockType, Page, Paragraph, ParagraphRole, enclosing
from airflow_provider_ocr.server.paragraph_text import paragraph_text

_EDGE = 0.12  # of the page's height
_MOST_LINES = 2
_SAME_PLACE = 0.015  # of the page's height: pages are not put on a scanner all in the same place
_NUMBER = re.compile(r"\W*0\W*")
_FEWEST_LETTERS = 3  # of a title that is no page number; amounts at the foot of a table are none


class _Title(NamedTuple):
    """What a paragraph at the edge of a page says, but for its numbers, and where on the page.

    :param middle: its share of the page's height.
    """

    role: ParagraphRole
    text: str
    middle: float


class RunningTitles:
    """The titles that stand on more than one of ``pages``, which are taken one at a time."""

    def __init__(self, pages: Iterable[Page]) -> None:
        self._places: dict[tuple[ParagraphRole, str], list[tuple[int, float]]] = {}
        for page in pages:
            for _, title in _titles(page):
                places = self._places.setdefault((title.role, title.text), [])
                places.append((page.number, title.middle))

    def marked(self, page: Page) -> Page:
        """The page, those of its paragraphs that are titles marked as header or footer."""
        roles = {
            id(paragraph): title.role
            for paragraph, title in _titles(page)
            if self._is_elsewhere(title, page.number)
        }
        if not roles:
            return page
        return replace(page, blocks=tuple(_marked(block, roles) for block in page.blocks))

    def _is_elsewhere(self, title: _Title, number: int) -> bool:
        places = self._places.get((title.role, title.text), [])
        return any(page != number and abs(middle - title.middle) <= _SAME_PLACE for page, middle in places)


def _marked(block: Block, roles: dict[int, ParagraphRole]) -> Block:
    if not any(id(paragraph) in roles for paragraph in block.paragraphs):
        return block
    return replace(
        block,
        paragraphs=tuple(
            replace(paragraph, role=roles.get(id(paragraph), paragraph.role), level=0)
            if id(paragraph) in roles
            else paragraph
            for paragraph in block.paragraphs
        ),
    )


def _titles(page: Page) -> Iterator[tuple[Paragraph, _Title]]:
    """The paragraphs that could be titles, each with what has to be the same on another page."""
    for block in page.blocks:
        if block.type is not BlockType.TEXT:
            continue
        for paragraph in block.paragraphs:
            if 0 < len(paragraph.lines) <= _MOST_LINES:
                box = enclosing([line.box for line in paragraph.lines])
                middle = (box.top + box.bottom) / 2 / page.height
                if not _EDGE < middle < 1 - _EDGE:
                    role = ParagraphRole.HEADER if middle <= _EDGE else ParagraphRole.FOOTER
                    text = re.sub(r"\d+", "0", paragraph_text(paragraph).casefold())
                    if _NUMBER.fullmatch(text) or sum(map(str.isalpha, text)) >= _FEWEST_LETTERS:
                        yield paragraph, _Title(role, text, middle)
