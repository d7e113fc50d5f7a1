# SPDX-License-Identifier: Apache-2.0
"""Everybody's images are fetched, in turns, and never too many from one host or for one application."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.server.files.spool import Spool
from airflow_provider_ocr.server.sources.fetching import Fetchers, FetchLimits, FetchOrder, FetchTurns
from airflow_provider_ocr.server.sources.networks import AddressPolicy
from airflow_provider_ocr.server.sources.source import FetchStoppedError, SourceFetcher

MEGABYTE = 2**20
PATIENCE = 10.0  # for a test machine that has much to do


def order(name: str, application: str = "app", host: str = "host.example") -> FetchOrder:
    return FetchOrder(name, application, f"http://{host}/{name}")


def turns_of(*orders: FetchOrder, **limits: int) -> FetchTurns:
    turns = FetchTurns(FetchLimits(**limits))
    for one in orders:
        assert turns.add(one)
    return turns


def taken_from(turns: FetchTurns) -> list[str]:
    """The tasks whose orders may begin now, in this order."""
    return [one.ocr_task_id for one in iter(turns.take, None)]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Scans.Example:8443/x?y", "scans.example"),
        ("http://user:password@scans.example/", "scans.example"),
        ("http://scans.example\\@other.example/", "scans.example"),
        ("http://[::1]:80/", "::1"),
        ("no url", ""),
        ("http://[", ""),
    ],
)
def test_an_order_counts_for_the_host_that_will_be_connected_to(url: str, host: str) -> None:
    assert FetchOrder("1", "app", url).host == host


def test_orders_of_one_application_for_one_host_keep_their_order() -> None:
    turns = turns_of(*(order(name) for name in "abcd"))
    assert taken_from(turns) == list("abcd")


def test_applications_take_turns() -> None:
    many = [order(f"m{number}", "many", f"host{number}.example") for number in range(8)]
    turns = turns_of(*many, order("f1", "few", "other.example"), order("f2", "few", "other.example"))
    assert taken_from(turns) == ["m0", "f1", "m1", "f2", "m2", "m3", "m4", "m5", "m6", "m7"]


def test_the_hosts_of_an_application_take_turns() -> None:
    slow = [order(f"s{number}", host="slow.example") for number in range(3)]
    turns = turns_of(*slow, order("q1", host="quick.example"), order("q2", host="quick.example"))
    assert taken_from(turns) == ["s0", "q1", "s1", "q2", "s2"]


def test_a_host_that_has_enough_holds_up_no_other() -> None:
    slow = [order(f"s{number}", host="slow.example") for number in range(6)]
    turns = turns_of(*slow, order("other", host="other.example"), order("else", "else", "slow.example"))
    assert taken_from(turns) == ["s0", "else", "other", "s1", "s2"]
    turns.done(slow[0])
    assert taken_from(turns) == ["s3"]


def test_one_application_leaves_room_for_the_others() -> None:
    many = [order(f"{number}", "many", f"host{number}.example") for number in range(20)]
    turns = turns_of(*many)
    assert len(taken_from(turns)) == 12
    turns.add(order("late", "other", "other.example"))
    assert taken_from(turns) == ["late"]
    turns.done(many[3])
    assert len(taken_from(turns)) == 1


def test_there_is_a_limit_to_all_together() -> None:
    turns = turns_of(*(order(f"{number}", f"app{number}", f"host{number}") for number in range(20)))
    assert len(taken_from(turns)) == turns.under_way == 16


def test_an_order_for_a_task_that_has_one_is_passed_over_until_that_is_done() -> None:
    turns = turns_of(order("a"))
    assert not turns.add(order("a"))
    assert taken_from(turns) == ["a"]
    assert not turns.add(order("a"))
    turns.done(order("a"))
    assert turns.add(order("a"))
    assert taken_from(turns) == ["a"]


ORDERS = st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["h", "i", "j"])), max_size=40)


@given(
    wanted=ORDERS,
    in_all=st.integers(1, 6),
    per_host=st.integers(1, 3),
    per_application=st.integers(1, 4),
    data=st.data(),
)
def test_whatever_ends_when_no_limit_is_broken_and_no_order_is_lost(
    *,
    wanted: list[tuple[str, str]],
    in_all: int,
    per_host: int,
    per_application: int,
    data: st.DataObject,
) -> None:
    orders = [order(str(number), *who) for number, who in enumerate(wanted)]
    turns = turns_of(*orders, in_all=in_all, per_host=per_host, per_application=per_application)
    running: list[FetchOrder] = []
    begun: list[FetchOrder] = []
    while True:
        while (one := turns.take()) is not None:
            running.append(one)
            begun.append(one)
        assert turns.under_way == len(running) <= in_all
        assert max(Counter(one.host for one in running).values(), default=0) <= per_host
        assert max(Counter(one.application for one in running).values(), default=0) <= per_application
        if not running:
            break
        turns.done(running.pop(data.draw(st.integers(0, len(running) - 1))))
    assert sorted(begun, key=lambda one: int(one.ocr_task_id)) == orders
    for who in set(wanted):
        theirs = [int(one.ocr_task_id) for one in begun if (one.application, one.host) == who]
        assert theirs == sorted(theirs)


class Held:
    """A data folder, and how much unfinished tasks hold of its budget of one megabyte."""

    def __init__(self, folder: Path) -> None:
        (folder / "incoming").mkdir()
        self.bytes = 0
        self.spool = Spool(
            folder, budget_bytes=MEGABYTE, min_free_bytes=0, held_bytes=lambda: self.bytes, valid_seconds=0
        )


@pytest.fixture
def held(tmp_path: Path) -> Held:
    """A spool with room."""
    return Held(tmp_path)


StartFetchers = Callable[..., Fetchers]


@pytest.fixture
def fetchers(held: Held) -> Iterator[StartFetchers]:
    """Starts fetchers that call a function of the test, and stops them."""
    with ExitStack() as running:

        def start(fetch: Callable[[FetchOrder], None], *orders: FetchOrder, **options: Any) -> Fetchers:
            given = {"interrupt": lambda: None, "image_bytes": 1, "full_seconds": 0.02, **options}
            fetchers = Fetchers(fetch=fetch, spool=held.spool, **given)
            for one in orders:
                fetchers.accept(one)
            fetchers.start()
            running.callback(fetchers.stop)
            return fetchers

        yield start


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_orders_from_before_and_after_the_start_are_fetched(fetchers: StartFetchers) -> None:
    fetched: list[str] = []
    running = fetchers(lambda one: fetched.append(one.ocr_task_id), order("before"))
    running.accept(order("after"))
    wait_until(lambda: len(fetched) == 2)
    assert set(fetched) == {"before", "after"}


class Crowd:
    """Fetches that take a while, and how many there were at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.done = 0

    def fetch(self, one: FetchOrder) -> None:
        keys = ("all", one.host, one.application)
        with self._lock:
            self.now.update(keys)
            self.most |= self.now
        time.sleep(0.01)
        with self._lock:
            self.now.subtract(keys)
            self.done += 1


