# SPDX-License-Identifier: Apache-2.0
"""What the host of a result file says where it does not give the file, in words."""

from __future__ import annotations

from contextlib import suppress

from airflow_provider_ocr.protocol.errors import UnreadableAnswerError
from airflow_provider_ocr.protocol.foreign_answers import as_words
from airflow_provider_ocr.protocol.messages import parse_error
from airflow_provider_ocr.protocol.xml_reading import read_elements

_PARTS = ("Code", "Message")


def storage_words(body: bytes) -> str:
    """The words of an object storage's error, or of any other body; empty where there are none.

    Azure, S3 and their like answer with an ``Error`` document that has a code and a message. They may hold
    URLs.

    :param body: the beginning of the HTTP body as received.
    """
    told: dict[str, str] = {}
    # A beginning has no end, and another kind of body is looked at below.
    with suppress(UnreadableAnswerError):
        for element in read_elements(body, root="Error", texts=_PARTS):
            told.setdefault(element.name, as_words(element.text))
    words = ": ".join(told[part] for part in _PARTS if told.get(part))
    return words or parse_error(body) or ""
