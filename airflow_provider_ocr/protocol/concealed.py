# SPDX-License-Identifier: Apache-2.0
"""Text that shows without its secrets to everybody who merely reads, prints or serialises it."""

from __future__ import annotations

from typing import Any, Self


class Concealed(str):
    """A text that stands for another one, which is had by asking for it.

    It is what may be shown, to every reader there is: ``print``, JSON, a database, a debugger. That makes it
    safer than any list of texts to be masked, which other processes do not know and short texts are not on.

    :param shown: what may be seen.
    :param revealed: what it stands for.
    """

    __slots__ = ("__revealed",)
    __revealed: str

    def __new__(cls, shown: str, revealed: str) -> Self:
        text = super().__new__(cls, shown)
        text.__revealed = revealed
        return text

    @property
    def revealed(self) -> str:
        """The whole text, secrets included."""
        return self.__revealed

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:
        return type(self), (str(self), self.__revealed)


def reveal(value: Any) -> Any:
    """The text behind a concealed one; any other value as it is."""
    return value.revealed if isinstance(value, Concealed) else value
