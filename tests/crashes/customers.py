# SPDX-License-Identifier: Apache-2.0
"""Customers: threads that order documents without a pause and write down what they are promised.

A customer whose connection breaks does not know whether its request was carried out. With an idempotency key
it sends the request again until there is an answer; without one it notes that it does not know.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import quote

import requests

from airflow_provider_ocr.protocol.messages import parse_tasks
from airflow_provider_ocr.protocol.task import OcrTask
from demo.processes import direct_session
from tests.crashes.documents import FORMATS, MISSING, Document, Truth, read_pages
from tests.crashes.orders import Certainty, Order, OrderBook

_TIMEOUT_SECONDS = 30.0
_PATIENCE_SECONDS = 120.0
_MOST_OPEN = 12
_PAUSE_SECONDS = 0.05
_CHANCE_TO_CHANGE = 0.1
_CHANCE_TO_GIVE_UP = 0.003
_REFUSED, _BUSY = 450, 503


class UnansweredError(Exception):
    """The connection broke before an answer came."""


class RefusedError(Exception):
    """The server answered that it did not carry the request out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Where customers order.

    :param url: the server, which is not always there.
    :param sources: base URL of the remote images.
    :param truths: what is right for each document, by name.
    """

    url: str
    sources: str
    documents: Sequence[Document]
    truths: Mapping[str, Truth]


class Customer:
    """Orders, in a thread, within a ``with`` block.

    :param application: for whom; also its password.
    :param number: which customer it is.
    """

    def __init__(self, shop: Shop, book: OrderBook, *, application: str, number: int, seed: int) -> None:
        self._name = f"customer-{number}"
        self._thread = threading.Thread(target=self._order, name=self._name)
        self._stopping = threading.Event()
        self._shop = shop
        self._book = book
        self._application = application
        self._random = random.Random(f"{seed}/{number}")
        self._session = direct_session()
        self._made = 0
        self._open: list[Order] = []
        self._done: list[Order] = []
        self._ways = [
            *[self._process_image] * 5,
            *[self._process_remote_image] * 4,
            *[self._process_several_images] * 2,
        ]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def _order(self) -> None:
        """Order, look, download, delete and order again."""
        while not self._stopping.wait(_PAUSE_SECONDS):
            try:
                if len(self._open) < _MOST_OPEN:
                    self._random.choice(self._ways)()
                self._look_at_one()
                if self._done and self._random.random() < _CHANCE_TO_CHANGE:
                    change = self._random.choice([self._delete, self._order_again, self._order_again])
                    change(self._random.choice(self._done))
            except (UnansweredError, RefusedError):
                self._stopping.wait(0.1)
            except Exception as error:  # noqa: BLE001 - a thread's end would go unnoticed
                self._complain(f"{type(error).__name__}: {error}")

    def _process_image(self) -> None:
        document = self._random.choice(self._shop.documents)
        order = self._new_order(self._shop.truths[document.name])
        self._start(order, f"processImage?{_query(order)}", image=document.content)

    def _process_remote_image(self) -> None:
        document = self._random.choice(self._shop.documents)
        missing = self._random.random() < 0.05
        order = self._new_order(None if missing else self._shop.truths[document.name])
        late = "?late" if self._random.random() < 0.3 else ""
        source = f"{self._shop.sources}/{MISSING if missing else document.name}{late}"
        self._start(order, f"processRemoteImage?source={quote(source, safe='')}&{_query(order)}")

    def _process_several_images(self) -> None:
        first, second = self._random.choices(self._shop.documents, k=2)
        truth = self._shop.truths[first.name] + self._shop.truths[second.name]
        key = self._key()
        try:
            task = self._change("submitImage", image=first.content, key=key)
        except UnansweredError:
            self._book.unnamed.append(self._name)
            raise
        order = self._new_order(truth)
        order.ocr_task_id, order.accepted = task.id, Certainty.YES
        path = f"submitImage?taskId={task.id}"
        self._change(path, image=second.content, key=self._key(always=True))
        self._start(order, f"processDocument?taskId={task.id}&{_query(order)}", key=self._key())

    def _order_again(self, order: Order) -> None:
        if order.deleted is not Certainty.NO or order.truth is None:
            return
        formats = self._some_formats()
        path = f"processDocument?taskId={order.ocr_task_id}&exportFormat={','.join(formats)}"
        self._done.remove(order)
        self._open.append(order)
        try:
            self._change(path, key=self._key())
        except UnansweredError:
            order.formats = [*order.formats, formats]
            raise
        order.formats = [formats]

    def _delete(self, order: Order) -> None:
        self._done.remove(order)
        try:
            self._change(f"deleteTask?taskId={order.ocr_task_id}")
        except UnansweredError:
            order.deleted = Certainty.MAYBE
            raise
        order.deleted = Certainty.YES

    def _look_at_one(self) -> None:
        if not self._open:
            return
        order = self._random.choice(self._open)
        (task,) = self._ask(f"getTaskStatus?taskId={order.ocr_task_id}")
        if task.status == "NotEnoughCredits" and self._random.random() < 0.5:
            self._resume(order)
        if task.status not in ("Completed", "ProcessingFailed"):
            if self._random.random() < _CHANCE_TO_GIVE_UP:
                self._open.remove(order)
                self._done.append(order)
                self._delete(order)
            return
        self._open.remove(order)
        self._done.append(order)
        if task.status == "Completed":
            order.was_completed = True
            self._check_result(order, task)

    def _resume(self, order: Order) -> None:
        formats = order.formats[-1]
        self._change(f"processDocument?taskId={order.ocr_task_id}&exportFormat={','.join(formats)}")
        order.formats = [formats]

    def _check_result(self, order: Order, task: OcrTask) -> None:
        """Download one result at once, and take no wrong one for the disorder."""
        formats = next((names for names in order.formats if len(names) == len(task.result_urls)), ())
        if order.truth is None or len(order.formats) != 1 or not formats:
            return
        try:
            answer = self._session.get(task.result_urls[0], timeout=_TIMEOUT_SECONDS)
        except requests.RequestException:
            raise UnansweredError from None
        if (
            answer.status_code != 200
            or read_pages(formats[0], answer.content) != order.truth.pages[formats[0]]
        ):
            self._complain(
                f"task {task.id}: a wrong result, HTTP {answer.status_code} {answer.content[:200]!r}"
            )

    def _new_order(self, truth: Truth | None) -> Order:
        self._made += 1
        order = Order(
            application=self._application,
            description=f"{self._name}/{self._made}",
            truth=truth,
            formats=[self._some_formats()],
        )
        self._book.orders.append(order)
        return order

    def _start(self, order: Order, path: str, *, image: bytes | None = None, key: str | None = None) -> None:
        """Have an order carried out, and note what is known of it whatever happens."""
        before = order.accepted
        order.started = Certainty.MAYBE
        if before is Certainty.NO:
            order.accepted = Certainty.MAYBE
        try:
            task = self._change(path, image=image, key=self._key() if key is None else key)
        except RefusedError:
            order.accepted, order.started = before, Certainty.NO
            raise
        order.ocr_task_id, order.accepted, order.started = task.id, Certainty.YES, Certainty.YES
        self._open.append(order)

    def _some_formats(self) -> tuple[str, ...]:
        return tuple(self._random.sample(FORMATS, self._random.choice([1, 1, 2, 3])))

    def _key(self, *, always: bool = False) -> str:
        """An idempotency key for every second request; none is empty."""
        return f"{self._name}/{self._random.getrandbits(64)}" if always or self._random.random() < 0.5 else ""

    def _change(self, path: str, *, image: bytes | None = None, key: str = "") -> OcrTask:
        """Send a request that changes something: once, or with a key until it is answered."""
        deadline = time.monotonic() + (_PATIENCE_SECONDS if key else 0.0)
        while True:
            try:
                (task,) = self._ask(path, image=image, key=key)
            except UnansweredError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return task

    def _ask(self, path: str, *, image: bytes | None = None, key: str = "") -> list[OcrTask]:
        self._book.requests += 1
        try:
            answer = self._session.request(
                "GET" if image is None else "POST",
                f"{self._shop.url}/{path}",
                data=image,
                auth=(self._application, self._application),
                headers={"Idempotency-Key": key} if key else {},
                timeout=_TIMEOUT_SECONDS,
            )
        except requests.RequestException:
            self._book.unanswered += 1
            raise UnansweredError from None
        if answer.status_code in (_REFUSED, _BUSY):
            raise RefusedError(answer.text)
        if answer.status_code != 200:
            self._complain(f"{path.partition('?')[0]}: HTTP {answer.status_code} {answer.text[:300]}")
            raise RefusedError(answer.text)
        return parse_tasks(answer.content)

    def _complain(self, what: str) -> None:
        self._book.complaints.append(f"{self._name} of {self._application}: {what}")


def _query(order: Order) -> str:
    return f"exportFormat={','.join(order.formats[0])}&description={quote(order.description, safe='')}"
