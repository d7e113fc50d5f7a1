# SPDX-License-Identifier: Apache-2.0
"""A URL in other people's words keeps what helps and loses what is secret."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.protocol.redaction import (
    quoted,
    secrets_of_url,
    secrets_of_words,
    shown_url,
    spellings,
    unsigned,
    without_queries,
    without_url_secrets,
)

ENCODED = quote("https://u:p@a.example/b?sig=SECRET", safe="")


@pytest.mark.parametrize(
    ("words", "redacted"),
    [
        ("https://a.example/b.png?sig=x&y=z was not found", "https://a.example/b.png?... was not found"),
        ("(<http://u:p@a.example:81/b?c>)", "(<http://a.example:81/b?...>)"),
        ("s3://key:secret@bucket/b#f, s3://bucket/c?d", "s3://bucket/b?... s3://bucket/c?..."),
        ("'https://a.example?sig=x'", "'https://a.example?...'"),
        ("url='https://a.example?sig=x',port=80", "url='https://a.example?...',port=80"),
        ('{"source":"https://u:p@a.example/b?c"}', '{"source":"https://a.example/b?..."}'),
        ("https://a.example/b?sig=it's-SECRET", "https://a.example/b?..."),
        ("[https://a.example/b?c], so.", "[https://a.example/b?... so."),
        ("https://a.example/b,https://u:p@c.example/d", "https://a.example/b,https://c.example/d"),
        ("https://u:p@ss@a.example/b", "https://a.example/b"),
        ("https://u:p/w@a.example/b?c", "https://a.example/b?..."),
        ("https://u:p?w@a.example/b?c", "https://a.example/b?..."),
        ("https://u:p#w@a.example/b", "https://a.example/b"),
        ("http://u:p@[2001:db8::1]:80/a?b", "http://[2001:db8::1]:80/a?..."),
        ("http://[2001:db8::1]/b@c", "http://[2001:db8::1]/b@c"),
        ("HTTPS://U:P@A.EXAMPLE/B?SIG=X", "HTTPS://A.EXAMPLE/B?..."),
        (f"source={ENCODED}&language=x", "source=https%3A%2F%2Fa.example%2Fb?..."),
        (quote(ENCODED), "https%253A%252F%252Fa.example%252Fb?..."),
        (r"https:\/\/u:p@a.example\/b?c", r"https:\/\/a.example\/b?..."),
        (f"GET /processRemoteImage?source={ENCODED} HTTP/1.1", "GET /processRemoteImage?... HTTP/1.1"),
        ("redirect?url=https://u:p@a.example/b?c", "redirect?..."),
        ("/scan.tif?SECRET is not there", "/scan.tif?... is not there"),
        ("pdfPassword=hunter2, x-amz-security-token=x", "pdfPassword=... x-amz-security-token=..."),
        ("a=1&sig=x&b=2 of c=3", "a=1&sig=... of c=3"),
        ("https://a.example/b@c", "https://a.example/b@c"),
        ("https://a.example:81/b@c", "https://a.example:81/b@c"),
        ("https://a.example:/b@c", "https://a.example:/b@c"),
        ("https://u:2024/p@a.example/b", "https://a.example/b"),
        ("https://u:2024?p@a.example/b", "https://a.example/b"),
        ("https://u.v:2024/p@a.example/b", "https://a.example/b"),
        ("http://scans:9000/b.tif", "http://scans:9000/b.tif"),
        ("http://a.example:81/b?of=c@d.example", "http://a.example:81/b?..."),
        ("https:/u:p@a.example/b?c", "https:/a.example/b?..."),
        ("https%3A%2Fu%3Ap%40a.example/b", "https%3A%2Fa.example/b"),
        ("https:///u:p@a.example/b", "https:///a.example/b"),
        ("source=//u:p@a.example/b?c (//u:p@a.example)", "source=//a.example/b?... (//a.example)"),
        ("https://a.example//b:c@d", "https://a.example//b:c@d"),
        ("Is it a page? No. What?yes", "Is it a page? No. What?yes"),
        ("scale=2", "scale=2"),
        ("", ""),
    ],
)
def test_only_the_secret_parts_of_urls_go(words: str, redacted: str) -> None:
    assert without_url_secrets(words) == redacted


@given(st.text(), st.text())
def test_a_signature_never_stays(before: str, after: str) -> None:
    assert "SECRET" not in without_url_secrets(f"{before} https://a.example/b?sig=SECRET {after}")


@given(st.text(alphabet="ab:/@?#'%20[]&="), st.text(alphabet="ab:/?#'%&="))
def test_a_password_never_stays_whatever_stands_around_it(password: str, path: str) -> None:
    url = f"https://user:SECRET{password}@a.example/{path}"
    assert "SECRET" not in without_url_secrets(url)
    assert "SECRET" not in shown_url(url)


@given(st.text(alphabet="0123456789"), st.text(alphabet="ab:/@?#'%20[]&="), st.text(alphabet="ab:/?#'%&="))
@pytest.mark.parametrize("start", ["https://", "https:/", "https:///", "//"])
def test_a_password_that_begins_like_a_port_never_stays(
    start: str, digits: str, password: str, path: str
) -> None:
    url = f"{start}user:{digits}/SECRET{password}@a.example/{path}"
    assert "SECRET" not in without_url_secrets(url)
    assert "SECRET" not in shown_url(url)
    assert "SECRET" not in quoted(f"see {url}")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.example/b.tif", "https://a.example/b.tif"),
        ("https://a.example/b?id=1&sig=x#part", "https://a.example/b?id=***&sig=***#***"),
        ("https://u:p@a.example/b", "https://a.example/b"),
        ("https://token@a.example/b#c", "https://a.example/b#***"),
        ("u:p@a.example/b", "a.example/b"),
        ("https://u:2024/p@a.example/b", "https://a.example/b"),
        ("https://u.v:2024/p@host/b", "https://host/b"),
        ("https:/u:p@a.example/b", "https:/a.example/b"),
        ("//u:p@a.example/b", "//a.example/b"),
        ("https:/u:/p://@a.example/b", "https:/a.example/b"),
        ("//u:0/p://@a.example/b", "//a.example/b"),
        ("x:/u:/p://@a.example/b", "a.example/b"),
        ("http://scans:9000/b.tif?of=1", "http://scans:9000/b.tif?of=***"),
        ("https://a.example/b?c2VjcmV0&dG9rZW4=", "https://a.example/b?***&***"),
        (f"https://a.example/{ENCODED}", "https://a.example/https%3A%2F%2Fa.example%2Fb?..."),
        ("https://a.example/b?https://u:p@c/d=1", "https://a.example/b?https://c/d=***"),
        ("https://a.example/b?", "https://a.example/b?"),
        ("http://[::1", "http://[::1"),
        ("{{ var.value.url }}", "{{ var.value.url }}"),
        ("https://a.example/{{ ds }}?sig={{ var.value.sig }}", "https://a.example/{{ ds }}?sig=***"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_its_user_and_without_the_values_of_its_parameters(
    url: str, shown: str
) -> None:
    assert shown_url(url) == shown


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("https://a.example/b?id=12345&X-Amz-Date=2026", set()),
        ("https://user:pass@a.example/b", {"user:pass", "user%3Apass", "pass"}),
        ("https://token@a.example/b", {"token"}),
        (
            "https://a.example/b?sig=a%2Bb%3D&se=2026",
            {"a%2Bb%3D", "a%252Bb%253D", "a+b="},
        ),
        ("https://a.example/b?X-Amz-Signature=f00&X-Amz-Security-Token=ba", {"f00", "ba"}),
        ("https://a.example/b?x%2Dgoog%2Dsignature=f00#token=c", {"f00"}),
        ("not a URL", set()),
    ],
)
def test_the_secrets_of_a_url_are_its_user_and_what_signs_it(url: str, secrets: set[str]) -> None:
    found = set(secrets_of_url(url))
    assert found >= secrets
    assert bool(found) == bool(secrets)


@pytest.mark.parametrize(
    ("words", "secrets"),
    [
        ("see https://u:pass@a.example/b?id=7&sig=f00, please", {"pass", "f00"}),
        ("url='https:/u:pass@a.example/b'", {"pass"}),
        (f"source={ENCODED}", {"SECRET", "u:p"}),
        ("password=hunter2;x", {"hunter2"}),
        ("Mail joe@a.example of 10:30, scale=2", set()),
    ],
)
def test_the_secrets_of_a_text_are_those_of_its_urls_and_assignments(words: str, secrets: set[str]) -> None:
    found = set(secrets_of_words(words))
    assert found >= secrets
    assert bool(found) == bool(secrets)


def test_a_secret_is_known_in_each_spelling() -> None:
    assert set(spellings(['a "b+'])) == {
        'a "b+',
        'a \\"b+',
        "a%20%22b%2B",
        "a+%22b%2B",
        'a "b ',
        'a \\"b ',
    } | {
        "a%20%22b%20",
        "a+%22b+",
    }
    assert spellings([""]) == ()


def test_what_signs_a_url_goes_and_what_says_where_it_leads_stays() -> None:
    assert unsigned([("id", "1"), ("Expires", "9"), ("Signature", "x"), ("Key-Pair-Id", "y")]) == [
        ("id", "1")
    ]
    assert unsigned([("id", "1"), ("expires", "9")]) == [("id", "1"), ("expires", "9")]


def test_a_query_goes_from_a_line_whatever_is_before_it() -> None:
    assert without_queries('"GET /x?a=it\'s HTTP/1.1" 200 None') == '"GET /x?... HTTP/1.1" 200 None'


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("No\tsuch\x00\nfile ", "No such file"),
        ("See https://a.example/b?sig=SECRET", "See https://a.example/b?..."),
        ("x" * 500, "x" * 500),
        ("x" * 501, "x" * 500 + "..."),
        ("https://a.example/b?" + "x" * 900, "https://a.example/b?..."),
        (
            f"See https://a.example/b?{'x' * 19_950} https://u:SECRET@a.example",
            "See https://a.example/b?......",
        ),
        ("x" * 20_001, "..."),
        ("", ""),
    ],
    ids=["control characters", "URL", "500", "501", "long URL", "cut in a user", "one piece", "nothing"],
)
def test_other_peoples_words_become_one_line_of_bounded_length(text: str, quote: str) -> None:
    assert quoted(text) == quote


HOSTILE = {
    "separators": "://",
    "encoded separators": "%3a%2f%2f",
    "backslashes": "\\",
    "colons": ":",
    "encoded percent signs": "%25",
    "deeply encoded": "%2525",
    "at signs": "@",
    "question marks": "?",
    "quoted URLs": "'https://",
    "users": "https://u:p?",
    "assignments": "sig=",
    "letters": "a",
    "bare separators": "=//",
    "short separators": "http:/",
    "ports": "u:1/",
}


@pytest.mark.parametrize("unit", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("end", ["", "]@"], ids=["open", "closed"])
def test_twice_the_text_takes_about_twice_the_time(unit: str, end: str) -> None:
    def seconds(length: int) -> float:
        text = "https://" + unit * (length // len(unit)) + end
        start = time.process_time()
        without_url_secrets(text)
        shown_url(text)
        secrets_of_url(text)
        secrets_of_words(text)
        return time.process_time() - start

    # What grows with the square of the length takes 64 times as long here.
    assert min(seconds(80_000) for _ in range(2)) < 24 * max(seconds(10_000), 0.004)
