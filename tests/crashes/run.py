# SPDX-License-Identifier: Apache-2.0
"""The whole crash test: customers, kills, a quiet end, and the account."""

from __future__ import annotations

import itertools
import json
import os
import random
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.accounts.passwords import hash_password
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.database import Database, tasks
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer
from demo.processes import direct_session, free_port
from tests.crashes.accounting import Accounting
from tests.crashes.customers import Customer, Shop
from tests.crashes.documents import FORMATS, Document, Truth, read_pages
from tests.crashes.killing import Killer, Victim
from tests.crashes.orders import OrderBook

_CREDITS_OF: dict[str, int | None] = {"unlimited": None, "rich": 10_000, "poor": 100}
_CUSTOMERS_OF_EACH = 2
_TOP_UP = 100
_ENOUGH = 100_000
_SECONDS_TO_SETTLE = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of it.

    :param seed: with it the same is left to chance again.
    :param kills: how many there were.
    :param summary: what there was, in one line.
    :param discrepancies: everything that is not as it was promised; empty where all is well.
    """

    seed: int
    kills: int
    summary: str
    discrepancies: Sequence[str]


def crash_and_account(
    *, folder: Path, held: Sequence[Document], sources: str, kills: int, longest_life: float
) -> Outcome:
    """Kill a server so often while customers order, and account for all that it accepted.

    What is left to chance follows from a seed, which is printed; CRASH_SEED in the environment sets it. The
    moments within the server cannot be repeated.

    :param folder: for its data and logs.
    :param held: the documents that customers order.
    :param sources: base URL under which the same documents can be fetched.
    :param longest_life: seconds from when the server answers to the latest moment of a kill.
    """
    seed = int(os.environ.get("CRASH_SEED") or secrets.randbelow(10**6))
    print(f"CRASH_SEED={seed}")  # noqa: T201 - who reads of a failure needs it
    data = folder / "data"
    truths = _learn_truths(folder, held)
    _add_applications(data)
    chance = random.Random(seed)
    killer = Killer(_starter(folder, data), chance, longest_life=longest_life)
    shop = Shop(url=killer.server.url, sources=sources, documents=held, truths=truths)
    book = OrderBook()
    try:
        with _customers(shop, book, seed):
            for _, victim in zip(range(kills), itertools.cycle(Victim)):
                killer.kill(victim)
                if chance.random() < 0.3:
                    _top_up(data, _TOP_UP)
            killer.wait_until_ready()
        _settle(data, shop)
        books = Accounting(url=shop.url, data=data, book=book, killed_children=killer.killed_children)
        found = [*killer.complaints, *book.complaints, *books.discrepancies()]
    finally:
        killer.stop()
    found += books.discrepancies_on_disk()
    found += [f"process {survivor} is left" for survivor in killer.survivors()]
    print(books.summary())  # noqa: T201 - says whether there was anything to account for
    return Outcome(seed=seed, kills=sum(killer.kills.values()), summary=books.summary(), discrepancies=found)


def _starter(folder: Path, data: Path) -> Callable[[], OcrServer]:
    """Starts one server after the other on the same data and port."""
    port, starts = free_port(), itertools.count(1)
    return lambda: OcrServer(data=data, logs=folder / f"start-{next(starts)}", workers=2, port=port)


@contextmanager
def _customers(shop: Shop, book: OrderBook, seed: int) -> Iterator[None]:
    """Some customers of each application, who are gone at the end."""
    with ExitStack() as ordering:
        for number, application in enumerate([*_CREDITS_OF] * _CUSTOMERS_OF_EACH):
            ordering.enter_context(Customer(shop, book, application=application, number=number, seed=seed))
        yield


def _learn_truths(folder: Path, held: Sequence[Document]) -> dict[str, Truth]:
    """What a server that nobody disturbs makes of each document."""
    settings = ProcessingSettings.parse(export_format=",".join(FORMATS))
    truths = {}
    server = OcrServer(data=folder / "undisturbed", logs=folder / "undisturbed-logs", workers=2)
    client = CloudOcrClient(base_url=server.url, application_id=APPLICATION_ID, password=PASSWORD)
    with server, client:
        for document in dict.fromkeys(held):
            task = client.process_image(document.content, settings)
            while task.is_running:
                time.sleep(0.1)
                task = client.get_task_status(task.id)
            assert task.status == "Completed", f"{document.name}: {task.error}"
            contents = [direct_session().get(url, timeout=30).content for url in task.result_urls]
            pages = {name: read_pages(name, content) for name, content in zip(FORMATS, contents, strict=True)}
            truths[document.name] = Truth(pages=pages, credits=task.credits or 0)
    return truths


def _add_applications(data: Path) -> None:
    data.mkdir(mode=0o700)
    database = Database.in_folder(data)
    for name, amount in _CREDITS_OF.items():
        Applications(database).add(name, hash_password(name), credits=amount)
    database.close()


def _top_up(data: Path, amount: int) -> None:
    database = Database.in_folder(data)
    Applications(database).credit("poor", amount)
    database.close()


def _settle(data: Path, shop: Shop) -> None:
    """Pay for what waits for credits, have it done, and wait until nothing is to be done any more."""
    _top_up(data, _ENOUGH)
    database = Database.in_folder(data)
    deadline = time.monotonic() + _SECONDS_TO_SETTLE
    try:
        while unsettled := _unsettled(database):
            assert time.monotonic() < deadline, f"{len(unsettled)} tasks do not end: {unsettled[0]}"
            for row in unsettled:
                if row["status"] == "NotEnoughCredits":
                    formats = json.loads(row["settings"])["exportFormat"]
                    path = f"processDocument?taskId={row['id']}&exportFormat={formats}"
                    auth = (row["application"], row["application"])
                    answer = direct_session().get(f"{shop.url}/{path}", auth=auth, timeout=30)
                    assert answer.status_code == 200, answer.text
            time.sleep(0.5)
    finally:
        database.close()


def _unsettled(database: Database) -> list[sa.RowMapping]:
    waiting = sa.or_(
        tasks.c.status.in_(["Queued", "InProgress", "NotEnoughCredits"]),
        sa.and_(tasks.c.status == "Submitted", tasks.c.awaits_source.is_(True)),
    )
    query = sa.select(tasks.c.id, tasks.c.application, tasks.c.status, tasks.c.settings).where(waiting)
    with database.read() as connection:
        return list(connection.execute(query).mappings())
