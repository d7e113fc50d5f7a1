# SPDX-License-Identifier: Apache-2.0
"""``cloud-ocr-server serve``: finds and says at once what is wrong before the server starts, then runs it."""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

from airflow_provider_ocr.server.commands.environment import option_values, unknown_variables
from airflow_provider_ocr.server.commands.serve_flags import (
    DEFAULT_ADMIN_ADDRESS,
    SERVE_FLAGS,
    TEST_FLAGS,
    serve_options,
)
from airflow_provider_ocr.server.operations.command_errors import CommandError
from airflow_provider_ocr.server.operations.logs import log_to
from airflow_provider_ocr.server.operations.memory import keep_memory_together
from airflow_provider_ocr.server.operations.serve_options import Address, ServeOptions
from airflow_provider_ocr.server.operations.tls import CertificateError, ServerCertificate

_BACKLOG = 512
_log = logging.getLogger("cloud_ocr_server")


def serve(given: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> None:
    """Serve until a signal comes.

    :param given: what the command line says.
    :raises UsageError: if command line or environment say something wrong.
    :raises CommandError: if the server cannot start.
    """
    flags = (*SERVE_FLAGS, *TEST_FLAGS)
    values = option_values(flags, given, environment)
    options = serve_options(values)
    log_to()
    keep_memory_together()
    for name in unknown_variables(flags, environment):
        _log.warning("%s is in the environment, but there is no such option", name)
    with ExitStack() as held:
        held.enter_context(_lock(options.data))
        certificate = _certificate(options)
        listener = held.enter_context(_listen(Address(values["host"], values["port"])))
        admin_listener = _listen_for_admin(values["admin_listen"])
        if admin_listener is not None:
            held.enter_context(admin_listener)
        # Scans and results are for this user alone.
        os.umask(0o077)
        # Heavy imports wait until it is clear that there is something to serve.
        from airflow_provider_ocr.server.operations.running import run_server

        run_server(listener=listener, admin_listener=admin_listener, certificate=certificate, options=options)


def _lock(data: Path) -> TextIO:
    """The lock of a data folder, with this process's ID in it; held while it is open."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (data / "server.lock").open("a+")
    except OSError as error:
        raise CommandError(f"the data folder {data} cannot be used: {error.strerror}.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        owner = lock.read().strip()
        lock.close()
        raise CommandError(
            f"another server is running on {data} (process {owner or 'unknown'}); "
            "stop it, or name another --data."
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _certificate(options: ServeOptions) -> ServerCertificate | None:
    if options.tls_certificate is None:
        return None
    try:
        return ServerCertificate(options.tls_certificate, options.tls_key)
    except CertificateError as error:
        raise CommandError(f"--tls-cert: {error}") from None


def _listen_for_admin(address: Address | None) -> socket.socket | None:
    """A socket for status page and metrics; only the default address may be taken."""
    if address is None:
        return None
    try:
        return _listen(address)
    except CommandError as error:
        if address != DEFAULT_ADMIN_ADDRESS:
            raise
        _log.warning("no status page and no metrics: %s Another place is named by --admin-listen.", error)
        return None


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        # Python adds the address again in brackets.
        cause = (error.strerror or str(error)).partition(" (")[0]
        raise CommandError(f"{address} cannot be listened on: {cause}.") from None
