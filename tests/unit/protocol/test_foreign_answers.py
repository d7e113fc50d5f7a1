# SPDX-License-Identifier: Apache-2.0
"""What a proxy, a gateway or another API says is put into words, and nothing of it is trusted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.protocol.foreign_answers import (
    MAX_WORDS_LENGTH,
    as_words,
    json_words,
    page_words,
    text_words,
)

PAGE = "a web page instead of an answer, probably from a proxy or gateway."


def _titled(title: str) -> str:
    return f'a web page instead of an answer, titled "{title}", probably from a proxy or gateway.'


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html><head><title>502 Bad Gateway</title></head></html>", _titled("502 Bad Gateway")),
        (b"<!DOCTYPE html>\n<HTML lang=en><TITLE id='t'>\n Sign\tin </TITLE>", _titled("Sign in")),
        (b"\xef\xbb\xbf\n<!-- squid --><html><title>A &lt;b&gt; &amp; c</title>", _titled("A <b> & c")),
        (b'<?xml version="1.0"?><html xmlns="x"><title>X</title>', _titled("X")),
        ("<html><title>Gesperrt für Zoë</title>".encode(), _titled("Gesperrt für Zoë")),
        ("<html><title>Gesperrt</title>".encode("utf-16"), _titled("Gesperrt")),
        (b"<html><title>a\xff</title>", _titled("a\ufffd")),
        (b"<html><title>a\x1b[31m&#x202e;b</title>", _titled("a [31m b")),
        (b"<html><title>" + b"x" * 250 + b"</title>", _titled("x" * 200)),
        (b"<html><title> </title>", PAGE),
        (b"<html><title></title>", PAGE),
        (b"<html>" + b"<title" * 100_000, PAGE),
        (b"<html>" + b"<p>" * 10_000 + b"<title>too late</title>", PAGE),
        (b"<htmlx>", None),
        (b"<response/>", None),
        (b" " * 2000 + b"<html>", None),
        (b"", None),
    ],
    ids=range(17),
)
def test_a_web_page_is_told_by_its_title(body: bytes, words: str | None) -> None:
    assert page_words(body) == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"code": "InvalidArgument", "message": "No such\\n task"}}', "No such task"),
        (b'{"error": {"message": "is wrong", "target": "language"}}', "language: is wrong"),
        (b'{"error": {"message": "Language is wrong", "target": "language"}}', "Language is wrong"),
        (
            b'{"error": {"message": "Bad", "details": [{"message": "A", "target": "t"}, {"message": "B"}]}}',
            "Bad; t: A; B",
        ),
        (b'{"error": {"details": [{"message": "A", "details": [{"message": "deep"}]}, 5]}}', "A"),
        (b'{"error": {"message": "Bad", "details": "none"}}', "Bad"),
        (b'{"error": {"message": {"a": 1}, "target": 5}}', None),
        (b'{"error": {"message": "Bad", "target": 5}}', "Bad"),
        (b'{"error": {"message": "Bad", "target": ""}}', "Bad"),
        (b'{"error": "no"}', "no"),
        (b'{"error": " "}', None),
        (b'{"error": null, "message": "x"}', None),
        (b'{"message": "Forbidden"}', "Forbidden"),
        (b'\xef\xbb\xbf{"message": "Forbidden"}', "Forbidden"),
        ('{"message": "Gesperrt für Zoë"}'.encode("utf-16"), "Gesperrt für Zoë"),
        (b'{"message": "a\\ud800\\u0000b"}', "a\ufffd b"),
        (b'{"taskId": "a1"}', None),
        (b'["message"]', None),
        (b'"message"', None),
        (b"[" * 50_000, None),
        (b'{"message": ' + b"9" * 5000 + b"}", None),
        (b'{"message": "' + b"x" * 70_000 + b'"}', None),
        (b'{"message"', None),
        (b"\xff", None),
        (b"", None),
    ],
    ids=range(25),
)
def test_a_json_error_is_told_by_its_messages(body: bytes, words: str | None) -> None:
    assert json_words(body) == words


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"upstream connect error\r\n", "upstream connect error"),
        ("gesperrt für Zoë".encode(), "gesperrt für Zoë"),
        (b"x" * MAX_WORDS_LENGTH, "x" * MAX_WORDS_LENGTH),
        (b"x" * (MAX_WORDS_LENGTH + 1), None),
        (b"a < b", None),
        (b"{a", None),
        (b"\x00", None),
        (b"\x1b[31m", None),
        (b"\xff", None),
        (b" \n", None),
        (b"", None),
    ],
    ids=range(11),
)
def test_a_short_plain_text_is_its_own_words(body: bytes, words: str | None) -> None:
    assert text_words(body) == words


@given(st.text())
def test_words_are_one_line_without_control_characters_and_short(text: str) -> None:
    words = as_words(text)
    assert words == " ".join(words.split())
    assert all(character.isprintable() or character == " " for character in words) or not words.isascii()
    assert len(words) <= MAX_WORDS_LENGTH


def test_words_that_go_on_for_too_long_are_cut() -> None:
    assert as_words("x" * 3000) == "x" * (MAX_WORDS_LENGTH - 1) + "…"
