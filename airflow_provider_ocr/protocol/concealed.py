# SPDX-License-Identifier: Apache-2.0
"""Text that shows without its secrets to everybody who merely reads, prints or serialises it."""

from __future__ import annotations

from typing import Any, Self


class Concealed:
    """Stands for a text with secrets, which is had only by asking for it.

    All others get what may be shown: ``str``, ``repr``, templates, and Airflow's ``serialize``. That is safer
    than any list of texts to be masked, which other processes do not know and short texts are not put on.
    It is no ``str`` itself, because Airflow's processes cannot send each other a kind of ``str``; and no
    dataclass, because lineage tools look into those.

    :param shown: what may be seen.
    :param revealed: what it stands for: a text, or an object that is written as one, such as a path.
    """

    __slots__ = ("__revealed", "__shown")

    def __init__(self, *, shown: str, revealed: Any) -> None:
        self.__shown = shown
        self.__revealed = revealed

    @property
    def revealed(self) -> Any:
        """The whole of it, secrets included."""
        return self.__revealed

    def serialize(self) -> str:
        """What Airflow writes into its database and shows."""
        return self.__shown

    def __str__(self) -> str:
        return self.__shown

    def __repr__(self) -> str:
        return repr(self.__shown)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Concealed):
            return bool(self.__revealed == other.__revealed)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.__revealed)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def reveal(value: Any) -> Any:
    """The text behind a concealed one; any other value as it is.

    :param value: a `Concealed` text, or anything else.
    """
    return value.revealed if isinstance(value, Concealed) else value
