# SPDX-License-Identifier: Apache-2.0
"""Submissions in a real Airflow that are killed, lost or late: each ends with exactly one charged task.

Time is real here. There is a server for each way through what the API's documentation leaves open; none of
them gets to see an ``Idempotency-Key``, as the vendor's service does not know them.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.operations.rehearsing import RehearsalServer
from airflow_provider_ocr.server.records.choices import Choices, DeletedTask, ListFilter, ListOrder
from demo.local_airflow import LocalAirflow
from tests.postgresql import PostgresqlServer
from tests.wire import Fate, Wire

pytestmark = pytest.mark.long

DAGS = Path(__file__).resolve().parents[1] / "system" / "dags"
CRASHES, CLEARS, COPIES = "crashing_submissions", "crash_and_clear", "identical_copies"
CLEARED_AFTER_A_CRASH = "after_the_request_left"
APPLICATION, PASSWORD = "crashing", "crash, and be found again"
READ_SECONDS = 10
ONE_PAGE = 5  # credits
SECONDS = 600
AT_A_TIME = 24

SWITCHES = {
    f"{order}-{by}-{deleted}": Choices(list_order=order, list_filter=by, deleted_task=deleted)
    for order, by, deleted in itertools.product(ListOrder, ListFilter, DeletedTask)
}
[FIRST, *_] = SWITCHES
TWINS = ("one", "other")
"""Two runs at once, of the same DAG with the same arguments on the same server."""


@dataclass(frozen=True, slots=True)
class Service:
    """A server and the way to it."""

    server: RehearsalServer
    wire: Wire

    def paid(self) -> list[str]:
        """The tasks of which each was charged once, when all have ended; there is nothing else."""
        deadline = time.monotonic() + SECONDS
        while any(task.status is not TaskStatus.COMPLETED for task in self.server.tasks()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        tasks = self.server.tasks()
        assert self.server.application.used == len(tasks) * ONE_PAGE
        return sorted(task.id for task in tasks)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Service]]:
    """The servers by their switches, on whose wires time passes; another one is for copies."""
    with ExitStack() as running:
        found = {}
        for name, choices in {**SWITCHES, COPIES: Choices()}.items():
            folder = tmp_path_factory.mktemp("server")
            server = running.enter_context(
                RehearsalServer(folder, application=APPLICATION, password=PASSWORD, choices=choices)
            )
            wire = running.enter_context(Wire(server.port, passes_keys=False))
            for _ in TWINS if name == FIRST else "_":
                wire.decide(Fate.UNANSWERED, source="answer_lost")
                wire.decide(Fate.LATE, seconds=READ_SECONDS + 20, source="request_late")
            found[name] = Service(server, wire)
        ended = threading.Event()
        clock = threading.Thread(target=_pass_time, args=(list(found.values()), ended))
        clock.start()
        yield found
        ended.set()
        clock.join()


def _pass_time(services: list[Service], ended: threading.Event) -> None:
    then = time.monotonic()
    while not ended.wait(0.25):
        now = time.monotonic()
        for service in services:
            service.wire.let_pass(now - then)
        then = now


@pytest.fixture(scope="module")
def airflow(
    services: dict[str, Service], postgresql: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalAirflow]:
    """An Airflow in which all crashes happen at once, as fast as the machine is; SQLite would lock."""
    home = tmp_path_factory.mktemp("airflow")
    connections = {
        _connection(name): {
            "conn_type": "cloud_ocr",
            "host": service.wire.url,
            "login": APPLICATION,
            "password": PASSWORD,
            "extra": {"timeout": READ_SECONDS},
        }
        for name, service in services.items()
    }
    airflow = LocalAirflow(home=home, dags=DAGS, connections=connections)
    airflow.environment.update(
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=postgresql.new_database(),
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC="",
        AIRFLOW__CORE__PARALLELISM=str(AT_A_TIME),
        AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG=str(AT_A_TIME),
        AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG=str(AT_A_TIME),
    )
    with airflow as running:
        for name in SWITCHES:
            for run_id in _runs(name):
                running.run_dag(CRASHES, run_id, {"cloud_ocr_conn_id": _connection(name)})
            running.run_dag(CLEARS, name, {"cloud_ocr_conn_id": _connection(name)})
        yield running


@pytest.fixture(scope="module")
def cleared(airflow: LocalAirflow) -> dict[str, dict[str, int]]:
    """How often each task of the runs of `CLEARS` was tried when it was cleared, by switches and name."""
    tries: dict[str, dict[str, int]] = {}
    for name in SWITCHES:
        airflow.wait_for_run(CLEARS, name, seconds=SECONDS)
        instances = airflow.task_instances(CLEARS, name)
        assert [item.task_id for item in instances if item.state == "failed"] == [CLEARED_AFTER_A_CRASH]
        tries[name] = {item.task_id: item.try_number for item in instances}
        for task_id in tries[name]:
            airflow.clear(CLEARS, name, task_id)
    return tries


def _connection(name: str) -> str:
    return name.replace("-", "_")


def _runs(name: str) -> list[str]:
    return [f"{name}-{twin}" for twin in TWINS] if name == FIRST else [name]


def _returned(airflow: LocalAirflow, dag_id: str, run_id: str) -> list[str]:
    instances = airflow.task_instances(dag_id, run_id)
    return [str(airflow.xcom(dag_id, run_id, item.task_id, item.map_index)) for item in instances]


@pytest.mark.parametrize("name", SWITCHES)
def test_whatever_happens_to_a_submission_there_is_one_charged_task(
    airflow: LocalAirflow, services: dict[str, Service], cleared: dict[str, dict[str, int]], name: str
) -> None:
    returned = []
    for run_id in _runs(name):
        assert airflow.wait_for_run(CRASHES, run_id, seconds=SECONDS) == "success"
        tries = {item.task_id: item.try_number for item in airflow.task_instances(CRASHES, run_id)}
        assert len(tries) == 6
        assert min(tries.values()) > 1, tries
        returned += _returned(airflow, CRASHES, run_id)
    # Of these one was cleared after a crash, and the others after their success.
    assert airflow.wait_for_run(CLEARS, name, seconds=SECONDS) == "success"
    for item in airflow.task_instances(CLEARS, name):
        assert item.try_number > cleared[name][item.task_id]
    returned += _returned(airflow, CLEARS, name)
    assert services[name].paid() == sorted(returned)


def test_identical_copies_of_a_mapped_task_have_a_charged_task_each(
    airflow: LocalAirflow, services: dict[str, Service]
) -> None:
    airflow.run_dag(COPIES, "mapped", {"cloud_ocr_conn_id": _connection(COPIES)})
    assert airflow.wait_for_run(COPIES, "mapped", seconds=SECONDS) == "success"
    instances = airflow.task_instances(COPIES, "mapped")
    assert {item.map_index for item in instances if item.try_number > 1} >= set(range(0, 50, 10))
    returned = _returned(airflow, COPIES, "mapped")
    assert len(returned) == 50
    assert services[COPIES].paid() == sorted(returned)
