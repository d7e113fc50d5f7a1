# SPDX-License-Identifier: Apache-2.0
"""Programs that run beside this one: started with a log, waited for, and always stopped again."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

LOOPBACK = "127.0.0.1"

_PR_SET_PDEATHSIG = 1
_PRCTL = getattr(ctypes.CDLL(None), "prctl", None)
_SECONDS_TO_STOP = 20.0
_LINES_SHOWN = 15


class StartError(Exception):
    """Something could not be started or kept running; the text says what, why, and what to do."""


class Program:
    """A program in a process group of its own, which is stopped whole at the end of a ``with`` block.

    :param name: what people call it; also the name of its log.
    :param command: program and arguments.
    :param environment: all of its environment variables.
    :param logs: folder for its log, which is begun anew.
    """

    def __init__(
        self, *, name: str, command: Sequence[str], environment: Mapping[str, str], logs: Path
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.log = logs / f"{name}.log"
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C goes to us alone; we stop the others in order.
                start_new_session=True,
                preexec_fn=_stop_with_parent,  # noqa: PLW1509 - one system call, looked up before
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._process.pid

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait until ``ready`` says so.

        :raises StartError: if the program ends before, or takes too long; its last lines are in the text.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            self.ensure_running()
            if time.monotonic() > deadline:
                raise StartError(
                    f"{self.name} was not ready after {seconds:.0f} seconds.{self._last_lines()}"
                )
            time.sleep(0.2)

    def ensure_running(self) -> None:
        """Return if the program still runs.

        :raises StartError: if it has ended; its last lines are in the text.
        """
        if self._process.poll() is not None:
            raise StartError(f"{self.name} ended with status {self._process.returncode}.{self._last_lines()}")

    def finish(self, *, seconds: float) -> None:
        """Wait until the program has ended by itself.

        :raises StartError: if it fails or takes too long.
        """
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise StartError(
                f"{self.name} took longer than {seconds:.0f} seconds.{self._last_lines()}"
            ) from None
        if status != 0:
            raise StartError(f"{self.name} ended with status {status}.{self._last_lines()}")

    def kill(self) -> None:
        """End the program at once, as a crash would."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def ask_to_stop(self) -> None:
        """Ask the program to end, without waiting for it."""
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGTERM)

    def stop(self) -> None:
        """Ask the program to end, wait for it, and end by force what is left of its group."""
        self.ask_to_stop()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_SECONDS_TO_STOP)
        self.kill()

    def _last_lines(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-_LINES_SHOWN:]
        return "\n".join([f" Its log ({self.log}) ends with:", *(f"  | {line}" for line in lines)])


def _stop_with_parent() -> None:
    """In the child: have the kernel ask this program to stop when who started it is killed (Linux)."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGTERM)


def direct_session() -> requests.Session:
    """A session for what is on this machine: no proxy is asked for it."""
    session = requests.Session()
    session.trust_env = False
    return session


def free_port() -> int:
    """A port on the loopback address that nobody listens on now."""
    with socket.create_server((LOOPBACK, 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def is_taken(port: int) -> bool:
    """Whether somebody listens on this port of the loopback address."""
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError:
        return True
    return False


def clean_environment() -> dict[str, str]:
    """The environment of this process without what would change how Airflow or Python start."""
    unwanted = ("AIRFLOW", "CLOUD_OCR", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    # What is on this machine is not to be asked of a proxy.
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = ",".join(filter(None, [environment.get(name), LOOPBACK, "localhost"]))
    return environment
