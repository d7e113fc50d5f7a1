# SPDX-License-Identifier: Apache-2.0
"""What all commands have in common: quiet logs, one line for a failure, an exit status, a client."""

from __future__ import annotations

import functools
import logging
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowException
from airflow.utils.cli import suppress_logs_and_warning
from airflow.utils.providers_configuration_loader import providers_configuration_loaded

from airflow_provider_ocr.cli.exits import CommandFailed, ExitCode, code_of, words_of
from airflow_provider_ocr.cli.printing import answers_apart, plain_text, tell
from airflow_provider_ocr.hooks.cloud_ocr import READ_ATTEMPTS, CloudOcrHook
from airflow_provider_ocr.protocol.errors import OcrError

if TYPE_CHECKING:
    from airflow_provider_ocr.client.client import CloudOcrClient

INTERRUPTED = "Interrupted. OCR tasks that were started go on: `airflow ocr list` shows them."

_PROCESS_CONTEXT = "_AIRFLOW_PROCESS_CONTEXT"


def command(run: Callable[[Namespace], None]) -> Callable[[Namespace], None]:
    """Makes a command of a function: failures become a line on standard error and an exit status.

    Airflow's own ``action_cli`` is not used on purpose. It writes the command line into the metadata
    database, and a signed URL may stand there.

    :param run: does the command's work.
    """
    quiet = suppress_logs_and_warning(providers_configuration_loaded(run))

    @functools.wraps(run)
    def wrapper(given: Namespace) -> None:
        try:
            with _connections_of_a_server(), _logs_beside_the_answer() if given.verbose else nullcontext():
                quiet(given)
                sys.stdout.flush()
        except CommandFailed as failure:
            _end(*failure.lines, code=failure.code)
        except OcrError as error:
            _end(words_of(error), code=code_of(error))
        except BrokenPipeError:
            # Whoever read the answer has seen enough, as in `airflow ocr list | head`.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(ExitCode.FAILED)
        except KeyboardInterrupt:
            _end(INTERRUPTED, code=ExitCode.INTERRUPTED)

    return wrapper


@contextmanager
def connected(given: Namespace, *, read_attempts: int = READ_ATTEMPTS) -> Iterator[CloudOcrClient]:
    """A client for the connection that the command line names.

    :param given: what the command line says.
    :param read_attempts: how often a call that changes nothing is tried in all.
    :raises CommandFailed: if the connection is not defined or lacks a field.
    """
    try:
        client = CloudOcrHook(given.conn_id).get_conn(read_attempts=read_attempts)
    except (AirflowException, OcrError) as error:
        raise CommandFailed(str(error), code=ExitCode.NO_ACCESS) from None
    with client:
        yield client


def _end(*lines: str, code: ExitCode) -> None:
    for line in lines:
        tell(plain_text(line))
    sys.exit(code)


@contextmanager
def _logs_beside_the_answer() -> Iterator[None]:
    """Lets everything be logged, to standard error: standard output has the answer."""
    root = logging.getLogger()
    root.setLevel(logging.DEBUG)
    for handler in root.handlers:
        handler.setLevel(logging.DEBUG)
    with answers_apart():
        yield


@contextmanager
def _connections_of_a_server() -> Iterator[None]:
    """Lets connections come from the metadata database too, as ``airflow connections test`` does."""
    before = os.environ.get(_PROCESS_CONTEXT)
    os.environ[_PROCESS_CONTEXT] = "server"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_PROCESS_CONTEXT]
        else:
            os.environ[_PROCESS_CONTEXT] = before
