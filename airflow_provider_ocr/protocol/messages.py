# SPDX-License-Identifier: Apache-2.0
"""The API's XML documents: tasks, applications and errors, read and written.

Reading is lenient about what servers vary (namespaces, order, missing attributes) and strict about what
could do harm: no DTD, no entity, nothing over 16 MiB. Writing gives the service's observed form: one
line, no namespace, attributes in a fixed order. Clients in other languages depend on that form.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

import pendulum
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from airflow_provider_ocr.protocol.characters import as_xml_text
from airflow_provider_ocr.protocol.errors import UnreadableAnswerError
from airflow_provider_ocr.protocol.task import MAX_RESULTS, ApplicationInfo, OcrTask
from airflow_provider_ocr.protocol.times import parse_time, render_time
from airflow_provider_ocr.protocol.vocabulary import TaskStatus, find_value

MAX_BODY_BYTES = 16 * 1024 * 1024

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
_MAX_DIGITS = 15
_APPLICATION_NAMESPACE = "http://ocrsdk.com/schema/appInfo-1.0.xsd"
_RESULT_ATTRIBUTES = ("resultUrl", *(f"resultUrl{number}" for number in range(2, MAX_RESULTS + 1)))


def parse_tasks(body: bytes) -> list[OcrTask]:
    """The tasks of a ``response`` document, in its order; an empty list is an answer too.

    :param body: the HTTP body as received.
    :raises UnreadableAnswerError: if the body is not such a document.
    """
    root = _parse_document(body, "response")
    return [_read_task(element) for element in root if _local_name(element) == "task"]


def parse_application_info(body: bytes) -> ApplicationInfo:
    """The application of an ``info`` document.

    :param body: the HTTP body as received.
    :raises UnreadableAnswerError: if the body is not such a document.
    """
    root = _parse_document(body, "info")
    application = next((element for element in root if _local_name(element) == "application"), None)
    if application is None:
        raise UnreadableAnswerError("The answer has no application in it.")
    told = {_local_name(element): (element.text or "").strip() for element in application}
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
    """The server's own words in an ``error`` document; None where the body is anything else."""
    try:
        root = _parse(body)
    except UnreadableAnswerError:
        return None
    if _local_name(root) != "error":
        return None
    texts = (element.text for element in root.iter() if _local_name(element) == "message")
    return next((" ".join(text.split()) for text in texts if text and text.strip()), None)


def render_tasks(tasks: Iterable[OcrTask]) -> bytes:
    """A ``response`` document with these tasks."""
    root = ET.Element("response")
    for task in tasks:
        ET.SubElement(root, "task", _task_attributes(task))
    return _render(root)


def render_application_info(application: ApplicationInfo) -> bytes:
    """An ``info`` document about this application."""
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
    """An ``error`` document that says ``message``."""
    root = ET.Element("error")
    # Two Node clients find the text only if the element has an attribute.
    element = ET.SubElement(root, "message", {"language": "english"})
    element.text = as_xml_text(message)
    return _render(root)


def _parse_document(body: bytes, name: str) -> ET.Element:
    root = _parse(body)
    if _local_name(root) != name:
        raise UnreadableAnswerError(f"The answer is a <{_local_name(root)[:40]}> document, not a <{name}>.")
    return root


def _parse(body: bytes) -> ET.Element:
    if len(body) > MAX_BODY_BYTES:
        raise UnreadableAnswerError(f"The answer has {len(body)} bytes, more than {MAX_BODY_BYTES}.")
    try:
        root: ET.Element = fromstring(body.lstrip(), forbid_dtd=True)
    except (ET.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise UnreadableAnswerError(
            f"The answer is not XML that can be read ({type(error).__name__})."
        ) from None
    return root


def _local_name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _read_task(element: ET.Element) -> OcrTask:
    attributes = element.attrib
    if not attributes.get("id"):
        raise UnreadableAnswerError("The answer has a task without an ID.")
    status = attributes.get("status", "")
    return OcrTask(
        id=attributes["id"],
        status=find_value(TaskStatus, status) or status,
        registration_time=_read_time(attributes.get("registrationTime")),
        status_change_time=_read_time(attributes.get("statusChangeTime")),
        error=attributes.get("error"),
        files_count=_read_number(attributes.get("filesCount")),
        credits=_read_number(attributes.get("credits")),
        estimated_processing_time=_read_number(attributes.get("estimatedProcessingTime")),
        result_urls=tuple(attributes[name] for name in _RESULT_ATTRIBUTES if attributes.get(name)),
        description=attributes.get("description"),
    )


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
    return {name: as_xml_text(str(value)) for name, value in attributes.items() if value is not None}


def _render(root: ET.Element) -> bytes:
    return (_DECLARATION + ET.tostring(root, encoding="unicode", short_empty_elements=True)).encode()
