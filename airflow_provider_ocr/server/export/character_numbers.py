# SPDX-License-Identifier: Apache-2.0
"""The numbers that a font of a PDF file has for the characters of one document, as they occur."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_MOST = 0xFFFF


class CharacterNumbers:
    """Gives each different character a number, from 1 on."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        """The characters in the order of their numbers."""
        return iter(self._numbers)

    def encode(self, characters: Iterable[str]) -> str:
        """The characters as a PDF hexadecimal string without its brackets; new ones get a number.

        :raises ValueError: if the document has more different characters than a font can.
        """
        return "".join(f"{self._number(character):04X}" for character in characters)

    def texts(self) -> dict[int, str]:
        """What each number stands for."""
        return {number: character for character, number in self._numbers.items()}

    def _number(self, character: str) -> int:
        number = self._numbers.setdefault(character, len(self._numbers) + 1)
        if number > _MOST:
            raise ValueError(f"a document with more than {_MOST} characters")
        return number
