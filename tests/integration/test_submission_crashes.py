# SPDX-License-Identifier: Apache-2.0
"""Whatever kills a submission, and wherever: after the next try there is exactly one charged task.

Each try is a process, killed by SIGKILL at an exact point. The service is the real server without
recognition, with every way through what the API's documentation leaves open; with idempotency keys, and
without as the vendor's is. What waits for time does so on a `Wire`, where it passes at once.
"""

from __future__ import annotations

import itertools
import signal
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.submission import SETTLE_SECONDS
from airflow_provider_ocr.protocol.vocabulary import TaskStatus
from airflow_provider_ocr.server.operations.rehearsing import RehearsalServer
from airflow_provider_ocr.server.records.choices import Choices, DeletedTask, ListFilter, ListOrder
from tests.submission_tries import READ_SECONDS, Outcome, Plan, Point, Tries
from tests.wire import Fate, Wire

APPLICATION, PASSWORD = "crashing", "crash, and be found again"
ONE_PAGE = 5  # credits
TEN_MINUTES = 600.0
FOREIGN = 1500
SECONDS_BETWEEN_FOREIGN = 20

USUAL = Choices()
UNUSUAL = Choices(
    list_order=ListOrder.NEWEST, list_filter=ListFilter.REGISTERED, deleted_task=DeletedTask.STATUS
)
SWITCHES = [
    Choices(list_order=order, list_filter=by, deleted_task=deleted)
    for order, by, deleted in itertools.product(ListOrder, ListFilter, DeletedTask)
]

ADOPTED = ("adopted by ID", "adopted by key")

Start = Callable[[Choices], tuple[RehearsalServer, Path]]


@pytest.fixture(scope="module")
def tries() -> Iterator[Tries]:
    with Tries() as running:
        yield running


