# SPDX-License-Identifier: Apache-2.0
"""Options that may stand on the command line or in the environment; what stands on the command line wins.

``--keep-images`` is ``CLOUD_OCR_SERVER_KEEP_IMAGES``; an option that may be given several times has its
values separated by commas there. An empty variable counts as none. A wrong value is reported under the name
that it was given by.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_ocr.server.operations.command_errors import UsageError

PREFIX = "CLOUD_OCR_SERVER_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One option.

    :param name: without the dashes before it.
    :param metavar: how help shows its value.
    :param kind: makes the value of its text, or raises `argparse.ArgumentTypeError`.
    :param explanation: for help.
    :param default: the text that counts where nothing is given; None for the value None.
    :param several: whether it may be given several times; its value is then a list, empty by default.
    :param required: whether something has to be given.
    """

    name: str
    metavar: str
    kind: Callable[[str], Any]
    explanation: str
    default: str | None = None
    several: bool = False
    required: bool = False

    @property
    def destination(self) -> str:
        """Its name among the values."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """Its name in the environment."""
        return PREFIX + self.destination.upper()


def add_flags(parser: argparse._ActionsContainer, flags: Iterable[Flag]) -> None:
    """Let a parser take flags; what is not given is missing in its namespace."""
    for flag in flags:
        notes = [
            *(["required"] if flag.required else []),
            *(["may be given several times"] if flag.several else []),
            *([f"default: {flag.default}"] if flag.default is not None else []),
        ]
        parser.add_argument(
            f"--{flag.name}",
            type=flag.kind,
            metavar=flag.metavar,
            action="append" if flag.several else "store",
            default=argparse.SUPPRESS,
            help=flag.explanation + (f" ({'; '.join(notes)})" if notes else ""),
        )


def option_values(
    flags: Iterable[Flag], given: argparse.Namespace, environment: Mapping[str, str]
) -> dict[str, Any]:
    """The value of each flag, by destination.

    :param given: what the command line says, from a parser that `add_flags` has prepared.
    :raises UsageError: if a variable's value is wrong, or a required one is given nowhere.
    """
    return {flag.destination: _value(flag, vars(given), environment) for flag in flags}


def unknown_variables(flags: Iterable[Flag], environment: Mapping[str, str]) -> list[str]:
    """Variables that look like options and are none, most likely misspelt."""
    known = {flag.variable for flag in flags}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def _value(flag: Flag, given: Mapping[str, Any], environment: Mapping[str, str]) -> Any:
    if flag.destination in given:
        return given[flag.destination]
    text = environment.get(flag.variable, "").strip()
    if text:
        return _from_variable(flag, text)
    if flag.required:
        raise UsageError(f"--{flag.name} {flag.metavar}, or {flag.variable}, is missing: {flag.explanation}.")
    if flag.several:
        return []
    return None if flag.default is None else flag.kind(flag.default)


def _from_variable(flag: Flag, text: str) -> Any:
    try:
        if flag.several:
            return [flag.kind(part.strip()) for part in text.split(",") if part.strip()]
        return flag.kind(text)
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"{flag.variable}: {error}") from None
