# SPDX-License-Identifier: Apache-2.0
"""One recognition process as its parent holds it: a line in, events out, limits of time and memory, a capped
log.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import psutil

from airflow_provider_ocr.server.recognition.events import Event, MalformedEventError, decode

PROGRAM = ("-m", "airflow_provider_ocr.server.recognition.child")
"""What Python is told to run."""

_PACKAGE_PARENT = Path(__file__).resolve().parents[3]
_LOG_LINES = 50
_LOG_LINE_BYTES = 500
_READ_BYTES = 65536
_LONGEST_EVENT = 2**14
_SECONDS_TO_DIE = 5.0
_SECONDS_BETWEEN_LOOKS = 0.5

# The kernel ends a child with the *thread* that started it, so this one starts all and lives as long as
# the process does; a worker thread that comes and goes must not take a child with it.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recognition-starter")


class ProcessDiedError(Exception):
    """The process ended, or closed its output, before it said what was asked."""


class ProcessHungError(Exception):
    """The process said nothing within the time it had."""


class ProcessBrokenError(Exception):
    """The process said something that is no event."""


class ProcessTooLargeError(Exception):
    """The process and its descendants hold more memory than they may."""


class RecognitionProcess:
    """Starts ``recognition.child``, with next to nothing in its environment.

    :param options: a value for each of the program's options; ``--parent`` is added.
    :param memory_bytes: resident memory that it and its descendants may hold together while an event of
        theirs is waited for.
    :param program: arguments for Python; tests give programs that have faults.
    """

    def __init__(
        self, options: Mapping[str, object], *, memory_bytes: int, program: Sequence[str] = PROGRAM
    ) -> None:
        command = [sys.executable, "-P", *program, "--parent", str(os.getpid())]
        command += [str(part) for option in options.items() for part in option]
        self._memory_bytes = memory_bytes
        self._popen = _STARTER.submit(_start, command).result()
        self._ending = threading.Lock()
        self._ended = False
        self._unread = b""
        self._next_look = 0.0
        self._log: deque[bytes] = deque(maxlen=_LOG_LINES)
        assert self._popen.stderr is not None  # noqa: S101 - Popen gives what it was asked for
        self._drain = threading.Thread(target=_drain, args=(self._popen.stderr, self._log), daemon=True)
        self._drain.start()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        # WNOWAIT: its number stays its own until close().
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        with self._ending:
            return not self._ended and os.waitid(os.P_PID, self.pid, options) is None

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

    def next_event(self, *, within: float) -> Event:
        """What the process says next.

        :param within: seconds to wait for it.
        :raises ProcessDiedError: if the process ends first.
        :raises ProcessHungError: if the time passes first.
        :raises ProcessTooLargeError: if its memory becomes too much first.
        :raises ProcessBrokenError: if it is no event.
        """
        deadline = time.monotonic() + within
        while b"\n" not in self._unread:
            self._unread += self._read(deadline)
            if len(self._unread) > _LONGEST_EVENT + _READ_BYTES:
                raise ProcessBrokenError
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            return decode(line)
        except MalformedEventError:
            raise ProcessBrokenError from None

    def _read(self, deadline: float) -> bytes:
        """What the process has written since; waits for at least one byte."""
        assert self._popen.stdout is not None  # noqa: S101 - Popen gives what it was asked for
        output = self._popen.stdout.fileno()
        while True:
            now = time.monotonic()
            if now >= self._next_look:
                self._look_at_memory()
                self._next_look = now + _SECONDS_BETWEEN_LOOKS
            ready, _, _ = select.select([output], [], [], max(0.0, min(deadline, self._next_look) - now))
            if ready:
                break
            if time.monotonic() >= deadline:
                raise ProcessHungError
        read = os.read(output, _READ_BYTES)
        if not read:
            raise ProcessDiedError
        return read

    def _look_at_memory(self) -> None:
        if _memory_of_tree(self.pid) > self._memory_bytes:
            raise ProcessTooLargeError

    def kill(self) -> None:
        """End the process and its descendants at once. May be called from any thread, and more than once."""
        with self._ending:
            self._kill()

    def close(self) -> None:
        """End the process and give up everything that belongs to it."""
        with self._ending:
            self._kill()
            self._popen.wait()
            self._ended = True
        self._drain.join(_SECONDS_TO_DIE)
        for stream in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            with contextlib.suppress(BrokenPipeError):
                if stream is not None:
                    stream.close()

    def _kill(self) -> None:
        if not self._ended:  # afterwards its number may be another's
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


def _memory_of_tree(pid: int) -> int:
    """Resident bytes of a process and its descendants; 0 once it is gone."""
    try:
        process = psutil.Process(pid)
        tree = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    return sum(_memory_of(part) for part in tree)


def _memory_of(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    environment = {
        # A nearly empty one: the child has no use for the server's secrets.
        "PYTHONPATH": str(_PACKAGE_PARENT),
        "OMP_THREAD_LIMIT": "1",  # more make recognition slower
        "OPENBLAS_NUM_THREADS": "1",  # each takes address space, whether or not it is used
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
        # Ctrl-C is for the server, which ends this process when it sees fit; and it ends the whole group.
        process_group=0,
    )


def _drain(stream: IO[bytes], log: deque[bytes]) -> None:
    """Read until the end: a library may write millions of lines, and a full pipe would stop the process."""
    with contextlib.suppress(ValueError):  # closed under our hands
        while line := stream.readline(_LOG_LINE_BYTES):
            log.append(line)
