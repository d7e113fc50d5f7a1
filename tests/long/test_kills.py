# SPDX-License-Identifier: Apache-2.0
"""200 documents through an Airflow with two triggerers, of which one sleeps and one dies, as do workers.

One run shows it all, because 200 documents take minutes: tests look at what was noted on the way.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
import pytest

from airflow_provider_ocr.testing import CloudOcrRehearsal
from demo.local_airflow import LocalAirflow
from tests.kills import (
    TRIGGERERS_NOTICED_SOON,
    WORKERS_NOTICED_SOON,
    asleep,
    kill_busy_worker,
    kill_task,
    many,
    tries,
    wait_until,
)
from tests.postgresql import PostgresqlServer
from tests.told_apart import assert_landed, recognise_each

pytestmark = pytest.mark.long

DAGS = Path(__file__).parents[1] / "system" / "dags"
DOCUMENTS = 200
MANY, READY, RUN_ID = "many_documents", "ready_to_cancel", "killed"
WAITING = ("ended_by_a_user", "healthy")
SECONDS_ASLEEP = 45.0
SECONDS_A_CALL = 4.0
POLL_INTERVAL, POLL_INTERVAL_OF_THE_OTHERS = 5.0, 2.0
LOOKS = ("getTaskStatus", "listTasks")
TRIGGERERS, REQUESTS_AN_INTERVAL = 2, 12
UNTIL = re.compile(r"OCR task (\S+): the first look .* until ([^.\s]+)")


@dataclass(slots=True)
class Ride:
    """What was noted during the run.

    :param deleted_after_sleep: how many deletions had been asked for when the sleeper had found out.
    :param deadlines: by OCR task and attempt, until when its trigger waits, noted after each takeover.
    :param looks: how often the service was looked at while all waited, and for how long they did.
    :param final: the state of the run.
    """

    airflow: LocalAirflow
    landed: Path
    deleted_after_sleep: int = -1
    deleted_by_the_user: list[str | None] = field(default_factory=list)
    looks: int = 0
    seconds: float = 0.0
    final: str = ""
    deadlines: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def note_deadlines(self) -> None:
        """Note until when each trigger waits, as its log says now.

        A triggerer that gets a trigger back begins the log anew, so this is done for each beginning.
        """
        for log in trigger_logs(self.airflow):
            for ocr_task_id, deadline in UNTIL.findall(log.read_text()):
                self.deadlines.setdefault((ocr_task_id, log.name.partition(".log.")[0]), []).append(deadline)


@pytest.fixture(scope="module")
def airflow(
    cloud_ocr_session: CloudOcrRehearsal,
    postgresql: PostgresqlServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[LocalAirflow]:
    """An Airflow on PostgreSQL; SQLite is locked too often with hundreds of tasks and two triggerers."""
    cloud_ocr_session.reset()
    home = tmp_path_factory.mktemp("killed-airflow")
    dags = home / "dags"
    dags.mkdir()
    for file in ("many_documents.py", "cancelling.py"):
        shutil.copy(DAGS / file, dags)
    connection = {**json.loads(cloud_ocr_session.connection), "extra": {"timeout": 5}}
    airflow = LocalAirflow(home=home, dags=dags, connections={"cloud_ocr_rehearsal": connection})
    airflow.environment.update(
        {**TRIGGERERS_NOTICED_SOON, **WORKERS_NOTICED_SOON},
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=postgresql.new_database(),
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC="",
    )
    with airflow:
        yield airflow
        for program in airflow.programs.values():
            program.kill()
    cloud_ocr_session.reset()


def triggers(airflow: LocalAirflow) -> Counter[int | None]:
    """How many triggers each triggerer has, by the ID of its job."""
    url = airflow.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "")
    with closing(psycopg2.connect(url)) as database, database.cursor() as cursor:
        cursor.execute("SELECT triggerer_id, count(*) FROM trigger GROUP BY triggerer_id")
        return Counter(dict(cursor.fetchall()))


def all_wait(airflow: LocalAirflow) -> bool:
    documents = many(airflow, MANY, RUN_ID, "document.wait").values()
    others = airflow.task_instances(READY, RUN_ID)
    return [item.state for item in (*documents, *others)] == ["deferred"] * (DOCUMENTS + len(WAITING))


def trigger_logs(airflow: LocalAirflow) -> list[Path]:
    return sorted(airflow.home.glob("logs/**/attempt=*.log.trigger.*.log"))


@pytest.fixture(scope="module")
def ride(airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal) -> Ride:
    """The run, after everything that happens to it."""
    noted = Ride(airflow=airflow, landed=airflow.home / "landed")
    cloud_ocr_session.hold("Submitted")
    recognise_each(cloud_ocr_session, DOCUMENTS)
    airflow.run_dag(READY, RUN_ID, {})
    airflow.run_dag(MANY, RUN_ID, {"documents": DOCUMENTS, "destination": f"file://{noted.landed}"})
    wait_until(lambda: len(cloud_ocr_session.tasks()) >= DOCUMENTS // 4, "a quarter is submitted")
    # Those that are killed are in the middle of the paid call.
    cloud_ocr_session.slow_down(SECONDS_A_CALL, methods=("processRemoteImage",), times=24)
    wait_until(lambda: len(cloud_ocr_session.tasks()) >= DOCUMENTS // 4 + 8, "slow ones are under way")
    kill_busy_worker(airflow, MANY, RUN_ID, "document.submit")
    kill_task(airflow, MANY, RUN_ID, "document.submit")
    wait_until(lambda: all_wait(airflow), "all wait in the triggerer", seconds=1800)
    wait_until(lambda: triggers(airflow)[None] == 0, "the triggerer has them all")
    wait_until(lambda: beginnings(airflow) == DOCUMENTS + len(WAITING), "all triggers run")
    [first] = triggers(airflow)
    noted.note_deadlines()

    begun, before = time.monotonic(), looks(cloud_ocr_session)
    second = airflow.start("triggerer", name="second-triggerer")
    with asleep(airflow.programs["triggerer"]):
        fell_asleep = time.monotonic()
        wait_until(lambda: first not in triggers(airflow), "the second triggerer has taken over")
        time.sleep(max(0.0, fell_asleep + SECONDS_ASLEEP - time.monotonic()))
    wait_until(lambda: not_deleted(airflow, first) == len(WAITING), "the first one has found out")
    noted.note_deadlines()
    noted.deleted_after_sleep = len(cloud_ocr_session.requests("deleteTask"))

    airflow.mark(READY, RUN_ID, "ended_by_a_user", "failed")
    wait_until(lambda: bool(cloud_ocr_session.requests("deleteTask")), "a user's will is done")
    second.kill()
    del airflow.programs["second-triggerer"]
    left = DOCUMENTS + len(WAITING) - 1
    wait_until(lambda: triggers(airflow) == {first: left}, "the first triggerer has taken over again")
    wait_until(lambda: beginnings(airflow, first) == left, "its triggers run")
    noted.note_deadlines()
    noted.seconds, noted.looks = time.monotonic() - begun, looks(cloud_ocr_session) - before

    cloud_ocr_session.release()
    wait_until(lambda: landed(noted) >= DOCUMENTS // 4, "a quarter has landed", seconds=1800)
    cloud_ocr_session.slow_down(SECONDS_A_CALL, methods=("results",), times=24)
    wait_until(lambda: landed(noted) >= DOCUMENTS // 4 + 8, "slow ones are under way")
    kill_busy_worker(airflow, MANY, RUN_ID, "document.land")
    kill_task(airflow, MANY, RUN_ID, "document.land")
    noted.final = airflow.wait_for_run(MANY, RUN_ID, seconds=1800)
    airflow.wait_for_run(READY, RUN_ID, seconds=600)
    noted.deleted_by_the_user = [request.ocr_task_id for request in cloud_ocr_session.requests("deleteTask")]
    return noted


def landed(noted: Ride) -> int:
    return len(list(noted.landed.glob("*.txt")))


def looks(cloud_ocr: CloudOcrRehearsal) -> int:
    return sum(len(cloud_ocr.requests(method)) for method in LOOKS)


def beginnings(airflow: LocalAirflow, job: int | None = None) -> int:
    """How many triggers have begun, or begun anew, in a triggerer and not ended there."""
    ending = ".log" if job is None else f".trigger.{job}.log"
    logs = [log.read_text() for log in trigger_logs(airflow) if log.name.endswith(ending)]
    latest = [log.rpartition("the first look comes") for log in logs]
    return sum(bool(begun) and "trigger completed" not in since for _, begun, since in latest)


def not_deleted(airflow: LocalAirflow, job: int) -> int:
    """How many triggers of a triggerer have said that their Airflow task waits on, so nothing is deleted."""
    logs = [log.read_text() for log in trigger_logs(airflow) if log.name.endswith(f".trigger.{job}.log")]
    return sum("not deleted, because the Airflow task is deferred" in log for log in logs)


def test_all_documents_land_and_each_is_paid_for_once(
    ride: Ride, cloud_ocr_session: CloudOcrRehearsal
) -> None:
    assert ride.final == "success"
    assert_landed(ride.landed, DOCUMENTS)
    names = [f"document-{number}" for number in range(DOCUMENTS)]
    completed = cloud_ocr_session.tasks("Completed")
    assert Counter(task.source for task in completed) == Counter(
        f"https://nowhere.invalid/{name}.tif" for name in (*names, "healthy")
    )
    assert cloud_ocr_session.credits_charged == 5 * (DOCUMENTS + 1)
    assert len(cloud_ocr_session.tasks()) == DOCUMENTS + len(WAITING)


@pytest.mark.parametrize("task_id", ["document.submit", "document.land"])
def test_tasks_were_killed(ride: Ride, task_id: str) -> None:
    assert sum(count > 1 for count in tries(ride.airflow, MANY, RUN_ID, task_id)) >= 2


def test_each_wait_ends_with_the_task_of_its_own_document(
    ride: Ride, cloud_ocr_session: CloudOcrRehearsal
) -> None:
    of = {task.source: task.id for task in cloud_ocr_session.tasks()}
    for index in range(DOCUMENTS):
        waited_for = ride.airflow.xcom(MANY, RUN_ID, "document.wait", index)
        assert waited_for == of[f"https://nowhere.invalid/document-{index}.tif"]


def test_a_triggerer_that_slept_through_a_takeover_deletes_nothing(ride: Ride) -> None:
    assert ride.deleted_after_sleep == 0


def test_only_what_a_user_ended_is_deleted(ride: Ride, cloud_ocr_session: CloudOcrRehearsal) -> None:
    [ended] = cloud_ocr_session.tasks("Deleted")
    assert ended.source == "https://nowhere.invalid/ended_by_a_user.tif"
    assert ride.deleted_by_the_user == [ended.id]


def test_two_takeovers_leave_every_deadline_as_it_was(ride: Ride) -> None:
    # Read once in the first log; twice in two; and twice again when the first triggerer has begun anew.
    waited = [deadlines for deadlines in ride.deadlines.values() if len(deadlines) >= 5]
    assert len(waited) >= DOCUMENTS
    assert all(len(set(deadlines)) == 1 for deadlines in waited)


def test_takeovers_cost_the_service_few_looks(ride: Ride) -> None:
    # Each triggerer looks for all at once, at the pace of the fastest; more often while its triggers begin.
    rounds = 4 + ride.seconds / min(POLL_INTERVAL, POLL_INTERVAL_OF_THE_OTHERS)
    assert 0 < ride.looks <= rounds * TRIGGERERS * REQUESTS_AN_INTERVAL
