# SPDX-License-Identifier: Apache-2.0
"""What in a table is a number, as far as can be told before it is read well."""

from __future__ import annotations

from airflow_provider_ocr.server.document import Line

_DIGITS = 0.7  # share of what stands in a cell, for it to be a number
_SIGNS = ".,;'+-%$€£()/"  # that numbers are written with, or digits mistaken for


def is_number(line: Line) -> bool:
    """Whether the line is mostly digits."""
    text = "".join(line.texts)
    digits = sum(character.isdigit() for character in text)
    signs = sum(character in _SIGNS for character in text)
    return bool(digits) and digits + signs >= _DIGITS * len(text)
