# SPDX-License-Identifier: Apache-2.0
"""A URL that is too long is told by its length and host, and nothing else of it is."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.source_url import (
    MAX_PASSING_LENGTH,
    encoded_length,
    require_source,
    url_warning,
)


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


@pytest.mark.parametrize(
    "source",
    [
        "https://a.example/b.tif",
        "HTTP://A.EXAMPLE",
        "http://[2001:db8::1]:8080/ü b",
        "https://u:p@a.example/?x",
    ],
)
def test_an_absolute_url_of_http_or_https_is_taken(source: str) -> None:
    assert require_source(source) == source


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "the URL of the image is missing"),
        ("", "the URL of the image is missing"),
        (" \n", "the URL of the image is missing"),
        (5, "a URL as text is needed, not int"),
        (["https://a.example/SECRET"], "a URL as text is needed, not list"),
        ("SECRET", "it is no URL that begins with http:// or https://"),
        ("/data/SECRET.tif", "it is no URL that begins with http:// or https://"),
        ("ftp://a.example/SECRET", "it is no URL that begins with http:// or https://"),
        ("//a.example/SECRET", "it is no URL that begins with http:// or https://"),
        ("s3://SECRET/a.tif", "s3:// is no URL by which"),
        ("GS://SECRET/a.tif", "gs:// is no URL by which"),
        ("abfs://SECRET@account/a.tif", "abfs:// is no URL by which"),
        ("http://", "the URL names no host"),
        ("https:a.example/SECRET", "the URL names no host"),
        ("https://:443/SECRET", "the URL names no host"),
        ("http://[SECRET/a", "it is no URL that can be read"),
        ("http://a.example:SECRET/a", "it is no URL that can be read"),
        ("http://a.example:99999/a", "it is no URL that can be read"),
    ],
)
def test_what_is_no_url_of_an_image_is_refused_without_being_shown(source: Any, said: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        require_source(source)
    assert str(caught.value).startswith(f"source: {said}")
    assert "SECRET" not in str(caught.value)
    assert caught.value.__cause__ is None


@given(st.text(max_size=40), st.sampled_from(["", "http://", "https://a"]))
def test_whatever_the_source_it_is_taken_or_refused_as_such(source: str, start: str) -> None:
    refused = []
    try:
        assert require_source(start + source) == start + source
    except InvalidParameterError as error:
        refused.append(error.parameter)
    assert refused in ([], ["source"])
