# SPDX-License-Identifier: Apache-2.0
"""``cloud-ocr-server``: starts the server, and says what it needs to run without Airflow."""

from __future__ import annotations

import argparse
import fcntl
import ipaddress
import logging
import os
import socket
import sys
from collections.abc import Sequence
from importlib.metadata import requires
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from airflow_provider_ocr import __version__
from airflow_provider_ocr.server.choices import Choices, DeletedTask, ListFilter, ListOrder

if TYPE_CHECKING:
    from airflow_provider_ocr.server.networks import Network

DISTRIBUTION = "airflow-provider-ocr"

_LARGEST_PORT = 65535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0 after an orderly stop, 1 if the server could not start."""
    options = _parser().parse_args(arguments)
    if options.command == "requirements":
        print("\n".join(server_requirements()))  # noqa: T201 - this is what the command is for
        return 0
    return serve(options)


def server_requirements() -> list[str]:
    """What the server needs beside this package, as pip takes it."""
    marker = 'extra == "server"'
    found = (entry.partition(";") for entry in requires(DISTRIBUTION) or ())
    return [
        requirement.strip() for requirement, _, condition in found if marker in condition.replace("'", '"')
    ]


def serve(options: argparse.Namespace) -> int:
    """Serve until a signal comes."""
    # Heavy imports wait until it is clear that there is something to serve.
    from airflow_provider_ocr.server.running import run_server

    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    # It warns with whole URLs, in whose queries signatures stand.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        lock = _lock(options.data)
        listener = _listen(options.host, options.port)
    except _CannotStartError as error:
        print(f"cloud-ocr-server: {error}", file=sys.stderr)  # noqa: T201 - logging is for what runs
        return 1
    # Scans and results are for this user alone.
    os.umask(0o077)
    with lock, listener:
        run_server(
            listener=listener,
            data=options.data,
            passwords=dict(options.application),
            workers=options.workers,
            allowed_sources=options.allow_source,
            tessdata=options.tessdata,
            choices=Choices(
                list_order=options.list_order,
                list_filter=options.list_filter,
                deleted_task=options.deleted_task,
            ),
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cloud-ocr-server", description=__doc__)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser(
        "requirements",
        help="print the packages that the server needs, one a line, for machines without Airflow",
    )
    serving = commands.add_parser(
        "serve",
        help="answer the Cloud OCR SDK API and recognise",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    _add_serve_options(serving)
    return parser


def _add_serve_options(serving: argparse.ArgumentParser) -> None:
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serving.add_argument("--port", type=_port, default=8095, help="port to listen on; 0 takes a free one")
    serving.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="folder for database, images and results"
    )
    serving.add_argument(
        "--application",
        type=_application,
        action="append",
        required=True,
        metavar="NAME:PASSWORD",
        help="an application that may use the server; may be given several times",
    )
    serving.add_argument(
        "--workers", type=_at_least_one, default=2, metavar="N", help="documents recognised at the same time"
    )
    serving.add_argument(
        "--allow-source",
        type=_network,
        action="append",
        default=[],
        metavar="CIDR",
        help="a network that images may be fetched from although it is not public, for example 10.1.0.0/16; "
        "may be given several times",
    )
    serving.add_argument(
        "--tessdata",
        type=_folder,
        default=None,
        metavar="DIR",
        help="folder with more tesseract language data",
    )
    _add_test_options(serving)


def _add_test_options(serving: argparse.ArgumentParser) -> None:
    """The switches for what the API's documentation leaves open, so that a client can be tested with all."""
    testing = serving.add_argument_group("to test clients with what the API's documentation leaves open")
    defaults = Choices()
    for name, kind, explanation in (
        ("list_order", ListOrder, "which tasks the lists begin with"),
        ("list_filter", ListFilter, "which time of a task listTasks filters on"),
        (
            "deleted_task",
            DeletedTask,
            "what getTaskStatus answers for a deleted task: 450, or status Deleted",
        ),
    ):
        testing.add_argument(
            f"--{name.replace('_', '-')}",
            type=kind,
            choices=list(kind),
            default=getattr(defaults, name),
            help=explanation,
        )


def _application(text: str) -> tuple[str, str]:
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise argparse.ArgumentTypeError("needs the form NAME:PASSWORD")
    return name, password


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no folder")
    return Path(text)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"is no network: {error}") from None


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > _LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port number")
    return int(text)


def _at_least_one(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


class _CannotStartError(Exception):
    """Why the server cannot start, and what to do about it."""


def _lock(data: Path) -> TextIO:
    """The lock of a data folder, with this process's ID in it; held while it is open."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (data / "server.lock").open("a+")
    except OSError as error:
        raise _CannotStartError(f"the data folder {data} cannot be used: {error.strerror}.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip()
        raise _CannotStartError(
            f"another server is running on {data} (process {owner or 'unknown'}); "
            "stop it, or name another --data."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise _CannotStartError(f"{host}:{port} cannot be listened on: {error.strerror}.") from None
