# SPDX-License-Identifier: Apache-2.0
"""A URL that is too long is told by its length and host, and nothing else of it is."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.protocol.source_url import MAX_PASSING_LENGTH, encoded_length, url_warning


def _of_encoded_length(length: int) -> str:
    plain = "https://images.example/a"
    return plain + "a" * (length - encoded_length(plain))


@given(st.text(max_size=50))
def test_the_length_is_that_of_the_parameter_as_requests_sends_it(source: str) -> None:
    sent = requests.Request("GET", "http://ocr.example/m", params={"source": f"x{source}"}).prepare().url
    assert sent is not None
    assert encoded_length(f"x{source}") == len(urlsplit(sent).query) - len("source=")


@pytest.mark.parametrize(
    ("source", "length"),
    [("", 0), ("a b", 3), ("https://x/", 18), ("ü", 6), ("%2F", 5), ("\ud800", 3)],
    ids=["empty", "blank", "slashes", "umlaut", "encoded", "lone surrogate"],
)
def test_what_is_encoded_counts_as_it_is_sent(source: str, length: int) -> None:
    assert encoded_length(source) == length


def test_a_url_of_2000_characters_passes_and_one_more_is_warned_of() -> None:
    assert url_warning(_of_encoded_length(MAX_PASSING_LENGTH)) is None
    assert "2,001 characters" in str(url_warning(_of_encoded_length(MAX_PASSING_LENGTH + 1)))


@pytest.mark.parametrize(
    ("source", "host"),
    [
        ("https://images.example/a.tif?sig=SECRET", "images.example"),
        ("https://SECRET:SECRET@images.example:8443/SECRET", "images.example"),
        ("http://[2001:db8::1]/a.tif?sig=SECRET", "2001:db8::1"),
        ("http://[broken/?sig=SECRET", "a host that cannot be read"),
        ("a.tif?sig=SECRET", "an unnamed host"),
    ],
)
def test_the_warning_names_the_host_and_shows_nothing_else(source: str, host: str) -> None:
    warning = url_warning(source + "&" * 700)
    assert warning is not None
    assert f"the URL at {host} has" in warning
    assert "SECRET" not in warning
    assert "&" not in warning
