# SPDX-License-Identifier: Apache-2.0
"""The flags for recognition and export: one for each field of `ProcessingSettings`, whatever they are.

A field that is kept out of ``repr`` is a secret and gets no flag for its value, which would show in the list
of processes; it is read from a file. Where somebody gives the value all the same no message repeats it.
"""

from __future__ import annotations

import inspect
import re
import sys
from argparse import SUPPRESS, Action, ArgumentParser, BooleanOptionalAction, Namespace
from dataclasses import Field, fields
from enum import StrEnum
from getpass import getpass
from pathlib import Path
from typing import Any, NoReturn, get_args, get_type_hints

from airflow.cli.cli_config import Arg

from airflow_provider_ocr.cli.exits import CommandFailed, ExitCode
from airflow_provider_ocr.protocol.settings import ProcessingSettings

STANDARD_INPUT = "-"

_PARAMETER = re.compile(r":param (\w+): (.*?)(?=\n:|\Z)", re.DOTALL)


def settings_args() -> tuple[Arg, ...]:
    """A flag for each setting."""
    types = get_type_hints(ProcessingSettings)
    texts = dict(_PARAMETER.findall(inspect.getdoc(ProcessingSettings) or ""))
    sentences = {name: _sentence(text) for name, text in texts.items()}
    return tuple(
        _arg(item, types[item.name], sentences.get(item.name, "")) for item in fields(ProcessingSettings)
    )


def refused_args() -> tuple[Arg, ...]:
    """What looks as if it took a secret itself, such as ``--pdf-password``; each ends the command."""
    return tuple(
        Arg(_lookalikes(item.name), help=SUPPRESS, action=_Refuse, nargs="?")
        for item in fields(ProcessingSettings)
        if not item.repr
    )


class _Refuse(Action):
    """Ends the command. argparse would take a shortened flag for the whole one, and repeat its value."""

    def __call__(self, parser: ArgumentParser, *_: object) -> NoReturn:
        parser.exit(
            ExitCode.USAGE,
            f"{self.option_strings[-1]} takes no value on the command line, where everybody can read it. "
            f"Name a file: {_file_flag(self.option_strings[-1])} FILE.\n",
        )


def _lookalikes(name: str) -> tuple[str, ...]:
    """Flags that somebody may try for a secret: its last word, its names, and each start of its true flag."""
    flag = _file_flag(_flag(name))
    first, *others = name.split("_")
    guesses = (f"--{others[-1]}", f"--{name}", f"--{first}{''.join(map(str.capitalize, others))}")
    starts = (flag[:end] for end in range(len("--") + 1, len(flag)) if flag[:end] != _flag(name))
    return (*guesses, *starts, _flag(name))


def settings_of(given: Namespace) -> ProcessingSettings:
    """The settings that the flags say; what is not said has the API's default.

    :param given: what the command line says.
    :raises InvalidParameterError: if a value is not the API's.
    :raises CommandFailed: if the file of a secret cannot be read.
    """
    return ProcessingSettings.parse(
        **{
            item.name: getattr(given, item.name) if item.repr else _secret(given, item.name)
            for item in fields(ProcessingSettings)
        }
    )


def _arg(item: Field[Any], kind: Any, text: str) -> Arg:
    flag = _flag(item.name)
    if not item.repr:
        # The docstring tells a developer more, behind the semicolon.
        purpose = text[:1].lower() + text[1:].partition(";")[0]
        return Arg(
            (_file_flag(flag),),
            help=f"A file whose first line {purpose}; {STANDARD_INPUT} is standard input",
            metavar="FILE",
        )
    if bool in (kind, *get_args(kind)):
        words = text.replace("None means", "neither means")
        return Arg((flag,), help=f"{words}{_default(item)}", action=BooleanOptionalAction, default=None)
    values = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, StrEnum)]
    allowed = f": {', '.join(values[0])}" if values else ""
    several = "; several are separated by commas" if get_args(kind) else ""
    return Arg((flag,), help=f"{text}{allowed}{several}{_default(item)}", metavar=item.name.upper())


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _file_flag(flag: str) -> str:
    return f"{flag}-file"


def _sentence(text: str) -> str:
    """A parameter's text from a docstring as the help of a command: one line, without a full stop."""
    line = " ".join(text.replace("``", "").split()).rstrip(".")
    return line[:1].upper() + line[1:]


def _default(item: Field[Any]) -> str:
    value = item.default
    if isinstance(value, tuple):
        value = ",".join(value)
    if isinstance(value, bool):
        value = str(value).lower()
    return f" (default: {value})" if value else ""


def _secret(given: Namespace, name: str) -> str:
    file: str | None = getattr(given, f"{name}_file")
    if file is None:
        return ""
    if file == STANDARD_INPUT:
        return getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    try:
        return Path(file).read_text().partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        # What is no file's name may be the secret itself.
        flag = _file_flag(_flag(name))
        raise CommandFailed(f"The file of {flag} cannot be read: {reason}.", code=ExitCode.USAGE) from None
