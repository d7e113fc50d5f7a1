# SPDX-License-Identifier: Apache-2.0
"""Kills a server, its children or both at random moments, and looks that none of them lives on."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum

import psutil

from demo.ocr_server import OcrServer

_SECONDS_TO_DIE = 5.0
_SECONDS_FOR_A_CHILD = 15.0


class Victim(Enum):
    """Who is killed."""

    SERVER = "the server"
    CHILD = "a child"
    BOTH = "the server and its children"


class Killer:
    """Keeps a server running, but for the kills.

    :param start: starts the server on the same data and port; it need not answer yet.
    :param chance: says when and whom.
    :param longest_life: seconds from when the server answers to the latest moment.
    """

    def __init__(self, start: Callable[[], OcrServer], chance: random.Random, *, longest_life: float) -> None:
        self._start = start
        self._chance = chance
        self._longest_life = longest_life
        self._children: set[psutil.Process] = set()
        self.server = start()
        self.complaints: list[str] = []
        self.kills = dict.fromkeys(Victim, 0)

    def kill(self, victim: Victim) -> None:
        """Kill somebody at a moment of chance; where the server is gone, another one is started."""
        if self._chance.random() < 0.7:
            self.wait_until_ready()  # else the moment may be one of its start
        time.sleep(self._chance.uniform(0.0, self._longest_life))
        if victim is Victim.CHILD:
            self._kill_a_child()
            return
        children = self._note_children()
        os.kill(self.server.pid, signal.SIGKILL)
        if victim is Victim.BOTH:
            for child in children:
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        self.kills[victim] += 1
        deadline = time.monotonic() + _SECONDS_TO_DIE
        while (alive := [child for child in children if _lives(child)]) and time.monotonic() < deadline:
            time.sleep(0.02)
        if alive:
            self.complaints.append(f"{len(alive)} children outlived their server by {_SECONDS_TO_DIE} s")
        self.server.kill()
        self.server = self._start()

    @property
    def killed_children(self) -> int:
        """How often recognition may have been killed."""
        return self.kills[Victim.CHILD] + self.kills[Victim.BOTH]

    def wait_until_ready(self) -> None:
        """Wait until the server answers."""
        self.server.__enter__()

    def stop(self) -> None:
        """Stop the server in order."""
        self._note_children()
        self.server.stop()

    def survivors(self) -> list[int]:
        """The IDs of processes that were a server's and live."""
        return [child.pid for child in self._children if _lives(child)]

    def _kill_a_child(self) -> None:
        deadline = time.monotonic() + _SECONDS_FOR_A_CHILD
        while not (children := sorted(self._note_children(), key=lambda child: child.pid)):
            if time.monotonic() > deadline:
                self.complaints.append("there was no child to kill: nothing was recognised")
                return
            time.sleep(0.05)
        with suppress(psutil.NoSuchProcess):
            self._chance.choice(children).kill()
        self.kills[Victim.CHILD] += 1

    def _note_children(self) -> set[psutil.Process]:
        try:
            children = set(psutil.Process(self.server.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            children = set()
        self._children |= children
        return children


def _lives(process: psutil.Process) -> bool:
    # Whoever is killed stays a zombie until its parent, or whoever stands in for it, takes note.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
