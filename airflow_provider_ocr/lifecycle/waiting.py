# SPDX-License-Identifier: Apache-2.0
"""When a task that is waited for is looked at next: never twice within two seconds, whoever asks for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from airflow_provider_ocr.lifecycle.verdict import Observation
from airflow_provider_ocr.protocol.errors import OcrError
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import SHORTEST_POLL_INTERVAL

_SOONEST_SHARE = 0.5

News = str | type[OcrError]
"""What is worth telling about an observation: a status, or the kind of trouble."""


def news_of(observation: Observation) -> News:
    """What an observation tells; a look that tells the same as the one before is no news.

    :param observation: what a look gave.
    """
    return str(observation.status) if isinstance(observation, OcrTask) else type(observation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody who waits wants to know.

    :param answer: takes what a look gave.
    :param delay: seconds until the look, and between looks.
    :param seen: what is no news.
    :param until: when to answer even if there is no news, by the event loop's clock.
    """

    answer: asyncio.Future[Observation]
    delay: float
    seen: News | None = None
    until: float = float("-inf")

    def goes_on(self, observation: Observation | Exception, now: float) -> bool:
        """Whether this observation answers nothing.

        :param observation: what a look gave.
        :param now: the event loop's time.
        """
        if isinstance(observation, Exception) and not isinstance(observation, OcrError):
            return False
        return news_of(observation) == self.seen and now < self.until


class WaitingTask:
    """One OCR task and all who wait for it.

    ``due`` is when it has to be looked at, ``early`` from when on it may be, and ``last_look`` when that was
    done last, all by the event loop's clock; ``delay`` is what was asked for, in seconds.

    :param ocr_task_id: the task's ID.
    """

    __slots__ = ("_looking", "_questions", "delay", "due", "early", "last_look", "ocr_task_id", "watches")

    def __init__(self, ocr_task_id: str) -> None:
        self.ocr_task_id = ocr_task_id
        self.watches = 0
        self.delay = SHORTEST_POLL_INTERVAL
        self.due = self.early = float("inf")
        self.last_look = float("-inf")
        self._questions: list[Question] = []
        self._looking: int | None = None  # so many of the questions, the first, are of a look under way

    @property
    def is_ready(self) -> bool:
        """Whether somebody awaits a look that is not under way."""
        return self._looking is None and not all(question.answer.done() for question in self._questions)

    def ask(self, question: Question, *, now: float) -> None:
        """Have a look made in as many seconds as the question says.

        :param question: what is to be answered.
        :param now: the event loop's time.
        """
        if self._looking is None:
            self._questions = [asked for asked in self._questions if not asked.answer.done()]
            if not self._questions:
                self.due = self.early = float("inf")
        self._questions.append(question)
        self._come(question.delay, now=now)

    def begin_look(self) -> None:
        """A look is under way; whoever asks from now on gets the next one."""
        # The list stays: a new one for each of thousands would be so much more for the garbage collector.
        self._looking = len(self._questions)
        self.due = self.early = float("inf")

    def end_look(self, observation: Observation | Exception, *, now: float) -> None:
        """Give all who asked before it what the look gave.

        :param observation: what it gave.
        :param now: the event loop's time.
        """
        looking = self._questions[: self._looking]
        del self._questions[: self._looking]
        self._looking = None
        self.last_look = now
        if self._questions:
            # The call may have gone out late, and who came meanwhile counts from its end.
            self.due = max(self.due, now + SHORTEST_POLL_INTERVAL)
            self.early = max(self.early, now + SHORTEST_POLL_INTERVAL)
        for question in looking:
            if question.answer.done():
                continue
            if question.goes_on(observation, now):
                # Whoever waits is not woken for no news: thousands would be, in each interval.
                self._questions.append(question)
                self._come(min(question.delay, question.until - now), now=now)
            elif isinstance(observation, Exception) and not isinstance(observation, OcrError):
                question.answer.set_exception(observation)
            else:
                question.answer.set_result(observation)

    def put_off(self, *, now: float) -> None:
        """No look was made: the next one is for all who asked, as if they did now.

        :param now: the event loop's time.
        """
        self._looking = None
        self._come(self.delay, now=now)

    def _come(self, delay: float, *, now: float) -> None:
        soonest = max(now, self.last_look) + SHORTEST_POLL_INTERVAL
        due = max(now + delay, soonest)
        if due < self.due:
            self.due, self.delay = due, delay
        self.early = min(self.early, max(now + delay * _SOONEST_SHARE, soonest))
