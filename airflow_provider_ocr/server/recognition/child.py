# SPDX-License-Identifier: Apache-2.0
"""The process that opens strangers' files: one JSON job per line on stdin, ``events`` on stdout.

Every job has ``images``, a list of paths, and ``job``, which is one of

* ``measure``, with ``password``; answered by ``Measured``;
* ``recognise``, with ``settings`` (query parameters), ``pages`` (a folder) and ``seconds`` (or null);
  answered by ``PageBegun`` and ``PageDone`` for each page, then ``Recognised``;
* ``export``, with ``settings``, ``pages`` and ``output`` (a folder); answered likewise, then by ``Exported``.

In place of the last event there may be ``Failed``. The process ends with its input, with its parent, and
after a fault that may have left it in disorder.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from airflow_provider_ocr.server.recognition.child_jobs import ChildJobs
from airflow_provider_ocr.server.recognition.errors import (
    PageError,
    PageMemoryError,
    PasswordError,
    RecognitionError,
    UnsupportedError,
)
from airflow_provider_ocr.server.recognition.events import Event, Failed, Fault, PageBegun, Ready, encode
from airflow_provider_ocr.server.recognition.limits import die_with, limit

_ORDERLY = frozenset({Fault.DOCUMENT, Fault.PASSWORD, Fault.UNSUPPORTED, Fault.PAGE})


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve jobs until the input ends; the exit status is 1 after a fault that may have left disorder."""
    parser = argparse.ArgumentParser(description="Opens documents for the OCR server.")
    parser.add_argument("--address-space", type=int, required=True)
    parser.add_argument("--file-bytes", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--tessdata", type=Path, required=True)
    options = parser.parse_args(arguments)
    die_with(options.parent)
    # A service manager that stops the server signals every process of it; the server ends this one in order.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    limit(address_space=options.address_space, file_bytes=options.file_bytes)
    events = _private_output()
    return 0 if _serve(sys.stdin, events, ChildJobs(options.tessdata)) else 1


def _serve(lines: TextIO, events: TextIO, jobs: ChildJobs) -> bool:
    """Whether all jobs were done, or failed in an orderly way."""
    _tell(events, Ready())
    for line in lines:
        failed = _run(json.loads(line), events, jobs)
        if failed is not None:
            _tell(events, failed)
            if failed.fault not in _ORDERLY:
                return False
    return True


def _run(job: dict[str, Any], events: TextIO, jobs: ChildJobs) -> Failed | None:
    """Carry out a job and tell its events; why it failed, if it did."""
    page = None
    try:
        for event in jobs.run(job):
            if isinstance(event, PageBegun):
                page = event.page
            _tell(events, event)
    except RecognitionError as error:
        return _told(error)
    except Exception as error:  # noqa: BLE001 - a fault of any kind is reported, then ends the process
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - stderr is the log here
        return _unforeseen(error, page)
    return None


def _told(error: RecognitionError) -> Failed:
    match error:
        case PageMemoryError():
            return Failed(Fault.MEMORY, str(error), error.number)
        case PageError():
            return Failed(Fault.PAGE, str(error), error.number)
        case PasswordError():
            return Failed(Fault.PASSWORD, str(error))
        case UnsupportedError():
            return Failed(Fault.UNSUPPORTED, str(error))
    return Failed(Fault.DOCUMENT, str(error))


def _unforeseen(error: Exception, page: int | None) -> Failed:
    where = "The document" if page is None else f"Page {page}"
    if isinstance(error, MemoryError):
        return Failed(Fault.MEMORY, f"{where} needs more memory than is allowed.", page)
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return Failed(Fault.DOCUMENT, "A result file would become larger than is allowed.")
    if isinstance(error, OSError) and error.errno is not None:  # decoders' own errors have no number
        return Failed(Fault.SYSTEM, f"{where} could not be worked on: {os.strerror(error.errno)}.", page)
    # Only the kind: what errors say may name folders of the server.
    return Failed(Fault.UNEXPECTED, f"{where} could not be worked on ({type(error).__name__}).", page)


def _tell(events: TextIO, event: Event) -> None:
    events.write(encode(event) + "\n")
    events.flush()


def _private_output() -> TextIO:
    """A stream to the parent that no library writes to: what they print goes to stderr instead."""
    private = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return private


if __name__ == "__main__":
    sys.exit(main())