def test_threads_use_what_the_limits_allow_and_no_more(fetchers: StartFetchers) -> None:
    crowd = Crowd()
    orders = [order(f"{number}", f"app{number % 2}", f"host{number % 5}.example") for number in range(200)]
    fetchers(crowd.fetch, *orders)
    wait_until(lambda: crowd.done == len(orders))
    assert crowd.most["all"] == 16
    for number in range(5):
        assert crowd.most[f"host{number}.example"] <= 4
    for number in range(2):
        assert crowd.most[f"app{number}"] <= 12


def test_one_slow_application_does_not_hold_up_another(fetchers: StartFetchers) -> None:
    free, fetched = threading.Event(), []

    def fetch(one: FetchOrder) -> None:
        if one.application == "slow":
            free.wait(PATIENCE)
        else:
            fetched.append(one.ocr_task_id)

    slow = [order(f"s{number}", "slow", f"host{number}.example") for number in range(100)]
    running = fetchers(fetch, *slow)
    for number in range(20):
        running.accept(order(f"{number}", "quick"))
    wait_until(lambda: len(fetched) == 20)
    free.set()


def test_no_fetch_begins_while_the_spool_is_full(held: Held, fetchers: StartFetchers) -> None:
    fetched: list[str] = []
    held.bytes = MEGABYTE
    fetchers(lambda one: fetched.append(one.ocr_task_id), *(order(str(number)) for number in range(9)))
    time.sleep(0.2)
    assert fetched == []
    held.bytes = 0
    wait_until(lambda: len(fetched) == 9)


