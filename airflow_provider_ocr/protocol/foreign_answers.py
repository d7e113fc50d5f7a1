# SPDX-License-Identifier: Apache-2.0
"""Answers that are not the v1 API's: web pages of proxies, JSON errors, plain text. What they say, in words.

None of it is trusted: it is looked at up to a limit, made fit for a log, and cut.
"""

from __future__ import annotations

import json
import re
from typing import Any

from airflow_provider_ocr.protocol.characters import as_xml_text

MAX_WORDS_LENGTH = 2_000

_READ_BYTES = 64 * 1024
_PAGE_BYTES = 16 * 1024
_MAX_TITLE_LENGTH = 200
_PAGE = re.compile(r"<(?:!doctype\s{1,9})?html[\s>]", re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,300})", re.IGNORECASE)
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


def as_words(text: str) -> str:
    """``text`` on one line, without control characters, and cut where it goes on for too long.

    :param text: what somebody else wrote.
    """
    words = " ".join(as_xml_text(_INVISIBLE.sub(" ", text)).split())
    return words if len(words) <= MAX_WORDS_LENGTH else f"{words[: MAX_WORDS_LENGTH - 1]}…"


def page_words(body: bytes) -> str | None:
    """That the body is a web page, and its title; None where it is none.

    :param body: the HTTP body as received.
    """
    page = _decoded(body[:_PAGE_BYTES])
    if not _PAGE.search(page, 0, 1024):
        return None
    title = _TITLE.search(page)
    titled = _titled(title.group(1)) if title else ""
    return f"a web page instead of an answer{titled}, probably from a proxy or gateway."


def json_words(body: bytes) -> str | None:
    """The words of a JSON error (that of API v2, or its like); None where the body is none.

    :param body: the HTTP body as received.
    """
    if len(body) > _READ_BYTES:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    error = document.get("error", document)
    if isinstance(error, str):
        return as_words(error) or None
    return "; ".join(_messages(error)) or None


def text_words(body: bytes) -> str | None:
    """A body that is one short plain text; None where it is anything else.

    :param body: the HTTP body as received.
    """
    if len(body) > MAX_WORDS_LENGTH or b"<" in body or b"{" in body:
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if not all(character.isprintable() or character.isspace() for character in text):
        return None
    return as_words(text) or None


def _titled(title: str) -> str:
    from html import unescape

    words = as_words(unescape(title))[:_MAX_TITLE_LENGTH]
    return f', titled "{words}"' if words else ""


def _messages(error: Any) -> list[str]:
    """What an error object and the details in it say, led by what they are about."""
    if not isinstance(error, dict):
        return []
    message, target = error.get("message"), error.get("target")
    words = as_words(message) if isinstance(message, str) else ""
    if words and isinstance(target, str) and target and target.casefold() not in words.casefold():
        words = f"{as_words(target)}: {words}"
    details = error.get("details")
    found = [words] if words else []
    for detail in details[:5] if isinstance(details, list) else []:
        if isinstance(detail, dict):
            found += _messages({**detail, "details": None})
    return found


def _decoded(body: bytes) -> str:
    is_utf_16 = body.startswith((b"\xff\xfe", b"\xfe\xff"))
    return body.decode("utf-16" if is_utf_16 else "utf-8", errors="replace")
