# SPDX-License-Identifier: Apache-2.0
"""The clients of a benchmark. They run in a process of their own, so that their work is not the server's.

Each request opens a connection of its own, as the clients in other languages do.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from airflow_provider_ocr.protocol.messages import parse_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from demo.ocr_server import APPLICATION_ID, PASSWORD

_THREADS = 64
_TIMEOUT_SECONDS = 30.0
_POLL_SECONDS = 0.5
_OK = 200


class UnexpectedAnswerError(Exception):
    """The server did not answer as a measurement needs; the text has what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A server, and the application that the clients speak for.

    :param url: the server's base URL.
    """

    url: str
    application: str = APPLICATION_ID
    password: str = field(default=PASSWORD, repr=False)

    def ask(self, path: str, image: bytes | None = None) -> bytes:
        """The body of the answer; with an image it is asked by POST.

        :raises UnexpectedAnswerError: if the status is not 200.
        """
        credentials = base64.b64encode(f"{self.application}:{self.password}".encode()).decode()
        return _ask(f"{self.url}/{path}", image, {"Authorization": f"Basic {credentials}"})

    def tasks(self, path: str, image: bytes | None = None) -> list[OcrTask]:
        """The tasks of the answer."""
        return parse_tasks(self.ask(path, image))


@contextmanager
def other_process() -> Iterator[ProcessPoolExecutor]:
    """A process that one function of this module after the other can be run in."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


def ask_at_a_rate(site: Site, paths: Sequence[str], image: bytes | None, rate: float) -> list[float]:
    """Ask for each path at its time, whether or not earlier answers are there; gives the seconds of each.

    The seconds count from when a request was due: one that had to wait for its turn was slow.

    :param rate: requests per second.
    """
    # The first log-in takes as long as passwords are made to take; what is asked for is the rest of the day.
    site.ask("listFinishedTasks")
    begin = time.monotonic() + 0.5

    def ask(number: int) -> float:
        due = begin + number / rate
        time.sleep(max(0.0, due - time.monotonic()))
        site.ask(paths[number], image)
        return time.monotonic() - due

    with ThreadPoolExecutor(_THREADS) as executor:
        return list(executor.map(ask, range(len(paths))))


def ask_in_turns(sites: Sequence[Site], path: str, rounds: int) -> list[list[float]]:
    """Ask one server after the other the same; gives the seconds of each server's answers."""
    seconds: list[list[float]] = [[] for _ in sites]
    for _ in range(rounds):
        for place, site in enumerate(sites):
            begin = time.monotonic()
            site.ask(path)
            seconds[place].append(time.monotonic() - begin)
    return seconds


def see_through(site: Site, images: Sequence[bytes], count: int, clients: int) -> None:
    """Have ``count`` images recognised: upload, ask until done, download; every second task is deleted.

    :param images: are taken in turns.
    :param clients: how many work at once.
    :raises UnexpectedAnswerError: if a task is not completed.
    """
    numbers = itertools.count()
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                number = next(numbers)
            if number >= count:
                return
            _see_one_through(site, images[number % len(images)], delete=bool(number % 2))

    _all_at_once([work] * clients)


def _ask(url: str, body: bytes | None, headers: dict[str, str]) -> bytes:
    target = urlsplit(url)
    with closing(http.client.HTTPConnection(target.netloc, timeout=_TIMEOUT_SECONDS)) as connection:
        verb = "GET" if body is None else "POST"
        connection.request(verb, f"{target.path}?{target.query}", body, headers)
        answer = connection.getresponse()
        content = answer.read()
    if answer.status != _OK:
        raise UnexpectedAnswerError(f"{verb} {target.path}: HTTP {answer.status} {content[:500]!r}")
    return content


def _see_one_through(site: Site, image: bytes, *, delete: bool) -> None:
    (task,) = site.tasks("processImage?exportFormat=txt", image)
    while task.is_running:
        time.sleep(_POLL_SECONDS)
        (task,) = site.tasks(f"getTaskStatus?taskId={task.id}")
    if task.status != TaskStatus.COMPLETED:
        raise UnexpectedAnswerError(f"Task {task.id} is {task.status}: {task.error}")
    _ask(task.result_urls[0], None, {})
    if delete:
        site.ask(f"deleteTask?taskId={task.id}")


def _all_at_once(works: Sequence[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(len(works)) as executor:
        for end in [executor.submit(work) for work in works]:
            end.result()