def test_room_is_set_aside_for_what_the_fetches_under_way_may_bring(fetchers: StartFetchers) -> None:
    crowd = Crowd()
    orders = [order(f"{number}", host=f"host{number}.example") for number in range(20)]
    fetchers(crowd.fetch, *orders, image_bytes=MEGABYTE // 3)
    wait_until(lambda: crowd.done == len(orders))
    # At the fourth there was one byte left: the budget is overshot by one image at most.
    assert crowd.most["all"] == 4


def test_an_image_larger_than_the_budget_is_fetched_alone(fetchers: StartFetchers) -> None:
    crowd = Crowd()
    fetchers(crowd.fetch, *(order(f"{number}") for number in range(5)), image_bytes=MEGABYTE * 2)
    wait_until(lambda: crowd.done == 5)
    assert crowd.most["all"] == 1


def test_a_fetch_that_raises_is_logged_by_its_task_and_holds_up_nothing(
    fetchers: StartFetchers, caplog: pytest.LogCaptureFixture
) -> None:
    fetched: list[str] = []

    def fetch(one: FetchOrder) -> None:
        if one.ocr_task_id == "bad":
            raise RuntimeError("the database is gone")
        fetched.append(one.ocr_task_id)

    limits = FetchLimits(in_all=1)
    fetchers(fetch, order("bad"), order("good"), limits=limits)
    wait_until(lambda: fetched == ["good"])
    assert "task bad: what became of its image could not be noted" in caplog.text
    assert "the database is gone" in caplog.text


def test_a_spool_that_cannot_be_measured_is_asked_again(
    held: Held, fetchers: StartFetchers, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    room, asked = held.spool.room, threading.Event()

    def broken(**_: Any) -> None:
        asked.set()
        raise RuntimeError("the database is gone")

    monkeypatch.setattr(held.spool, "room", broken)
    fetchers(lambda one: fetched.append(one.ocr_task_id), order("a"))
    assert asked.wait(PATIENCE)
    monkeypatch.setattr(held.spool, "room", room)
    wait_until(lambda: fetched == ["a"])
    assert "how much room there is for images could not be found out" in caplog.text


def test_stopping_interrupts_what_is_under_way_and_begins_nothing_more(fetchers: StartFetchers) -> None:
    interrupted, begun, ended = threading.Event(), [], []

    def fetch(one: FetchOrder) -> None:
        begun.append(one.ocr_task_id)
        assert interrupted.wait(PATIENCE)
        ended.append(one.ocr_task_id)

    orders = [order(f"{number}", f"app{number}", f"host{number}.example") for number in range(40)]
    running = fetchers(fetch, *orders, interrupt=interrupted.set)
    wait_until(lambda: len(begun) == 16)
    running.stop(wait_seconds=PATIENCE)
    assert sorted(ended) == sorted(begun)
    assert len(begun) == 16


def test_stopping_does_not_wait_for_ever(fetchers: StartFetchers) -> None:
    free, begun = threading.Event(), threading.Event()

    def fetch(_: FetchOrder) -> None:
        begun.set()
        free.wait(PATIENCE)

    running = fetchers(fetch, order("stuck"))
    assert begun.wait(PATIENCE)
    begin = time.monotonic()
    running.stop(wait_seconds=0.1)
    assert 0.1 <= time.monotonic() - begin < PATIENCE / 2
    free.set()


def test_a_real_host_sees_four_connections_at_most_and_a_stop_ends_them(
    serve: Callable[[Callable[[BaseHTTPRequestHandler], None]], str], held: Held, tmp_path: Path
) -> None:
    free, lock, stopped = threading.Event(), threading.Lock(), []
    now = most = 0

    def answer(request: BaseHTTPRequestHandler) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        free.wait(PATIENCE)
        with lock:
            now -= 1

    url = serve(answer)
    policy = AddressPolicy([ipaddress.ip_network("127.0.0.0/8")])
    with closing(SourceFetcher(policy)) as source:

        def fetch(one: FetchOrder) -> None:
            try:
                source.fetch(one.url, tmp_path / one.ocr_task_id)
            except FetchStoppedError:
                stopped.append(one.ocr_task_id)

        running = Fetchers(fetch=fetch, spool=held.spool, image_bytes=1, interrupt=source.close)
        for number in range(12):
            running.accept(FetchOrder(str(number), f"app{number % 3}", f"{url}/{number}"))
        running.start()
        wait_until(lambda: now == 4)
        time.sleep(0.1)
        running.stop(wait_seconds=PATIENCE)
    free.set()
    assert most == 4
    assert len(stopped) == 4
