# SPDX-License-Identifier: Apache-2.0
"""The API's XML documents: tasks, applications and errors, read and written.

Reading is lenient about what servers vary (namespaces, order, encodings, missing and unknown attributes)
and strict about what could do harm, as `xml_reading` has it. Writing gives the service's observed form:
one line, no namespace, attributes in a fixed order. Clients in other languages depend on that form.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from xml.etree import ElementTree as ET

import pendulum

from airflow_provider_ocr.protocol.characters import as_xml_text
from airflow_provider_ocr.protocol.errors import UnreadableAnswerError
from airflow_provider_ocr.protocol.foreign_answers import as_words, json_words, page_words, text_words
from airflow_provider_ocr.protocol.redaction import without_url_secrets
from airflow_provider_ocr.protocol.task import MAX_RESULTS, ApplicationInfo, OcrTask
from airflow_provider_ocr.protocol.times import parse_time, render_time
from airflow_provider_ocr.protocol.vocabulary import TaskStatus, find_value
from airflow_provider_ocr.protocol.xml_reading import MAX_BODY_BYTES, Element, read_elements

__all__ = [
    "MAX_BODY_BYTES",
    "parse_application_info",
    "parse_error",
    "parse_tasks",
    "render_application_info",
    "render_error",
    "render_tasks",
]

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
_MAX_DIGITS = 15
_MAX_QUOTED_LENGTH = 500
_INSTEAD_BYTES = 64 * 1024
_APPLICATION_NAMESPACE = "http://ocrsdk.com/schema/appInfo-1.0.xsd"
_APPLICATION_TEXTS = frozenset({"id", "displayName", "name", "pages", "fields", "expires", "type"})
_RESULT_ATTRIBUTES = ("resultUrl", *(f"resultUrl{number}" for number in range(2, MAX_RESULTS + 1)))
_KNOWN_ATTRIBUTES = frozenset(
    {
        "id",
        "registrationTime",
        "statusChangeTime",
        "status",
        "error",
        "filesCount",
        "credits",
        "estimatedProcessingTime",
        *_RESULT_ATTRIBUTES,
        "description",
    }
)


def parse_tasks(body: bytes) -> list[OcrTask]:
    """The tasks of a ``response`` document, in its order; an empty list is an answer too.

    :param body: the HTTP body as received.
    :raises UnreadableAnswerError: if the body is not such a document.
    """
    return list(iterate_tasks(body))


def iterate_tasks(body: bytes) -> Iterator[OcrTask]:
    """The same one by one, for whoever does not keep them: a long list is a lot of objects.

    :param body: the HTTP body as received.
    :raises UnreadableAnswerError: as soon as the body turns out not to be such a document; tasks may have
        come before.
    """
    for element in _read_document(body, "response"):
        if element.depth == 2 and element.name == "task":  # noqa: PLR2004 - a child of the root
            yield _read_task(element.attributes)


def parse_application_info(body: bytes) -> ApplicationInfo:
    """The application of an ``info`` document.

    :param body: the HTTP body as received.
    :raises UnreadableAnswerError: if the body is not such a document.
    """
    told = _read_application(_read_document(body, "info", _APPLICATION_TEXTS))
    if told is None:
        raise UnreadableAnswerError("The answer has no application in it.")
    return ApplicationInfo(
        id=told.get("id") or None,
        # Older servers have only the second.
        name=told.get("displayName") or told.get("name") or None,
        pages=_read_number(told.get("pages")),
        fields=_read_number(told.get("fields")),
        expires=_read_time(told.get("expires")),
        type=told.get("type") or None,
    )


def parse_error(body: bytes) -> str | None:
    """The words of a body that came instead of an answer, on one line; None where it has none.

    They are the message of an ``error`` document, that of a JSON error, a short plain text, or for a web
    page that it is one, with its title. They may hold URLs.

    :param body: the HTTP body as received.
    """
    return _error_words(body) or json_words(body) or page_words(body) or text_words(body)


def render_tasks(tasks: Iterable[OcrTask]) -> bytes:
    """A ``response`` document with these tasks.

    :param tasks: in the order in which they are to stand; there may be none.
    """
    root = ET.Element("response")
    for task in tasks:
        ET.SubElement(root, "task", _task_attributes(task))
    return _render(root)


def render_application_info(application: ApplicationInfo) -> bytes:
    """An ``info`` document about this application.

    :param application: whom it is about.
    """
    # Written as an attribute, so that the elements carry no prefix.
    root = ET.Element("info", {"xmlns": _APPLICATION_NAMESPACE})
    expires = application.expires
    values = {
        "id": application.id,
        "displayName": application.name,
        "name": application.name,
        "pages": application.pages,
        "fields": application.fields,
        # Unlike all other times, this one has no zone suffix.
        "expires": render_time(expires).removesuffix("Z") if expires else None,
        "type": application.type,
    }
    parent = ET.SubElement(root, "application")
    for name, value in values.items():
        if value is not None:
            ET.SubElement(parent, name).text = as_xml_text(str(value))
    return _render(root)


def render_error(message: str) -> bytes:
    """An ``error`` document that says ``message``.

    :param message: words for a person.
    """
    root = ET.Element("error")
    # Two Node clients find the text only if the element has an attribute.
    element = ET.SubElement(root, "message", {"language": "english"})
    element.text = as_xml_text(message)
    return _render(root)


def _read_document(body: bytes, root: str, texts: Collection[str] = ()) -> Iterator[Element]:
    """The elements of a document of the API, or an error that says what came instead."""
    try:
        yield from read_elements(body, root=root, texts=texts)
    except UnreadableAnswerError as error:
        told = _told_instead(body[:_INSTEAD_BYTES])
        raise UnreadableAnswerError(f"{error}{without_url_secrets(told)}") from None


def _told_instead(body: bytes) -> str:
    """What came instead of a document, as the end of a message; empty if there is nothing to tell."""
    page = page_words(body)
    if page:
        return f" There came {page}"
    words = parse_error(body)
    return f" It says: {words[:_MAX_QUOTED_LENGTH]}" if words else ""


def _error_words(body: bytes) -> str | None:
    try:
        for element in read_elements(body, root="error", texts={"message"}):
            if element.name == "message" and element.text.strip():
                return as_words(element.text)
    except UnreadableAnswerError:
        return None
    return None


def _read_application(elements: Iterable[Element]) -> dict[str, str] | None:
    """The texts of the first application, by the names of its elements."""
    first: dict[str, str] | None = None
    told: dict[str, str] = {}
    for element in elements:
        if element.depth == 3:  # noqa: PLR2004 - a child of a child of the root
            told[element.name] = element.text.strip()
        elif element.depth == 2:  # noqa: PLR2004 - a child of the root
            if element.name == "application" and first is None:
                first = told
            told = {}
    return first


def _read_task(attributes: Mapping[str, str]) -> OcrTask:
    if not attributes.get("id"):
        raise UnreadableAnswerError("The answer has a task without an ID.")
    status = attributes.get("status", "")
    urls = _result_urls(attributes)
    unpaired = _RESULT_ATTRIBUTES[len(urls) :]
    return OcrTask(
        id=attributes["id"],
        status=find_value(TaskStatus, status) or status,
        registration_time=_read_time(attributes.get("registrationTime")),
        status_change_time=_read_time(attributes.get("statusChangeTime")),
        error=attributes.get("error"),
        files_count=_read_number(attributes.get("filesCount")),
        credits=_read_number(attributes.get("credits")),
        estimated_processing_time=_read_number(attributes.get("estimatedProcessingTime")),
        result_urls=urls,
        description=attributes.get("description"),
        extra=tuple(
            (name, value)
            for name, value in attributes.items()
            if name not in _KNOWN_ATTRIBUTES or (name in unpaired and value)
        ),
    )


def _result_urls(attributes: Mapping[str, str]) -> tuple[str, ...]:
    """The URLs up to the first that is missing: a later one must not pass for the result before it."""
    urls = [attributes.get(name, "") for name in _RESULT_ATTRIBUTES]
    return tuple(urls[: urls.index("")] if "" in urls else urls)


def _read_time(text: str | None) -> pendulum.DateTime | None:
    try:
        return parse_time(text) if text else None
    except ValueError:
        return None


def _read_number(text: str | None) -> int | None:
    plain = text and text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
    return int(text) if text and plain else None


def _task_attributes(task: OcrTask) -> dict[str, str]:
    registered, changed = task.registration_time, task.status_change_time
    attributes = {
        "id": task.id,
        "registrationTime": render_time(registered) if registered else None,
        "statusChangeTime": render_time(changed) if changed else None,
        "status": str(task.status),
        "error": task.error,
        "filesCount": task.files_count,
        "credits": task.credits,
        "estimatedProcessingTime": task.estimated_processing_time,
        **dict(zip(_RESULT_ATTRIBUTES, task.result_urls, strict=False)),
        "description": task.description,
    }
    known = {name: as_xml_text(str(value)) for name, value in attributes.items() if value is not None}
    return known | {name: as_xml_text(value) for name, value in task.extra if name not in attributes}


def _render(root: ET.Element) -> bytes:
    return (_DECLARATION + ET.tostring(root, encoding="unicode", short_empty_elements=True)).encode()
