# SPDX-License-Identifier: Apache-2.0
"""Arguments that a template may give: which of them only a run knows, and what a rendered text stands for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow_provider_ocr.exceptions import CloudOcrParameterError

_TEMPLATE_MARKS = ("{{", "{%", "{#")
_SWITCH = {"true": True, "false": False}


def is_later(value: Any) -> bool:
    """Whether only a run knows the value: it is a template, a reference to an XCom, or a function.

    :param value: an argument, or an entry of a list.
    """
    if isinstance(value, str):
        return any(mark in value for mark in _TEMPLATE_MARKS)
    return callable(value) or hasattr(value, "iter_references") or hasattr(value, "template_fields")


def switch(name: str, value: Any) -> bool:
    """A switch, which a template may have made a text of.

    :param name: the argument's name, for the error.
    :param value: True or False, or their names in any case.
    :raises CloudOcrParameterError: if it is neither.
    """
    found = _SWITCH.get(str(value).strip().lower())
    if found is None:
        raise CloudOcrParameterError(f"{name}: it is {value!r}, and has to be true or false.")
    return found


def seconds(name: str, value: Any, *, least: float) -> float:
    """A length of time in seconds, which a template may have made a text of.

    :param name: the argument's name, for the error.
    :param value: seconds, or a timedelta.
    :param least: the shortest that is allowed, in seconds.
    :raises CloudOcrParameterError: if it is no length of time, or too short.
    """
    try:
        found = value.total_seconds() if isinstance(value, timedelta) else float(value)
    except (TypeError, ValueError):
        raise CloudOcrParameterError(f"{name}: it is {value!r}, and has to be a number of seconds.") from None
    if not least <= found < float("inf"):
        raise CloudOcrParameterError(f"{name}: it is {found:g} s, and has to be at least {least:g} s.")
    return found
