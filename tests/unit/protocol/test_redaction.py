# SPDX-License-Identifier: Apache-2.0
"""A URL in other people's words keeps what helps and loses what is secret."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.protocol.redaction import without_url_secrets


@pytest.mark.parametrize(
    ("words", "redacted"),
    [
        ("https://a.example/b.png?sig=x&y=z was not found", "https://a.example/b.png?... was not found"),
        ("(<http://u:p@a.example:81/b?c>)", "(<http://a.example:81/b?...>)"),
        ("s3://key:secret@bucket/b#f, s3://bucket/c?d", "s3://bucket/b?... s3://bucket/c?..."),
        ("'https://a.example?sig=x'", "'https://a.example?...'"),
        ("https://a.example/b@c", "https://a.example/b@c"),
        ("Is it a page? No.", "Is it a page? No."),
        ("", ""),
    ],
)
def test_only_the_secret_parts_of_urls_go(words: str, redacted: str) -> None:
    assert without_url_secrets(words) == redacted


@given(st.text(), st.text())
def test_a_signature_never_stays(before: str, after: str) -> None:
    assert "SECRET" not in without_url_secrets(f"{before} https://a.example/b?sig=SECRET {after}")