@pytest.fixture(scope="module")
def other_tries() -> Iterator[Tries]:
    """For tries beside those of ``tries``."""
    with Tries() as running:
        yield running


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Gives the server with these choices, and its database."""
    with ExitStack() as running:
        servers: dict[Choices, tuple[RehearsalServer, Path]] = {}

        def find(choices: Choices) -> tuple[RehearsalServer, Path]:
            if choices not in servers:
                folder = tmp_path_factory.mktemp("server")
                server = RehearsalServer(folder, application=APPLICATION, password=PASSWORD, choices=choices)
                servers[choices] = running.enter_context(server), folder / "server.sqlite"
            return servers[choices]

        yield find


class Service:
    """A server and the way to it, and all tries of one submission."""

    def __init__(
        self, server: RehearsalServer, database: Path, wire: Wire, tries: Tries, record: Path
    ) -> None:
        self.server = server
        self.wire = wire
        self._database = database
        self._tries = tries
        self._record = record
        self.keeps = True

    def plan(self, *, is_retry: bool, **rest: object) -> Plan:
        record = str(self._record) if self.keeps else None
        return Plan(
            url=self.wire.url,
            application=APPLICATION,
            password=PASSWORD,
            record=record,
            is_retry=is_retry,
            **rest,  # type: ignore[arg-type]  # each test names the fields that it needs
        )

    def first(self, **rest: object) -> Outcome:
        return self._tries.make(self.plan(is_retry=False, **rest))

    def again(self, **rest: object) -> Outcome:
        return self._tries.make(self.plan(is_retry=True, **rest))

    def wait_for_arrival(self) -> None:
        """Wait until a request that left its sender has made its task: time on the wire would overtake it."""
        deadline = time.monotonic() + 120
        while not self.server.tasks():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def finish(self) -> int:
        """The credits that were charged, once every request has arrived and all tasks have ended."""
        self.wire.let_pass(3600.0)
        deadline = time.monotonic() + 120
        while any(
            task.status in (TaskStatus.SUBMITTED, TaskStatus.QUEUED, TaskStatus.IN_PROGRESS)
            for task in self.server.tasks()
        ):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return self.server.application.used

    def assert_one(self, *outcomes: Outcome) -> None:
        """There is one charged task, and these tries have it."""
        charged = self.finish()
        [task] = self.server.tasks()
        assert (task.status, charged) == (TaskStatus.COMPLETED, ONE_PAGE)
        assert [(outcome.error, outcome.ocr_task_id) for outcome in outcomes] == [(None, task.id)] * len(
            outcomes
        )

    def add_foreign_tasks(self, *, after_ours: bool) -> None:
        """Make the list longer than one answer: tasks of others who use the same application.

        :param after_ours: whether they are younger than all that is there, or older.
        """
        [ours] = self.server.tasks()
        step = 1000 * (SECONDS_BETWEEN_FOREIGN if after_ours else -SECONDS_BETWEEN_FOREIGN)
        with closing(sqlite3.connect(self._database, timeout=60)) as database, database:
            database.execute("CREATE TEMP TABLE foreign_task AS SELECT * FROM tasks WHERE id = ?", [ours.id])
            database.execute("UPDATE foreign_task SET sealed = NULL")  # without a description
            for _ in range(FOREIGN):
                database.execute(
                    "UPDATE foreign_task SET id = ?, registered_ms = registered_ms + ?, "
                    "changed_ms = changed_ms + ?",
                    [str(uuid.uuid4()), step, step],
                )
                database.execute("INSERT INTO tasks SELECT * FROM foreign_task")

    def count_tasks(self) -> int:
        """All tasks, those of others among them."""
        with closing(sqlite3.connect(self._database, timeout=60)) as database:
            return int(database.execute("SELECT count(*) FROM tasks").fetchone()[0])


def name_of(choices: Choices) -> str:
    return f"{choices.list_order}-{choices.list_filter}-{choices.deleted_task}"


@pytest.fixture(
    params=[
        pytest.param(
            choices, marks=() if choices in (USUAL, UNUSUAL) else pytest.mark.long, id=name_of(choices)
        )
        for choices in SWITCHES
    ]
)
def choices(request: pytest.FixtureRequest) -> Choices:
    found: Choices = request.param
    return found


@pytest.fixture(params=[False, True], ids=["no keys", "keys"])
def passes_keys(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def service(
    choices: Choices, passes_keys: bool, start: Start, tries: Tries, tmp_path: Path
) -> Iterator[Service]:
    server, database = start(choices)
    server.begin_anew()
    with Wire(server.port, passes_keys=passes_keys) as wire:
        yield Service(server, database, wire, tries, tmp_path / "record.json")


@pytest.fixture(params=[True, False], ids=["record", "no record"], autouse=True)
def keeps(service: Service, request: pytest.FixtureRequest) -> bool:
    """Whether Airflow keeps anything from try to try, as it does since 3.3."""
    service.keeps = bool(request.param)
    return service.keeps


WITHOUT_KEYS = pytest.mark.parametrize("passes_keys", [False], ids=["no keys"], indirect=True)


@pytest.mark.parametrize("point", Point, ids=lambda point: point.replace(" ", "_"))
def test_a_killed_try_is_followed_by_one_that_ends_with_the_one_task(service: Service, point: Point) -> None:
    killed = service.first(killed=point)
    assert killed.signal == signal.SIGKILL
    if point is not Point.BEFORE_THE_CALL:
        service.wait_for_arrival()
    again = service.again()
    service.assert_one(again)
    assert (again.decision == "new") == (point is Point.BEFORE_THE_CALL)


def test_tries_that_are_killed_one_after_the_other_end_with_one_task(service: Service) -> None:
    for number, point in enumerate(Point):
        killed = (service.again if number else service.first)(killed=point)
        assert killed.signal == (0 if killed.decision in ADOPTED else signal.SIGKILL)
        if number:
            service.wait_for_arrival()
    service.assert_one(service.again())


def test_an_answer_that_is_lost_on_the_wire_costs_nothing(service: Service) -> None:
    service.wire.decide(Fate.UNANSWERED)
    assert service.first().error == "ConnectionFailedError"
    again = service.again()
    service.assert_one(again)
    assert again.decision == "adopted by key"


def test_a_request_that_registers_20_s_after_it_was_given_up_is_found(service: Service) -> None:
    assert_found_although_late(service)


@WITHOUT_KEYS
@pytest.mark.parametrize(
    ("first_clock", "next_clock"),
    [(-TEN_MINUTES, 0.0), (TEN_MINUTES, 0.0), (0.0, -TEN_MINUTES), (0.0, TEN_MINUTES)],
    ids=["first slow", "first fast", "next slow", "next fast"],
)
def test_a_late_request_is_found_by_workers_whose_clocks_are_10_minutes_wrong(
    service: Service, first_clock: float, next_clock: float
) -> None:
    assert_found_although_late(service, first_clock, next_clock)


def assert_found_although_late(service: Service, first_clock: float = 0.0, next_clock: float = 0.0) -> None:
    service.wire.decide(Fate.LATE, seconds=READ_SECONDS + 20)
    assert service.first(real_read_seconds=0.05, clock_seconds=first_clock).error == "ConnectionFailedError"
    service.wire.wait_for_a_late_one()
    again = service.again(clock_seconds=next_clock)
    service.assert_one(again)
    assert again.decision == "adopted by key"
    # Not for as long as a clock is wrong.
    assert again.waited < READ_SECONDS + SETTLE_SECONDS + 10


@WITHOUT_KEYS
@pytest.mark.parametrize("clock", [-TEN_MINUTES, TEN_MINUTES], ids=["slow", "fast"])
def test_a_killed_try_is_followed_by_one_on_a_worker_whose_clock_is_10_minutes_wrong(
    service: Service, clock: float
) -> None:
    service.first(killed=Point.ANSWERED)
    again = service.again(clock_seconds=clock)
    service.assert_one(again)
    assert again.decision == "adopted by key"


def test_a_try_that_still_waits_for_its_answer_and_the_next_one_have_the_same_task(
    service: Service, other_tries: Tries
) -> None:
    """As where Airflow takes a task process for dead that is not."""
    service.wire.decide(Fate.LATE, seconds=READ_SECONDS + 20)
    with ThreadPoolExecutor(1) as beside:
        first = beside.submit(other_tries.make, service.plan(is_retry=False))
        service.wire.wait_for_a_late_one()
        again = service.again()
        service.assert_one(again, first.result())


def test_a_request_that_registers_later_than_anybody_waits_is_carried_out_once_where_there_are_keys(
    service: Service, passes_keys: bool
) -> None:
    service.wire.decide(Fate.LATE, seconds=600.0)
    service.first(real_read_seconds=0.05)
    service.wire.wait_for_a_late_one()
    again = service.again()
    assert again.decision == "new"
    if passes_keys:
        service.assert_one(again)
    else:
        # What no client can prevent, and why the rule says how long it waits: the test can tell one from two.
        assert service.finish() == 2 * ONE_PAGE


@WITHOUT_KEYS
@pytest.mark.parametrize("after_ours", [True, False], ids=["younger", "older"])
def test_the_task_is_found_among_1500_of_others(service: Service, after_ours: bool) -> None:
    service.first(killed=Point.ANSWERED)
    assert service.finish() == ONE_PAGE
    [ours] = service.server.tasks()
    service.add_foreign_tasks(after_ours=after_ours)
    again = service.again()
    assert (again.decision, again.ocr_task_id) == ("adopted by key", ours.id)
    assert service.count_tasks() == FOREIGN + 1


@WITHOUT_KEYS
def test_a_task_that_was_deleted_is_replaced_by_one(service: Service) -> None:
    first = service.first()
    assert service.finish() == ONE_PAGE
    with CloudOcrClient(base_url=service.wire.url, application_id=APPLICATION, password=PASSWORD) as client:
        client.delete_task(first.ocr_task_id or "")
    assert service.again(killed=Point.ANSWERED).signal == signal.SIGKILL
    again = service.again()
    assert again.decision == "adopted by key"
    assert service.finish() == 2 * ONE_PAGE
    assert [task.status for task in service.server.tasks()] == [TaskStatus.DELETED, TaskStatus.COMPLETED]
