# SPDX-License-Identifier: Apache-2.0
"""A process is started when it is needed, and replaced after a fault of its own."""

from __future__ import annotations

import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_ocr.server.jobs import RecognitionCancelled
from airflow_provider_ocr.server.recognition.events import Fault, Measured, Recognised
from airflow_provider_ocr.server.recognition.supervision import JobFault, SupervisedProcess

PROGRAM = """
import json, os, sys, time

def say(event, **values):
    print(json.dumps({"event": event, **values}), flush=True)

say("ready")
for line in sys.stdin:
    exec(json.loads(line)["do"])
"""
MEASURED = 'say("measured", pages=1, billed_pages=2)'
PAGES = 'say("begun", page=3, pages=9); say("page", page=3, pages=9); say("begun", page=4, pages=9);'


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., SupervisedProcess]]:
    made: list[SupervisedProcess] = []

    def process(program: str = PROGRAM, *, most_wear: float = 10.0) -> SupervisedProcess:
        (tmp_path / "program.py").write_text(textwrap.dedent(program))
        made.append(
            SupervisedProcess(
                {}, memory_bytes=2**27, most_wear=most_wear, program=(str(tmp_path / "program.py"),)
            )
        )
        return made[-1]

    yield process
    for each in made:
        each.close()


def do(process: SupervisedProcess, program: str, **options: Any) -> Measured:
    return process.ask(Measured, {"do": program}, **{"within": 20.0, **options})


def test_a_process_is_used_for_one_job_after_the_other(make: Callable[..., SupervisedProcess]) -> None:
    process = make()
    assert process.pid is None
    assert do(process, MEASURED) == Measured(1, 2)
    first = process.pid
    assert do(process, MEASURED) == Measured(1, 2)
    assert process.pid == first


def test_a_process_is_replaced_when_it_is_worn(make: Callable[..., SupervisedProcess]) -> None:
    process = make(most_wear=1.0)
    used = []
    for wear in (0.5, 0.5, 0.5):
        do(process, MEASURED, wear=wear)
        used.append(process.pid)
    assert used[0] == used[1] != used[2]


def test_pages_are_told(make: Callable[..., SupervisedProcess]) -> None:
    pages: list[tuple[int, int]] = []
    do(make(), f"{PAGES} {MEASURED}", on_page=lambda *page: pages.append(page))
    assert pages == [(3, 9)]


@pytest.mark.parametrize(
    ("program", "fault", "page", "message"),
    [
        ("sys.exit()", Fault.UNEXPECTED, None, "stopped unexpectedly while the document was opened."),
        (f"{PAGES} sys.exit()", Fault.UNEXPECTED, 4, "Recognition stopped unexpectedly on page 4."),
        (f"{PAGES} print('?', flush=True)", Fault.UNEXPECTED, 4, "stopped unexpectedly on page 4."),
        ('say("recognised", pages=1)', Fault.UNEXPECTED, None, "while the document was opened."),
        ("time.sleep(60)", Fault.TIME, None, "The document took longer than 3 seconds to open."),
        (f"{PAGES} time.sleep(60)", Fault.TIME, 4, "Page 4 took longer than 3 seconds."),
        (
            f"{PAGES} held = os.urandom(1) * 2**28; time.sleep(60)",
            Fault.MEMORY,
            4,
            "Page 4 needs more memory than is allowed.",
        ),
        ('say("failed", fault="memory", error="Too much.", page=2)', Fault.MEMORY, 2, "Too much."),
        ('say("failed", fault="system", error="No space.")', Fault.SYSTEM, None, "No space."),
    ],
)
def test_a_fault_of_the_process_ends_it(
    *, make: Callable[..., SupervisedProcess], program: str, fault: Fault, page: int | None, message: str
) -> None:
    process = make()
    with pytest.raises(JobFault) as failed:
        do(process, f"print('a log line', file=sys.stderr); {program}", within=3.0)
    assert (failed.value.fault, failed.value.page) == (fault, page)
    assert str(failed.value).endswith(message)
    assert failed.value.log == "a log line\n"
    assert process.pid is None
    assert do(process, MEASURED) == Measured(1, 2)


@pytest.mark.parametrize("fault", [Fault.DOCUMENT, Fault.PASSWORD, Fault.UNSUPPORTED, Fault.PAGE])
def test_a_fault_of_the_document_does_not(make: Callable[..., SupervisedProcess], fault: Fault) -> None:
    process = make()
    with pytest.raises(JobFault, match="It is damaged") as failed:
        do(process, f'say("failed", fault="{fault.value}", error="It is damaged.", page=7)')
    assert (failed.value.fault, failed.value.page) == (fault, 7)
    first = process.pid
    assert first is not None
    do(process, MEASURED)
    assert process.pid == first


@pytest.mark.parametrize("program", ["raise SystemExit('no library')", "print('?', flush=True)"])
def test_a_process_that_does_not_start_is_the_systems_fault(
    make: Callable[..., SupervisedProcess], program: str
) -> None:
    with pytest.raises(JobFault, match="did not start") as failed:
        make(program).begin()
    assert failed.value.fault is Fault.SYSTEM


def test_a_listener_that_fails_leaves_no_half_done_job(make: Callable[..., SupervisedProcess]) -> None:
    def fail(*_: int) -> None:
        raise KeyError("listener")

    process = make()
    with pytest.raises(KeyError, match="listener"):
        do(process, f"{PAGES} {MEASURED}", on_page=fail)
    assert process.pid is None
    assert process.ask(Recognised, {"do": 'say("recognised", pages=5)'}, within=20.0) == Recognised(5)


def test_a_kill_cancels_what_is_under_way_and_nothing_later(make: Callable[..., SupervisedProcess]) -> None:
    process = make()
    process.begin()
    with pytest.raises(RecognitionCancelled, match="Recognition was cancelled"):
        do(
            process,
            f"{PAGES} time.sleep(60)",
            on_page=lambda *_: threading.Thread(target=process.kill).start(),
        )
    with pytest.raises(RecognitionCancelled):
        do(process, MEASURED)
    process.begin()
    assert do(process, MEASURED) == Measured(1, 2)


def test_a_process_killed_between_two_jobs_is_replaced(make: Callable[..., SupervisedProcess]) -> None:
    process = make()
    do(process, MEASURED)
    first = process.pid
    process.kill()
    process.begin()
    assert do(process, MEASURED) == Measured(1, 2)
    assert process.pid != first
