# SPDX-License-Identifier: Apache-2.0
"""Compares what a server has done with what it had promised: answers, database, ledger and files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from airflow_provider_ocr.protocol.messages import parse_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.server.records.applications import CHARGE, Applications
from airflow_provider_ocr.server.records.database import Database, tasks
from demo.processes import direct_session
from tests.crashes.documents import Truth, read_pages
from tests.crashes.orders import Certainty, Order, OrderBook

_HOLDS_IMAGES = {"Submitted", "Queued", "InProgress", "NotEnoughCredits", "Completed"}
_HOLDS_PAGES = {"Queued", "InProgress", "Completed"}
_HOLDS_RESULTS = {"Completed"}
_MOST_LISTED = 1000

Row = Mapping[str, Any]


class Accounting:
    """The books of a server that has nothing more to do. It has to run while they are opened.

    :param url: the server's base URL.
    :param data: its data folder.
    :param book: what it was ordered.
    :param killed_children: how many of its children were killed; two may have cost a task its page.
    """

    def __init__(self, *, url: str, data: Path, book: OrderBook, killed_children: int) -> None:
        self._url = url
        self._data = data
        self._book = book
        self._killed_children = killed_children
        self._session = direct_session()
        database = Database.in_folder(data)
        with database.read() as connection:
            found = connection.execute(sa.select(tasks)).mappings()
            self._rows: dict[str, Row] = {row["id"]: dict(row) for row in found}
        applications = Applications(database)
        self._applications = applications.all()
        self._ledgers = {one.name: applications.ledger(one.name) for one in self._applications}
        database.close()
        self._orders: dict[str, Order] = {}
        self._nobodys: list[Row] = []
        self._give_rows_to_orders()

    def summary(self) -> str:
        """What there was, in one line."""
        statuses = Counter(row["status"] for row in self._rows.values())
        told = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
        return (
            f"{len(self._book.orders)} orders in {self._book.requests} requests, of which "
            f"{self._book.unanswered} went unanswered; tasks: {told}"
        )

    def discrepancies(self) -> Iterator[str]:
        """Everything that is not as it was promised, as the running server shows it."""
        for order in self._book.orders:
            yield from self._check_order(order)
        for row in self._rows.values():
            yield from self._check_row(row)
        yield from self._check_failures()
        yield from self._check_lists()
        yield from self._check_money()
        for ocr_task_id, order in self._orders.items():
            if self._rows[ocr_task_id]["status"] == "Completed":
                yield from self._check_results(order, ocr_task_id)

    def discrepancies_on_disk(self) -> Iterator[str]:
        """Every file that is missing, or that no task may have, once the server is stopped."""
        for name in ("incoming", "work"):
            yield from (f"left in {name}: {path.name}" for path in (self._data / name).iterdir())
        for kind, holding in (
            ("images", _HOLDS_IMAGES),
            ("pages", _HOLDS_PAGES),
            ("results", _HOLDS_RESULTS),
        ):
            for path in (self._data / kind).glob("*"):
                row = self._rows.get(path.name)
                if row is None or row["status"] not in holding:
                    yield f"{kind}/{path.name} belongs to {'nobody' if row is None else row['status']}"
        for row in self._rows.values():
            yield from self._check_files(row)

    def _give_rows_to_orders(self) -> None:
        """Find the order of each task, by its description where the customer was never told the ID."""
        by_id = {order.ocr_task_id: order for order in self._book.orders if order.ocr_task_id}
        unanswered = {
            (order.application, order.description): order
            for order in self._book.orders
            if not order.ocr_task_id
        }
        for row in self._rows.values():
            order = by_id.get(row["id"])
            if order is None:
                description = self._ask(row["application"], f"getTaskStatus?taskId={row['id']}")[
                    0
                ].description
                # An order that is found has its task; a second one would be nobody's.
                order = unanswered.pop((row["application"], description or ""), None)
            if order is None:
                self._nobodys.append(row)
            else:
                order.ocr_task_id = row["id"]
                self._orders[row["id"]] = order

    def _check_order(self, order: Order) -> Iterator[str]:
        row = self._rows.get(order.ocr_task_id)
        if row is None:
            if order.accepted is Certainty.YES:
                yield f"{order.description}: task {order.ocr_task_id} was accepted and is lost"
        elif order.accepted is Certainty.NO:
            yield f"{order.description}: it was refused, and there is task {row['id']}"
        elif row["status"] not in _possible(order) and not _lost_its_page(order, row):
            yield f"{order.description}: task {row['id']} is {row['status']} ({row['error']})"

    def _check_row(self, row: Row) -> Iterator[str]:
        if row["reserved"]:
            yield f"task {row['id']} is {row['status']} and has {row['reserved']} credits reserved"
        if row["lease"]:
            yield f"task {row['id']} is {row['status']} and still has a lease"

    def _check_failures(self) -> Iterator[str]:
        lost = [
            row
            for row in self._rows.values()
            if (order := self._orders.get(row["id"])) and _lost_its_page(order, row)
        ]
        if len(lost) > self._killed_children // 2:
            yield f"{len(lost)} tasks failed for {self._killed_children} killed children: {lost[0]['error']}"
        # An image that was submitted without that the answer came; its customer cannot have gone on with it.
        if len(self._nobodys) > len(self._book.unnamed):
            yield f"{len(self._nobodys)} tasks are nobody's for {len(self._book.unnamed)} unanswered requests"
        for row in self._nobodys:
            if row["status"] != "Submitted":
                yield f"task {row['id']} is nobody's and {row['status']}"

    def _check_lists(self) -> Iterator[str]:
        for application in {order.application for order in self._book.orders}:
            listed = {task.id for task in self._ask(application, "listTasks")}
            there = {row["id"] for row in self._rows.values() if row["application"] == application}
            if listed != there and len(there) < _MOST_LISTED:
                yield f"listTasks of {application} has {len(listed)} of {len(there)} tasks"

    def _check_money(self) -> Iterator[str]:
        charged: Counter[str] = Counter()
        for application in self._applications:
            entries = self._ledgers[application.name]
            balance = sum(entry.credits for entry in entries)
            spent = -sum(entry.credits for entry in entries if entry.reason == CHARGE)
            if application.credits not in (None, balance):
                yield f"{application.name} has {application.credits} credits, and {balance} by its ledger"
            if application.used != spent or application.reserved:
                yield (
                    f"{application.name} has used {application.used} credits, and {spent} by its ledger; "
                    f"{application.reserved} are reserved"
                )
            for entry in entries:
                if entry.ocr_task_id is not None:
                    charged[entry.ocr_task_id] += 1
                    yield from self._check_charge(entry.ocr_task_id, -entry.credits)
        yield from (f"task {name} was charged {count} times" for name, count in charged.items() if count > 1)
        for row in self._rows.values():
            order = self._orders.get(row["id"])
            completed = row["status"] == "Completed" or (order is not None and order.was_completed)
            if completed and not charged[row["id"]]:
                yield f"task {row['id']} was completed and not charged"

    def _check_charge(self, ocr_task_id: str, amount: int) -> Iterator[str]:
        row, order = self._rows.get(ocr_task_id), self._orders.get(ocr_task_id)
        if row is None or order is None or order.truth is None:
            yield f"task {ocr_task_id} was charged and was never to be recognised"
        elif row["status"] not in ("Completed", "Deleted") and not order.was_completed:
            yield f"task {ocr_task_id} was charged and is {row['status']}"
        elif amount != order.truth.credits:
            yield f"task {ocr_task_id} was charged {amount} instead of {order.truth.credits}"

    def _check_results(self, order: Order, ocr_task_id: str) -> Iterator[str]:
        (task,) = self._ask(order.application, f"getTaskStatus?taskId={ocr_task_id}")
        assert order.truth is not None, order
        if task.credits != order.truth.credits:
            yield f"task {task.id} says that it cost {task.credits} instead of {order.truth.credits}"
        answers = [self._session.get(url, timeout=30) for url in task.result_urls]
        bad = [answer.status_code for answer in answers if answer.status_code != 200]
        if bad:
            yield f"task {task.id}: its results cannot be downloaded: HTTP {bad}"
            return
        contents = [answer.content for answer in answers]
        if not any(_fit(formats, contents, order.truth) for formats in order.formats):
            yield f"task {task.id}: its results are not those of {order.formats}: {contents[0][:100]!r}"

    def _check_files(self, row: Row) -> Iterator[str]:
        ocr_task_id, status = row["id"], row["status"]
        if status in _HOLDS_IMAGES:
            held = sorted(path.name for path in (self._data / "images" / ocr_task_id).glob("*"))
            if held != sorted(str(number + 1) for number in range(row["files_count"])):
                yield f"task {ocr_task_id} is {status}, has {row['files_count']} images and the files {held}"
        if status in _HOLDS_RESULTS:
            runs = [path.name for path in (self._data / "results" / ocr_task_id).glob("*")]
            if runs != [row["run"]]:
                yield f"task {ocr_task_id} has the run {row['run']} and the files of {runs}"

    def _ask(self, application: str, path: str) -> list[OcrTask]:
        answer = self._session.get(f"{self._url}/{path}", auth=(application, application), timeout=30)
        # The database says what is; what the API does not tell of a deleted task is no discrepancy.
        return parse_tasks(answer.content) if answer.status_code == 200 else [OcrTask(id="", status="")]


def _possible(order: Order) -> set[str]:
    """The statuses that a task may have in the end."""
    if order.deleted is Certainty.YES:
        return {"Deleted"}
    possible = {"Deleted"} if order.deleted is Certainty.MAYBE else set()
    if order.started is not Certainty.YES and order.accepted is Certainty.YES:
        possible.add("Submitted")
    if order.started is not Certainty.NO:
        possible.add("ProcessingFailed" if order.truth is None else "Completed")
    return possible


def _lost_its_page(order: Order, row: Row) -> bool:
    """Whether a task has failed because its recognition process was killed twice on the same page."""
    died = row["status"] == "ProcessingFailed" and "stopped unexpectedly" in (row["error"] or "")
    return died and order.truth is not None and order.deleted is Certainty.NO


def _fit(formats: tuple[str, ...], contents: list[bytes], truth: Truth) -> bool:
    if len(formats) != len(contents):
        return False
    try:
        found = [read_pages(name, content) for name, content in zip(formats, contents, strict=True)]
    except Exception:  # noqa: BLE001 - what is no such file can raise anything, and is not what was wanted
        return False
    return found == [truth.pages[name] for name in formats]
