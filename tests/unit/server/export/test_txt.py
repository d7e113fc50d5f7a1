# SPDX-License-Identifier: Apache-2.0
"""The text file: what stands beside each other on the page stands beside each other in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Line, Page
from airflow_provider_ocr.server.export.exporter import DocumentSummary
from airflow_provider_ocr.server.export.txt import TxtExporter, page_text

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]


def exported(path: Path, *pages: Page) -> bytes:
    exporter = TxtExporter(path)
    exporter.start(DocumentSummary(len(pages), ProcessingSettings()))
    for page in pages:
        exporter.page(page)
    exporter.finish()
    return path.read_bytes()


def test_an_empty_recognition_is_exactly_three_bytes(tmp_path: Path, make_page: MakePage) -> None:
    assert exported(tmp_path / "a.txt", make_page(), make_page(number=2)) == b"\xef\xbb\xbf"


def test_text_is_utf_8_behind_a_byte_order_mark(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    written = exported(tmp_path / "a.txt", make_page([make_line(("Größe", 0))]))
    assert written == b"\xef\xbb\xbf" + "Größe\n".encode()


def test_a_form_feed_leads_to_each_page_even_behind_a_blank_one(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage
) -> None:
    pages = [
        make_page([make_line(("one", 0))]),
        make_page(number=2),
        make_page([make_line(("three", 0))], number=3),
        make_page(number=4),
    ]
    assert exported(tmp_path / "a.txt", *pages).decode("utf-8-sig").split("\f") == ["one\n", "", "three\n"]


def test_columns_of_different_blocks_stand_in_one_row(make_line: MakeLine, make_page: MakePage) -> None:
    names = [make_line(("Tea", 0), top=100), make_line(("Coffee", 0), top=150)]
    prices = [make_line(("3.20", 600), top=102), make_line(("4.80", 600), top=149)]
    rows = page_text(make_page(names, prices)).splitlines()
    assert [row.split() for row in rows] == [["Tea", "3.20"], ["Coffee", "4.80"]]
    assert rows[0].index("3.20") == rows[1].index("4.80") == 30


def test_words_of_a_sentence_have_one_space_between_them(make_line: MakeLine, make_page: MakePage) -> None:
    assert page_text(make_page([make_line(("a", 0), ("long", 30), ("way", 130))])) == "a long way\n"


def test_a_blank_line_stands_where_rows_are_further_apart(make_line: MakeLine, make_page: MakePage) -> None:
    tops = (100, 140, 180, 260, 300)
    lines = [make_line((str(top), 0), top=top) for top in tops]
    assert page_text(make_page(lines)) == "100\n140\n180\n\n260\n300\n"


def test_a_row_that_is_read_from_right_to_left_keeps_its_order(
    make_line: MakeLine, make_page: MakePage
) -> None:
    assert page_text(make_page([make_line(("ראשון", 500), ("שני", 300))])) == "ראשון שני\n"


def test_running_columns_stand_one_after_the_other(make_line: MakeLine, make_page: MakePage) -> None:
    def column(name: str, left: int) -> list[Line]:
        return [
            make_line(*((f"{name}{row}{word}", left + 80 * word) for word in range(4)), top=100 + 50 * row)
            for row in range(3)
        ]

    title = [make_line(("Title", 0), top=20)]
    text = page_text(make_page(title, column("a", 0), column("b", 700)))
    assert text.splitlines() == [
        "Title",
        "",
        *(" ".join(f"{name}{row}{word}" for word in range(4)) for row in range(3) for name in "a"),
        "",
        *(" ".join(f"{name}{row}{word}" for word in range(4)) for row in range(3) for name in "b"),
    ]


def test_a_paragraph_beside_a_short_note_stays_beside_it(make_line: MakeLine, make_page: MakePage) -> None:
    prose = [make_line(("one", 0), ("two", 80), ("three", 160), ("four", 280), top=y) for y in (100, 150)]
    note = [make_line(("Note", 700), top=100)]
    assert page_text(make_page(prose, note)).splitlines()[0].split() == [
        "one",
        "two",
        "three",
        "four",
        "Note",
    ]
