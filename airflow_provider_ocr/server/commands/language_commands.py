# SPDX-License-Identifier: Apache-2.0
"""``cloud-ocr-server languages``: what a server can read, and more of it."""

from __future__ import annotations

import argparse
import os
from typing import Any

from airflow_provider_ocr.server.commands import flag_values
from airflow_provider_ocr.server.commands.environment import Flag, add_flags, option_values
from airflow_provider_ocr.server.commands.listing import Output, list_text
from airflow_provider_ocr.server.commands.serve_flags import DATA, TESSDATA
from airflow_provider_ocr.server.operations.command_errors import UsageError
from airflow_provider_ocr.server.recognition.official_data import MIRROR

_MIRROR = Flag(
    name="mirror",
    metavar="URL",
    kind=flag_values.url,
    default=MIRROR,
    explanation="where the files of tessdata_fast 4.1.0 lie",
)
_LISTING, _ADDING = (DATA, TESSDATA), (DATA, _MIRROR)


def add_language_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Let a command line have these commands."""
    parser = commands.add_parser("languages", help="what the server can read, and more of it")
    actions = parser.add_subparsers(dest="action", required=True)
    explained = "list the languages that there is data for"
    listing = actions.add_parser("list", help=explained, description=explained, allow_abbrev=False)
    add_flags(listing, _LISTING)
    listing.add_argument("--all", action="store_true", help="also those that there is no data for")
    listing.add_argument(
        "--output",
        "-o",
        type=Output,
        choices=list(Output),
        default=Output.TABLE,
        help="how (default: table)",
    )
    listing.set_defaults(run=_list, parser=listing)
    explained = (
        "bring the official data for languages, checked by its SHA-256; the server's next start takes it"
    )
    adding = actions.add_parser("add", help=explained, description=explained, allow_abbrev=False)
    add_flags(adding, _ADDING)
    adding.add_argument("names", nargs="+", metavar="NAME", help="for example Polish")
    adding.set_defaults(run=_add, parser=adding)


def _list(given: argparse.Namespace) -> None:
    from airflow_provider_ocr.server.operations.languages import languages

    values = _values(_LISTING, given)
    rows = [
        {"language": name, "code": code, "data": None if data is None else str(data)}
        for name, code, data in languages(values["data"], values["tessdata"])
        if data is not None or given.all
    ]
    print(list_text(rows, given.output))  # noqa: T201 - the command's answer


def _add(given: argparse.Namespace) -> None:
    from airflow_provider_ocr.protocol.errors import InvalidParameterError
    from airflow_provider_ocr.protocol.languages import require_language
    from airflow_provider_ocr.server.operations.languages import add_language

    values = _values(_ADDING, given)
    try:
        names = [require_language(name) for name in given.names]
    except InvalidParameterError as error:
        raise UsageError(str(error)) from None
    for name in names:
        path = add_language(name, data=values["data"], mirror=values["mirror"])
        print(f"{name}: {path}")  # noqa: T201 - the command's answer


def _values(flags: tuple[Flag, ...], given: argparse.Namespace) -> dict[str, Any]:
    return option_values(flags, given, os.environ)
