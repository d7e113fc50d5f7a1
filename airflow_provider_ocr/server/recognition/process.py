# SPDX-License-Identifier: Apache-2.0
"""One recognition process as its parent holds it: a line in, lines out, a time limit, a capped log."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

_CHILD = "airflow_provider_ocr.server.recognition.child"
_PACKAGE_PARENT = Path(__file__).resolve().parents[3]
_LOG_LINES = 50
_LOG_LINE_BYTES = 500
_READ_BYTES = 65536
_LONGEST_EVENT = 2**20
_SECONDS_TO_DIE = 5.0

# The kernel ends a child with the *thread* that started it, so this one starts all and lives as long as
# the process does; a worker thread that comes and goes must not take a child with it.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recognition-starter")


class ProcessDiedError(Exception):
    """The process ended, or closed its output, before it said what was asked."""


class ProcessHungError(Exception):
    """The process said nothing within the time it had."""


class ProcessBrokenError(Exception):
    """The process said something that is no event."""


class RecognitionProcess:
    """Starts ``recognition.child``, with next to nothing in its environment.

    :param limits: bytes for each of the child's options ``--memory-bytes`` and ``--file-bytes``.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        command = [sys.executable, "-P", "-m", _CHILD, "--parent", str(os.getpid())]
        command += [str(part) for option in limits.items() for part in option]
        self._popen = _STARTER.submit(_start, command).result()
        self._unread = b""
        self._log: deque[bytes] = deque(maxlen=_LOG_LINES)
        assert self._popen.stderr is not None  # noqa: S101 - Popen gives what it was asked for
        self._drain = threading.Thread(target=_drain, args=(self._popen.stderr, self._log), daemon=True)
        self._drain.start()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._popen.poll() is None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._popen.pid

    @property
    def log(self) -> str:
        """The last lines that the process and its libraries wrote."""
        return b"".join(list(self._log)).decode(errors="replace")

    def send(self, job: Mapping[str, Any]) -> None:
        """Hand a job to the process.

        :raises ProcessDiedError: if it is gone.
        """
        assert self._popen.stdin is not None  # noqa: S101 - Popen gives what it was asked for
        try:
            self._popen.stdin.write(json.dumps(job).encode() + b"\n")
            self._popen.stdin.flush()
        except OSError:
            raise ProcessDiedError from None

    def next_event(self, *, within: float) -> dict[str, Any]:
        """What the process says next.

        :param within: seconds to wait for it.
        :raises ProcessDiedError: if the process ends first.
        :raises ProcessHungError: if the time passes first.
        :raises ProcessBrokenError: if it is no event.
        """
        deadline = time.monotonic() + within
        while b"\n" not in self._unread:
            self._unread += self._read(deadline)
            if len(self._unread) > _LONGEST_EVENT:
                raise ProcessBrokenError
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            event = json.loads(line)
        except ValueError:
            raise ProcessBrokenError from None
        if not isinstance(event, dict):
            raise ProcessBrokenError
        return event

    def _read(self, deadline: float) -> bytes:
        assert self._popen.stdout is not None  # noqa: S101 - Popen gives what it was asked for
        output = self._popen.stdout.fileno()
        ready, _, _ = select.select([output], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise ProcessHungError
        read = os.read(output, _READ_BYTES)
        if not read:
            raise ProcessDiedError
        return read

    def kill(self) -> None:
        """End the process at once. May be called from any thread, and more than once."""
        self._popen.kill()

    def close(self) -> None:
        """End the process and give up everything that belongs to it."""
        self._popen.kill()
        self._popen.wait()
        self._drain.join(_SECONDS_TO_DIE)
        for stream in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            with contextlib.suppress(BrokenPipeError):
                if stream is not None:
                    stream.close()


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    environment = {
        # A nearly empty one: the child has no use for the server's secrets.
        "PYTHONPATH": str(_PACKAGE_PARENT),
        "OMP_THREAD_LIMIT": "1",  # more make recognition slower
        "LANG": "C.UTF-8",
    }
    return subprocess.Popen(  # noqa: S603 - the command is all ours
        command,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=environment,
        cwd="/",
        bufsize=0,
        # Ctrl-C is for the server, which ends this process when it sees fit.
        process_group=0,
    )


def _drain(stream: IO[bytes], log: deque[bytes]) -> None:
    """Read until the end: a library may write millions of lines, and a full pipe would stop the process."""
    with contextlib.suppress(ValueError):  # closed under our hands
        while line := stream.readline(_LOG_LINE_BYTES):
            log.append(line)
