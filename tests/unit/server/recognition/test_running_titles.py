# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

from airflow_provider_ocr.server.document import Line, Page, ParagraphRole
from airflow_provider_ocr.server.recognition.running_titles import RunningTitles

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]


def roles(pages: list[Page]) -> list[list[ParagraphRole]]:
    titles = RunningTitles(pages)
    return [
        [paragraph.role for block in titles.marked(page).blocks for paragraph in block.paragraphs]
        for page in pages
    ]


def page(number: int, make_line: MakeLine, make_page: MakePage, *, top: str, bottom: str) -> Page:
    text = [make_line(("text", 0), (f"of-{number}", 100), top=600)]
    return make_page(
        [make_line(*((word, 200 * place) for place, word in enumerate(top.split())), top=40)],
        text,
        [make_line(*((word, 200 * place) for place, word in enumerate(bottom.split())), top=1340)],
        number=number,
    )


def test_what_stands_on_the_edge_of_several_pages_is_header_or_footer(
    make_line: MakeLine, make_page: MakePage
) -> None:
    pages = [page(n, make_line, make_page, top="Annual report", bottom=f"page {n}") for n in (1, 2, 3)]
    assert roles(pages) == [[ParagraphRole.HEADER, ParagraphRole.TEXT, ParagraphRole.FOOTER]] * 3


def test_what_stands_there_once_is_text(make_line: MakeLine, make_page: MakePage) -> None:
    pages = [
        page(1, make_line, make_page, top="Dear Sir", bottom="Yours truly"),
        page(2, make_line, make_page, top="Dear Madam", bottom="Yours sincerely"),
    ]
    assert roles(pages) == [[ParagraphRole.TEXT] * 3] * 2


def test_what_is_repeated_in_the_middle_is_text(make_line: MakeLine, make_page: MakePage) -> None:
    pages = [make_page([make_line(("again", 0), top=700)], number=n) for n in (1, 2)]
    assert roles(pages) == [[ParagraphRole.TEXT]] * 2


def test_a_title_may_be_a_few_pixels_off(make_line: MakeLine, make_page: MakePage) -> None:
    pages = [make_page([make_line(("report", 0), top=40 + 7 * n)], number=n) for n in (1, 2, 3)]
    assert roles(pages) == [[ParagraphRole.HEADER]] * 3


def test_amounts_at_the_foot_of_pages_are_no_titles(make_line: MakeLine, make_page: MakePage) -> None:
    pages = [make_page([make_line((f"{n}.249,50", 0), top=1340)], number=n) for n in (1, 2)]
    assert roles(pages) == [[ParagraphRole.TEXT]] * 2


def test_numbers_alone_are_those_of_pages(make_line: MakeLine, make_page: MakePage) -> None:
    pages = [make_page([make_line(("-", 0), (f"{n}", 40), ("-", 80), top=1340)], number=n) for n in (1, 2)]
    assert roles(pages) == [[ParagraphRole.FOOTER]] * 2


def test_nothing_else_of_a_page_changes(make_line: MakeLine, make_page: MakePage) -> None:
    pages = [page(n, make_line, make_page, top="Annual report", bottom="end") for n in (1, 2)]
    marked = RunningTitles(pages).marked(pages[0])
    assert [word.text for word in marked.words] == [word.text for word in pages[0].words]
    assert RunningTitles(pages[:1]).marked(pages[0]) is pages[0]
