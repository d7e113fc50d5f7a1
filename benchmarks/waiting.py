# SPDX-License-Identifier: Apache-2.0
"""What 5,000 waiting OCR tasks cost the triggerer's event loop, against what is promised.

    python -m benchmarks.waiting            four minutes; renews docs/benchmarks.md
    python -m benchmarks.waiting --quick    a minute and a half with 500 tasks; writes nothing

Beside our triggers, in the same run, (a) triggers that only sleep, and (b) triggers that each have a poll
loop of their own. The exit status is 1 if a promise is not kept. The server is a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.crowd import REHEARSING, filled, requests_in
from benchmarks.report import aligned_table, machine, versions, write_between_markers
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer

_PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_INTERVAL = 10.0
_TICK = 0.005
_MOST_STALL_OVER_SLEEPING = 0.2
_STARTED_AT_ONCE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured.

    :param tasks: how many are waited for.
    :param warm_up: seconds from the start of the last trigger until requests and CPU time count.
    :param seconds: for which they count.
    """

    tasks: int
    warm_up: float
    seconds: float


_FULL = Size(tasks=5000, warm_up=20.0, seconds=40.0)
_QUICK = Size(tasks=500, warm_up=5.0, seconds=20.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What waiting cost the process that waits.

    :param cpu: CPU time, in percent of one core.
    :param megabytes: resident memory at the end, in MB.
    :param start_stall: seconds that the event loop was kept from its turn at most, while triggers started.
    :param stall: the same afterwards.
    :param requests: what the server was asked in one interval.
    """

    cpu: float
    megabytes: float
    start_stall: float
    stall: float
    requests: float


async def _sleep(_: str) -> None:
    while True:  # noqa: ASYNC110 - to sleep again and again is what is measured
        await asyncio.sleep(_INTERVAL)


async def _poll(name: str) -> None:
    from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook

    client = await CloudOcrHook().aget_conn()
    while True:
        await asyncio.to_thread(client.get_task_status, name)
        await asyncio.sleep(_INTERVAL)


async def _wait(name: str) -> None:
    from airflow_provider_ocr.triggers.cloud_ocr import CloudOcrTaskTrigger

    trigger = CloudOcrTaskTrigger(
        ocr_task_id=name,
        deadline="2100-01-01T00:00:00+00:00",
        poll_interval=_INTERVAL,
        cloud_ocr_conn_id="cloud_ocr_default",
    )
    async for event in trigger.run():
        raise RuntimeError(f"A task ended that cannot: {event.payload}")


_SLEEPING, _POLLING, _OURS = "(a) sleeps only", "(b) a poll loop each", "`CloudOcrTaskTrigger`"
_KINDS: Mapping[str, Callable[[str], Coroutine[Any, Any, None]]] = {
    _SLEEPING: _sleep,
    _POLLING: _poll,
    _OURS: _wait,
}


class _Stalls:
    """Notes for how long an event loop did not get its turn at most."""

    def __init__(self) -> None:
        self._longest = 0.0
        self._task = asyncio.create_task(self._run())

    def take(self) -> float:
        """The longest since this was asked last, in seconds."""
        longest, self._longest = self._longest, 0.0
        return longest

    async def _run(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(_TICK)
            self._longest = max(self._longest, time.monotonic() - before - _TICK)


async def _measure(kind: str, names: Sequence[str], size: Size, log: Path) -> Found:
    stalls = _Stalls()
    waiting = []
    for place, name in enumerate(names, start=1):
        waiting.append(asyncio.create_task(_KINDS[kind](name)))
        if place % _STARTED_AT_ONCE == 0:  # as the triggerer does
            await asyncio.sleep(2 * _TICK)
    await asyncio.sleep(size.warm_up)
    before = (await asyncio.to_thread(requests_in, log)).total()
    start_stall, begin = stalls.take(), time.process_time()
    await asyncio.sleep(size.seconds)
    cpu = (time.process_time() - begin) / size.seconds * 100
    found = Found(
        cpu=cpu,
        megabytes=psutil.Process().memory_info().rss / 1024**2,
        start_stall=start_stall,
        stall=stalls.take(),
        requests=(requests_in(log).total() - before) / size.seconds * _INTERVAL,
    )
    for task in waiting:
        if task.done():
            task.result()  # it raises what ended it
    return found


def _work(kind: str, url: str, names: Sequence[str], size: Size, log: Path) -> Found:
    """What the process does that waits. It has loaded Airflow before it counts."""
    os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "WARNING"
    importlib.import_module("airflow_provider_ocr.triggers.cloud_ocr")
    connection = {"conn_type": "cloud_ocr", "host": url, "login": APPLICATION_ID, "password": PASSWORD}
    os.environ["AIRFLOW_CONN_CLOUD_OCR_DEFAULT"] = json.dumps(connection)
    return asyncio.run(_measure(kind, names, size, log))


def _run(size: Size, folder: Path) -> dict[str, Found]:
    """Measure each kind of trigger, each in a fresh process and against the same server."""
    _say(f"filling a store with {size.tasks:,} tasks")
    crowd = filled(folder, ours=size.tasks, others=0)
    found = {}
    with OcrServer(data=crowd.data, logs=folder / "serving", workers=1, options=REHEARSING) as server:
        for kind in _KINDS:
            _say(kind)
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
                work = process.submit(_work, kind, server.url, crowd.ours, size, server.log)
                found[kind] = work.result()
        server.kill()
    return found


def _report(found: Mapping[str, Found], size: Size, command: str) -> str:
    sentences = [
        f"`{command}` on {machine()}; {versions('airflow-provider-ocr', 'apache-airflow', 'requests')}.",
        f"{size.tasks:,} tasks are waited for in one event loop, {_INTERVAL:.0f} s between looks; one run,",
        "each kind of trigger in a process of its own, the server (another process) on the same cores.",
        f"CPU, requests and the stall count for {size.seconds:.0f} s, {size.warm_up:.0f} s after the last",
        "start; the stall at the start is the longest before that, modules that are loaded then included.",
        "A stall is how long the event loop did not get its turn. Poll loops of (b) ask as often as the",
        f"machine lets them. Target: our stall is at most {_MOST_STALL_OVER_SLEEPING} s over (a)'s;",
        "the start, which happens once and loads modules, is shown and is not part of the target.",
    ]
    cells = [("trigger", "CPU", "memory", "longest stall", "at the start", "requests in 10 s", "verdict")]
    for kind, figures in found.items():
        cells.append(
            (
                kind,
                f"{figures.cpu:.1f} %",
                f"{figures.megabytes:.0f} MB",
                f"{figures.stall * 1000:.0f} ms",
                f"{figures.start_stall * 1000:.0f} ms",
                f"{figures.requests:.1f}",
                ("met" if _is_met(found) else "MISSED") if kind == _OURS else "",
            )
        )
    return "\n".join([*textwrap.wrap(" ".join(sentences), 120), "", aligned_table(cells)])


def _is_met(found: Mapping[str, Found]) -> bool:
    return found[_OURS].stall - found[_SLEEPING].stall <= _MOST_STALL_OVER_SLEEPING


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)  # noqa: T201 - it talks to whoever waits for it


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit status is 1 if the target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waiting", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run that writes nothing")
    options = parser.parse_args(arguments)
    size = _QUICK if options.quick else _FULL
    # Each poll loop has a connection of its own, and the server the other end of it.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        found = _run(size, Path(folder))
    report = _report(found, size, "python -m benchmarks.waiting")
    print(report)  # noqa: T201 - this is what the command is for
    if not options.quick:
        write_between_markers(_PAGE, "waiting", report)
    return 0 if _is_met(found) else 1


if __name__ == "__main__":
    sys.exit(main())
