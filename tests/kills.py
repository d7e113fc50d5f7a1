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

SECONDS = 600.0
"""The longest that anything takes that takes seconds where nobody else works."""

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


def wait_until(come: Callable[[], bool], what: str, *, seconds: float = SECONDS) -> None:
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


def kill_busy_worker(airflow: LocalAirflow, dag_id: str, run_id: str, task_id: str) -> None:
    """Kill a process of the LocalExecutor that runs this task of this run, and the task with it."""
    worker, task = _youngest_task(airflow, dag_id, run_id, task_id)
    # Whoever waits for work holds the lock of the queue and would take it to the grave; this one does not.
    for process in (worker, task):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def kill_task(airflow: LocalAirflow, dag_id: str, run_id: str, task_id: str) -> None:
    """Kill the process of this task of this run alone."""
    _, task = _youngest_task(airflow, dag_id, run_id, task_id)
    with suppress(psutil.NoSuchProcess):
        task.kill()


def _youngest_task(
    airflow: LocalAirflow, dag_id: str, run_id: str, task_id: str
) -> tuple[psutil.Process, psutil.Process]:
    """A worker and its task, the one that has most to do yet, as soon as there is any.

    It has begun by Airflow's account. The LocalExecutor (3.3.2) loses a task for good that it has taken from
    its queue, and whose process dies before it says so.
    """
    found: list[tuple[float, psutil.Process, psutil.Process]] = []
    deadline = time.monotonic() + SECONDS
    while not found:
        assert time.monotonic() < deadline, "no worker is busy"
        running = {
            item.id for item in _instances(airflow, dag_id, run_id, task_id) if item.state == "running"
        }
        for worker in psutil.Process(airflow.programs["scheduler"].pid).children():
            with suppress(psutil.NoSuchProcess):
                title = " ".join(worker.cmdline()).strip()
                if WORKER in title and title.rpartition(" ")[2] in running:
                    tasks = [task for task in worker.children() if task.status() != psutil.STATUS_ZOMBIE]
                    found += [(task.create_time(), worker, task) for task in tasks]
    _, worker, task = max(found, key=lambda item: item[0])
    return worker, task


def _instances(airflow: LocalAirflow, dag_id: str, run_id: str, task_id: str) -> list[Any]:
    return [item for item in airflow.task_instances(dag_id, run_id) if item.task_id == task_id]


def many(airflow: LocalAirflow, dag_id: str, run_id: str, task_id: str) -> Mapping[int, Any]:
    """The instances of a mapped task, by map index."""
    return {
        item.map_index: item for item in _instances(airflow, dag_id, run_id, task_id) if item.map_index >= 0
    }


def tries(airflow: LocalAirflow, dag_id: str, run_id: str, task_id: str) -> list[int]:
    """How often each instance of a mapped task was tried."""
    return [item.try_number for item in many(airflow, dag_id, run_id, task_id).values()]
