# SPDX-License-Identifier: Apache-2.0
"""What a result's host says is understood, be it an object storage, our server, or a proxy."""

from __future__ import annotations

import pytest

from airflow_provider_ocr.client.storage_words import storage_words

AZURE = (
    b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code><Message>'
    b"Server failed to authenticate the request.\nRequestId:7\nTime:2026</Message><AuthenticationErrorDetail>"
    b"Signature not valid in the specified time frame</AuthenticationErrorDetail></Error>"
)
AZURE_WORDS = "AuthenticationFailed: Server failed to authenticate the request. RequestId:7 Time:2026"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (AZURE, AZURE_WORDS),
        (AZURE[:-60], AZURE_WORDS),
        (b"<Error><Code>NoSuchKey</Code><Key>a</Key></Error>", "NoSuchKey"),
        (b"<Error><Message>Request has expired</Message>", "Request has expired"),
        (b"<Error><Code></Code></Error>", ""),
        (b"<error><message>The URL has expired.</message></error>", "The URL has expired."),
        (b"Not now.", "Not now."),
        (b"<Error>", ""),
        (b"", ""),
        (b"\x00\xff", ""),
    ],
)
def test_the_words_of_a_result_host_are_understood(body: bytes, words: str) -> None:
    assert storage_words(body) == words


def test_a_web_page_is_said_to_be_one() -> None:
    assert 'a web page instead of an answer, titled "Blocked"' in storage_words(
        b"<html><title>Blocked</title>"
    )
