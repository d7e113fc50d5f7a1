# SPDX-License-Identifier: Apache-2.0
"""Servers to be measured: with full stores, with busy workers, under load."""

from __future__ import annotations

import io
import random
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from benchmarks.clients import Site, ask_at_a_rate, ask_in_turns, see_through
from benchmarks.filling import multiply_task
from benchmarks.report import percentile
from demo.ocr_server import OcrServer, ScanServer

WORKERS = 2
RATE = 50.0
OWN_TASKS = 200

_SAMPLES = Path(__file__).parents[1] / "demo" / "samples"
_STRANGERS = [f"stranger-{number}" for number in range(4)]
_CLIENTS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured.

    :param rounds: runs of each measurement, in turns with the others.
    :param seconds: how long one run submits.
    :param stored: tasks of other applications in the store.
    :param questions: status and list requests of one run.
    :param tasks: tasks that memory is watched over.
    """

    rounds: int
    seconds: float
    stored: int
    questions: int
    tasks: int


class Bench:
    """Servers to measure.

    :param folder: for their data, which are gone afterwards.
    :param clients: the process that the clients run in.
    """

    def __init__(self, folder: Path, size: Size, clients: ProcessPoolExecutor) -> None:
        self._folder = folder
        self._size = size
        self._clients = clients
        self._few = folder / "few"
        self._many = folder / "many"
        self._stored: list[list[str]] = []

    def fill(self) -> None:
        """Prepare two stores with the same tasks of one application, one with many of others' beside them."""
        for data, copies in ((self._few, 0), (self._many, self._size.stored // len(_STRANGERS))):
            with self._server(data) as server:
                own = _completed(_site(server))
                others = [_completed(_site(server, name)) for name in _STRANGERS if copies]
            multiply_task(data, own, OWN_TASKS)
            self._stored = [multiply_task(data, other, copies) for other in others]

    def submit_remote(self) -> tuple[float, float]:
        """Seconds (p99) until processRemoteImage answers, and the cores that recognition took meanwhile."""
        with ScanServer(_SAMPLES) as scans:
            source = quote(f"{scans.url}/receipt.png", safe="")
            return self._submit(f"processRemoteImage?exportFormat=txt&source={source}", None)

    def submit_upload(self) -> tuple[float, float]:
        """The same of processImage."""
        return self._submit("processImage?exportFormat=txt", (_SAMPLES / "receipt.png").read_bytes())

    def _submit(self, path: str, image: bytes | None) -> tuple[float, float]:
        data = self._folder / "submissions"
        with self._server(data) as server:
            site = _site(server)
            _keep_busy(site)
            count = round(RATE * self._size.seconds)
            before, begin = _recognition_seconds(server), time.monotonic()
            seconds = self._clients.submit(ask_at_a_rate, site, [path] * count, image, RATE).result()
            cores = (_recognition_seconds(server) - before) / (time.monotonic() - begin)
            server.kill()  # the backlog is not waited for
        shutil.rmtree(data)
        return percentile(seconds, 99), cores

    def ask_status(self, *, busy: bool = False) -> float:
        """Seconds (p99) until getTaskStatus answers, with many tasks in the store."""
        with self._server(self._many) as server:
            if busy:
                _keep_busy(_site(server))
            asked = random.Random(1).choices(self._stored[0], k=self._size.questions)  # noqa: S311 - no secret
            paths = [f"getTaskStatus?taskId={ocr_task_id}" for ocr_task_id in asked]
            site = _site(server, _STRANGERS[0])
            return percentile(self._clients.submit(ask_at_a_rate, site, paths, None, RATE).result(), 99)

    def ask_lists(self, method: str) -> tuple[float, float]:
        """Seconds (median) that a list takes without and with many tasks of others in the store."""
        with self._server(self._few) as few, self._server(self._many) as many:
            sites = [_site(few), _site(many)]
            found = self._clients.submit(ask_in_turns, sites, method, self._size.questions // 5).result()
        without, beside = (statistics.median(seconds) for seconds in found)
        return without, beside

    def memory(self) -> Iterator[tuple[int, float]]:
        """Numbers of tasks seen through, and the server's resident memory then, in MB."""
        images = [_word(word) for word in ("pear", "plum", "quince", "medlar")]
        done = 0
        with self._server(self._folder / "memory") as server:
            for share in (0.1, 0.5, 1.0):
                count = round(self._size.tasks * share)
                self._clients.submit(see_through, _site(server), images, count - done, _CLIENTS).result()
                done = count
                yield done, _resident_megabytes(server)

    @contextmanager
    def _server(self, data: Path) -> Iterator[OcrServer]:
        strangers = [option for name in _STRANGERS for option in ("--application", f"{name}:{name}")]
        with OcrServer(
            data=data, logs=self._folder / "logs" / data.name, workers=WORKERS, options=strangers
        ) as server:
            yield server


def _site(server: OcrServer, stranger: str | None = None) -> Site:
    if stranger is None:
        return Site(url=server.url)
    return Site(url=server.url, application=stranger, password=stranger)


def _completed(site: Site) -> str:
    """The ID of a small task once it is completed."""
    (task,) = site.tasks("processImage?exportFormat=txt", _word("pear"))
    _wait_until(lambda: site.tasks(f"getTaskStatus?taskId={task.id}")[0].status == TaskStatus.COMPLETED)
    return task.id


def _keep_busy(site: Site) -> None:
    """Give the server more to recognise than it will get done, and wait until all workers are at it."""
    letter = (_SAMPLES / "letter.jpg").read_bytes()
    started = [site.tasks("processImage?exportFormat=txt", letter)[0].id for _ in range(20)]

    def all_at_work() -> bool:
        found = [site.tasks(f"getTaskStatus?taskId={ocr_task_id}")[0].status for ocr_task_id in started]
        return found.count(TaskStatus.IN_PROGRESS) >= WORKERS

    _wait_until(all_at_work)


def _wait_until(condition: Callable[[], bool], *, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"The server did not come to what is to be measured in {seconds:.0f} s.")
        time.sleep(0.1)


def _word(word: str) -> bytes:
    """A small image of a word."""
    image = Image.new("L", (240, 70), 255)
    ImageDraw.Draw(image).text((20, 15), word, font=ImageFont.load_default(size=36), fill=0)
    output = io.BytesIO()
    image.save(output, "PNG", dpi=(200, 200))
    return output.getvalue()


def _recognition_seconds(server: OcrServer) -> float:
    """CPU time that the server's children have taken."""
    times = [child.cpu_times() for child in psutil.Process(server.pid).children(recursive=True)]
    return sum(time.user + time.system for time in times)


def _resident_megabytes(server: OcrServer) -> float:
    process = psutil.Process(server.pid)
    found = []
    for _ in range(5):
        time.sleep(0.5)
        found.append(process.memory_info().rss / 1024**2)
    return statistics.median(found)
