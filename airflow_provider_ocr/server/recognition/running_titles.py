# SPDX-License-Identifier: Apache-2.0
"""Headers and footers: what stands at the same edge of several pages, but for the numbers in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from airflow_provider_ocr.server.document import Block, BlockType, Page, Paragraph, ParagraphRole, enclosing
from airflow_provider_ocr.server.paragraph_text import paragraph_text

_EDGE = 0.12  # of the page's height
_MOST_LINES = 2
_FEWEST_PAGES = 2
_PLACES = 40  # down the page, in which a title has to be the same one

_Title = tuple[ParagraphRole, int, str]


class RunningTitles:
    """The titles that stand on more than one of ``pages``, which are taken one at a time."""

    def __init__(self, pages: Iterable[Page]) -> None:
        counts = Counter(title for page in pages for title in {title for _, title in _titles(page)})
        self._repeated = frozenset(title for title, count in counts.items() if count >= _FEWEST_PAGES)

    def marked(self, page: Page) -> Page:
        """The page, those of its paragraphs that are titles marked as header or footer."""
        roles = {id(paragraph): title[0] for paragraph, title in _titles(page) if title in self._repeated}
        if not roles:
            return page
        return replace(page, blocks=tuple(_marked(block, roles) for block in page.blocks))


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
                    yield paragraph, (role, round(middle * _PLACES), text)
