# SPDX-License-Identifier: Apache-2.0
"""A recognition process that is started when it is needed and replaced after every fault of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from airflow_provider_ocr.server.jobs import OnPage, RecognitionCancelled
from airflow_provider_ocr.server.recognition.events import (
    Exported,
    Failed,
    Fault,
    Measured,
    PageBegun,
    PageDone,
    Ready,
    Recognised,
)
from airflow_provider_ocr.server.recognition.process import (
    ProcessBrokenError,
    ProcessDiedError,
    ProcessHungError,
    ProcessTooLargeError,
    RecognitionProcess,
)

_ORDERLY = frozenset({Fault.DOCUMENT, Fault.PASSWORD, Fault.UNSUPPORTED, Fault.PAGE})

_TRIES_TO_START = 2
_SECONDS_TO_START = 60.0

Answer = TypeVar("Answer", Measured, Recognised, Exported)


class JobFault(Exception):  # noqa: N818 - what became of a job, not a mistake of the one who gave it
    """A job ended early; the message is a sentence for the API user.

    :param fault: why.
    :param page: on which page; None where it was on none.
    :param log: the last lines that the process wrote.
    """

    def __init__(self, message: str, fault: Fault, *, page: int | None = None, log: str = "") -> None:
        super().__init__(message)
        self.fault = fault
        self.page = page
        self.log = log


class SupervisedProcess:
    """Hands jobs to a process, one after the other. ``kill`` may be called from any thread.

    :param options: of the process, as ``RecognitionProcess`` takes them.
    :param memory_bytes: resident memory that it and its descendants may hold together.
    :param most_wear: the sum of its jobs' wear after which it is replaced, so that nothing accumulates.
    :param program: arguments for Python.
    """

    def __init__(
        self,
        options: Mapping[str, object],
        *,
        memory_bytes: int,
        most_wear: float,
        program: Sequence[str],
    ) -> None:
        self._new_process: Callable[[], RecognitionProcess] = lambda: RecognitionProcess(
            options, memory_bytes=memory_bytes, program=program
        )
        self._most_wear = most_wear
        self._process: RecognitionProcess | None = None
        self._wear = 0.0
        self._killed = threading.Event()

    @property
    def pid(self) -> int | None:
        """The running process's number, if there is one."""
        return None if self._process is None else self._process.pid

    def begin(self) -> None:
        """What is asked from now on is not affected by a ``kill`` of before.

        :raises JobFault: if the process is to be started and does not come up.
        :raises RecognitionCancelled: if it is killed meanwhile.
        """
        if self._killed.is_set():
            self.close()  # it may take a moment to die
            self._killed.clear()
        self._ready()

    def ask(
        self,
        answer: type[Answer],
        job: Mapping[str, Any],
        *,
        within: float,
        wear: float = 1.0,
        on_page: OnPage = lambda *_: None,
    ) -> Answer:
        """Have a job done; the event that says that it is.

        :param answer: which event that is.
        :param within: seconds that opening the document and each of its pages may take.
        :param wear: how much the job wears the process.
        :param on_page: called for each page that is done.
        :raises JobFault: if it was not done.
        :raises RecognitionCancelled: if the process was killed.
        """
        process = self._ready()
        page = None
        try:
            process.send(job)
            event = process.next_event(within=within)
            while isinstance(event, PageBegun | PageDone):
                page = event.page
                if isinstance(event, PageDone):
                    on_page(event.page, event.pages)
                event = process.next_event(within=within)
        except _PROCESS_FAULTS as error:
            raise self._ended(_fault_of(error, page, within), process) from error
        except BaseException:
            self.close()
            raise
        self._wear += wear
        if isinstance(event, Failed):
            raise self._ended(JobFault(event.error, Fault(event.fault), page=event.page), process)
        if not isinstance(event, answer):
            raise self._ended(_fault_of(ProcessBrokenError(), page, within), process)
        return event

    def kill(self) -> None:
        """End the running job at once. Between two jobs this only ends the process."""
        self._killed.set()
        process = self._process  # the thread that asks may just be giving it up
        if process is not None:
            process.kill()

    def close(self) -> None:
        """End the process; the next job starts another."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _ready(self) -> RecognitionProcess:
        if self._process is not None and (self._wear >= self._most_wear or not self._process.alive):
            self.close()
        process = self._process or self._start()
        if self._killed.is_set():
            raise RecognitionCancelled
        return process

    def _start(self) -> RecognitionProcess:
        """A new process that has come up, at the second try if something ended the first one."""
        for _ in range(_TRIES_TO_START):
            self.close()
            process = self._process = self._new_process()
            self._wear = 0.0
            with suppress(*_PROCESS_FAULTS):
                if isinstance(process.next_event(within=_SECONDS_TO_START), Ready):
                    return process
            if self._killed.is_set():
                break
        message = "The process that recognises documents did not start."
        raise self._ended(JobFault(message, Fault.SYSTEM), process)

    def _ended(self, fault: JobFault, process: RecognitionProcess) -> JobFault | RecognitionCancelled:
        """What is to be raised for a fault, the process closed unless it is in order."""
        if fault.fault not in _ORDERLY:
            self.close()
        if self._killed.is_set():
            return RecognitionCancelled()
        # Once it is closed, all that it wrote is there.
        fault.log = process.log
        return fault


_PROCESS_FAULTS = (ProcessDiedError, ProcessHungError, ProcessBrokenError, ProcessTooLargeError)


def _fault_of(error: Exception, page: int | None, seconds: float) -> JobFault:
    """What the fault of a process that worked on a page means for its job."""
    where = "The document" if page is None else f"Page {page}"
    match error:
        case ProcessHungError():
            opening = " to open" if page is None else ""
            return JobFault(f"{where} took longer than {seconds:g} seconds{opening}.", Fault.TIME, page=page)
        case ProcessTooLargeError():
            return JobFault(f"{where} needs more memory than is allowed.", Fault.MEMORY, page=page)
    place = "while the document was opened" if page is None else f"on page {page}"
    return JobFault(f"Recognition stopped unexpectedly {place}.", Fault.UNEXPECTED, page=page)
