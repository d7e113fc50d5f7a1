# SPDX-License-Identifier: Apache-2.0
"""Any text as RTF writes it: in ASCII, every other character by its number."""

from __future__ import annotations

_SPECIAL = str.maketrans(
    {"\\": r"\\", "{": r"\{", "}": r"\}", "\t": r"\tab ", "\n": r"\line ", "\r": r"\line "}
)
_ASCII = 0x7F


def rtf_text(text: str) -> str:
    """``text`` for the body of an RTF file.

    :param text: without the control characters that XML cannot carry; RTF cannot either.
    """
    return "".join(map(_character, text.translate(_SPECIAL)))


def _character(character: str) -> str:
    if ord(character) <= _ASCII:
        return character
    # Signed numbers of 16 bits, each followed by what old readers show.
    units = character.encode("utf-16-le")
    numbers = (int.from_bytes(units[at : at + 2], "little", signed=True) for at in range(0, len(units), 2))
    return "".join(rf"\u{number}?" for number in numbers)
