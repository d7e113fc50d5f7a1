# SPDX-License-Identifier: Apache-2.0
"""What a spreadsheet shows of a value, for the number formats that the server writes."""

from __future__ import annotations

import re
from decimal import Decimal

_SEPARATORS = {"409": (".", ","), "407": (",", "."), "40C": (",", "\u202f"), None: ("?", "?")}
_SECTION = re.compile(
    r"(?:\[\$-(?P<locale>[0-9A-F]+)\])?(?P<before>(?:\\.)*)(?P<whole>[#0](?:[#0,]|\\.(?=[#0]))*)"
    r"(?P<fraction>\.0+)?(?P<behind>(?:\\.)*)"
)


def displayed(value: float, number_format: str) -> str:
    """The text that stands in the cell."""
    sections = re.split(r"(?<!\\);", number_format)
    shown = abs(value) if value < 0 and len(sections) > 1 else value
    section = _SECTION.fullmatch(sections[-1] if value < 0 else sections[0])
    assert section is not None, number_format
    decimal, group = _SEPARATORS[section["locale"]]
    places = len(section["fraction"] or ".") - 1
    # As a spreadsheet does, from the fifteen digits that it knows of a value.
    digits = f"{abs(Decimal(f'{shown:.15g}')):.{places}f}"
    whole, _, fraction = digits.partition(".")
    whole = _grouped(whole, section["whole"], group)
    text = "-" * (shown < 0) + whole + (decimal + fraction if fraction else "")
    return _plain(section["before"]) + text + _plain(section["behind"])


def _grouped(digits: str, pattern: str, group: str) -> str:
    if "," in pattern:
        return re.sub(r"(?<=\d)(?=(?:\d{3})+$)", group, digits)
    literal = re.search(r"\\(.)", pattern)
    if literal is None:
        return digits
    assert len(digits) == len(re.findall("[#0]", pattern)), "another magnitude than the format is for"
    return re.sub(r"(?<=\d)(?=(?:\d{3})+$)", literal[1], digits)


def _plain(literal: str) -> str:
    return literal[1::2]
