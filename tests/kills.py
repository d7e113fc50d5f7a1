# SPDX-License-Identifier: Apache-2.0
"""How parts of an Airflow are killed or put to sleep, and settings with which it notices that soon."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psutil

from demo.local_airflow import LocalAirflow
from demo.processes import Program

WORKER = "LocalExecutor"
"""Stands in the title of each process in which the LocalExecutor runs tasks."""

TRIGGERERS_NOTICED_SOON = {
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
}
"""Settings with which a triggerer is taken for dead after 10 s, where Airflow would wait 30."""

WORKERS_NOTICED_SOON = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "45",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "3",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "120",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
}
"""Settings with which a task is taken for dead after 45 s, where Airflow would wait 300.

With 20 s, a machine that is busy for others had all healthy tasks tried again.
"""


def wait_until(come: Callable[[], bool], what: str, *, seconds: float = 180.0) -> None:
    """Return once it has come.

    :param come: says so.
    :param what: what does not come, in the error.
    :param seconds: after which there is an error.
    """
    deadline = time.monotonic() + seconds
    while not come():
        assert time.monotonic() < deadline, f"After {seconds:.0f} s not yet: {what}"
        time.sleep(0.5)


@contextmanager
def asleep(program: Program) -> Iterator[None]:
    """Nothing of a program runs within the block, as on a machine that is suspended."""
    processes = [psutil.Process(program.pid), *psutil.Process(program.pid).children(recursive=True)]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def kill_busy_worker(airflow: LocalAirflow) -> str:
    """Kill a process of the LocalExecutor in the middle of a task, and the task with it; says what it did."""
    [worker, *_], title = _busy(airflow)
    tasks = worker.children(recursive=True)
    # Whoever waits for work holds the lock of the queue and would take it to the grave; this one does not.
    for process in (worker, *tasks):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return title


def kill_task(airflow: LocalAirflow) -> str:
    """Kill the process of a task alone; says what it did."""
    [_, task, *_], title = _busy(airflow)
    task.kill()
    return title


def _busy(airflow: LocalAirflow) -> tuple[list[psutil.Process], str]:
    """A worker and the processes of its task, as soon as there is one that does the provider's work."""
    found: list[tuple[list[psutil.Process], str]] = []

    def look() -> bool:
        for worker in psutil.Process(airflow.programs["scheduler"].pid).children():
            with suppress(psutil.NoSuchProcess):
                title, tasks = " ".join(worker.cmdline()), worker.children()
                if WORKER in title and tasks:
                    found.append(([worker, *tasks], title))
        return bool(found)

    deadline = time.monotonic() + 180
    while not look():
        assert time.monotonic() < deadline, "no worker is busy"
        time.sleep(0.02)
    return found[0]


def many(airflow: LocalAirflow, dag_id: str, run_id: str, task_id: str) -> Mapping[int, Any]:
    """The instances of a mapped task, by map index."""
    return {
        item.map_index: item
        for item in airflow.task_instances(dag_id, run_id)
        if item.task_id == task_id and item.map_index >= 0
    }
