# SPDX-License-Identifier: Apache-2.0
"""Windows of a service of numbers, over the filters and orders that the API's documentation leaves open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.lifecycle.windows import LIST_LIMIT, OPEN_END, Chart, Window

NOW = 1_800_000_000
HOUR = 3600


@dataclass(frozen=True, slots=True)
class Service:
    """Tasks as (registration, last change), of which an answer shows 1,000 at most.

    :param by_change: which of the times has to lie in the window.
    :param newest_first: which end of the order is shown.
    """

    tasks: tuple[tuple[int, int], ...]
    by_change: bool
    newest_first: bool

    def answer(self, window: Window) -> list[tuple[int, ...]]:
        inside = [task for task in self.tasks if window.holds((task[self.by_change],))]
        return sorted(inside, key=lambda task: task[1], reverse=self.newest_first)[:LIST_LIMIT]

    def everything(self, window: Window) -> tuple[list[tuple[int, ...]], int]:
        """All tasks of a window but those of seconds that are too full, and the number of answers."""
        rows = self.answer(window)
        if len(rows) < LIST_LIMIT:
            return rows, 1
        parts = window.cut(rows)
        if parts is None:
            return [], 1
        found = [self.everything(part) for part in parts]
        return [row for rows, _ in found for row in rows], 1 + sum(answers for _, answers in found)


SERVICES = pytest.mark.parametrize(
    ("by_change", "newest_first"),
    [(True, False), (True, True), (False, False), (False, True)],
    ids=["changed-oldest", "changed-newest", "registered-oldest", "registered-newest"],
)
CROWDS = {
    "an hour of them": [(NOW - HOUR + i // 3, NOW - HOUR + i // 3 + 40) for i in range(10_800)],
    "all at once, long ago": [(NOW - 20 * HOUR + i // 100, NOW - 20 * HOUR + i // 100) for i in range(3000)],
    "registered at once, changed one by one": [(NOW - HOUR + i // 500, NOW - HOUR + i) for i in range(3000)],
    "exactly one answer": [(NOW - 60 + i // 50, NOW - 60 + i // 50) for i in range(LIST_LIMIT)],
}


@SERVICES
@pytest.mark.parametrize("crowd", CROWDS)
def test_a_window_that_is_cut_until_its_parts_fit_shows_everything_in_few_answers(
    crowd: str, by_change: bool, newest_first: bool
) -> None:
    tasks = CROWDS[crowd]
    service = Service(tuple(tasks), by_change, newest_first)
    found, answers = service.everything(Window(NOW - 24 * HOUR, NOW + HOUR))
    assert sorted(found) == sorted(tasks)
    assert answers <= 2 + 4 * len(tasks) // LIST_LIMIT


@given(
    seconds=st.lists(st.integers(0, 50), max_size=30),
    start=st.integers(0, 60),
    length=st.integers(1, 10_000),
    descending=st.booleans(),
)
def test_the_parts_of_a_window_are_the_window(
    seconds: list[int], start: int, length: int, descending: bool
) -> None:
    rows = [(second, second) for second in sorted(seconds, reverse=descending)]
    parts = Window(start, start + length).cut(rows)
    assert parts is not None
    earlier, later = parts
    assert start == earlier.start <= earlier.end == later.start - 1 < later.end == start + length


def test_a_second_cannot_be_cut() -> None:
    assert Window(5, 5).cut([(5, 5)] * LIST_LIMIT) is None


def test_tasks_that_tell_no_times_are_cut_in_halves() -> None:
    assert Window(0, 9).cut([()] * LIST_LIMIT) == (Window(0, 4), Window(5, 9))


def chart_of(moments: Iterable[int]) -> tuple[Chart, list[str]]:
    """A chart that knows a task for each moment, and the tasks' IDs."""
    chart = Chart()
    names = []
    for number, moment in enumerate(moments):
        names.append(f"task{number}")
        chart.learn(names[-1], (moment, moment))
    return chart, names


def test_without_knowledge_only_the_newest_minutes_are_asked_for() -> None:
    (window,) = Chart().plan(["a", "b"], now=NOW)
    assert window.is_newest
    assert NOW - HOUR < window.start < NOW


def test_the_first_window_begins_with_the_oldest_waiting_task() -> None:
    chart, names = chart_of([NOW - 5 * HOUR, NOW - 4 * HOUR])
    assert min(window.start for window in chart.plan(names, now=NOW)) == NOW - 5 * HOUR


def test_a_window_for_a_single_task_is_not_worth_asking_for() -> None:
    chart, names = chart_of([NOW - 5 * HOUR, NOW])
    assert [window.end for window in chart.plan(names, now=NOW)] == [OPEN_END]


def test_a_window_that_was_cut_stays_cut_and_neighbours_that_became_small_are_joined() -> None:
    chart, names = chart_of([NOW - 100, NOW - 99, NOW - 50, NOW - 49, NOW, NOW])
    (newest,) = chart.plan(names, now=NOW)
    earlier, later = Window(newest.start, NOW - 75), Window(NOW - 74, newest.end)
    chart.cut(newest, (earlier, later))
    assert chart.plan(names, now=NOW) == [later, earlier]
    chart.count(chart.count(later, 700), 700)
    chart.count(earlier, 20)
    assert len(chart.plan(names, now=NOW)) == 2
    for window in chart.plan(names, now=NOW):
        chart.count(window, 20)
    assert chart.plan(names, now=NOW) == [Window(newest.start, newest.end, 40)]


def test_a_second_that_is_too_full_is_not_asked_for_again() -> None:
    chart, names = chart_of([NOW - 20, NOW - 20])
    (newest,) = chart.plan(names, now=NOW)
    full = Window(NOW - 20, NOW - 20)
    chart.cut(newest, (Window(newest.start, NOW - 21), full, Window(NOW - 19, newest.end)))
    assert full in chart.plan(names, now=NOW)
    chart.count(full, LIST_LIMIT)
    assert [window.is_newest for window in chart.plan(names, now=NOW)] == [True]


def test_the_past_is_gone_back_to_in_ever_longer_windows_for_a_week() -> None:
    chart = Chart()
    (window,) = chart.plan(["unknown"], now=NOW)
    starts = []
    while (older := chart.before(window.start, now=NOW)) is not None:
        assert older.end == window.start - 1
        window = older
        starts.append(window.start)
    assert 0 < NOW - starts[-1] - 7 * 24 * HOUR < 7 * 24 * HOUR
    assert len(starts) <= 12
