# SPDX-License-Identifier: Apache-2.0
"""How fast ``cloud-ocr-server`` answers and how much memory it takes, against what is promised.

    python -m benchmarks.server            a quarter of an hour; renews docs/benchmarks.md
    python -m benchmarks.server --quick    a minute, for a first look; writes nothing

The exit status is 1 if a promise is not kept. Servers, clients and recognition share one machine; the
clients are a process of their own.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.clients import other_process
from benchmarks.report import Row, machine, markdown_table, versions, write_between_markers
from benchmarks.serving import OWN_TASKS, RATE, WORKERS, Bench, Size

_PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"

_SUBMISSION_SECONDS = 0.250
_STATUS_SECONDS = 0.050
_LIST_RATIO = 1.2
_MEMORY_RATIO = 1.1

_FULL = Size(rounds=3, seconds=20, stored=100_000, questions=1000, tasks=10_000)
_QUICK = Size(rounds=1, seconds=5, stored=10_000, questions=200, tasks=200)


def _measure(bench: Bench, size: Size) -> list[Row]:
    found: dict[str, list[tuple[float, float]]] = {}
    runs: Mapping[str, Callable[[], tuple[float, float]]] = {
        "remote": bench.submit_remote,
        "upload": bench.submit_upload,
        "status": lambda: (bench.ask_status(), 0.0),
        "busy status": lambda: (bench.ask_status(busy=True), 0.0),
        "listTasks": lambda: bench.ask_lists("listTasks"),
        "listFinishedTasks": lambda: bench.ask_lists("listFinishedTasks"),
    }
    for number in range(size.rounds):
        for name, run in runs.items():
            _say(f"round {number + 1} of {size.rounds}: {name}")
            found.setdefault(name, []).append(run())
    rows = [
        _submission_row("processRemoteImage", found["remote"]),
        _submission_row("processImage", found["upload"]),
        _status_row("getTaskStatus", size, found["status"]),
        _status_row("getTaskStatus while two workers recognise", size, found["busy status"]),
    ]
    rows += [_list_row(name, size, found[name]) for name in ("listTasks", "listFinishedTasks")]
    _say(f"memory over {size.tasks:,} tasks")
    return [*rows, _memory_row(list(bench.memory()))]


def _submission_row(method: str, found: Sequence[tuple[float, float]]) -> Row:
    seconds, cores = (statistics.median(values) for values in zip(*found, strict=True))
    return Row(
        what=f"{method}, {RATE:.0f} a second while two workers recognise",
        measured=f"p99 {seconds * 1000:.0f} ms (recognition took {cores:.1f} cores meanwhile)",
        target=f"p99 <= {_SUBMISSION_SECONDS * 1000:.0f} ms",
        met=seconds <= _SUBMISSION_SECONDS,
    )


def _status_row(what: str, size: Size, found: Sequence[tuple[float, float]]) -> Row:
    seconds = statistics.median(seconds for seconds, _ in found)
    return Row(
        what=f"{what}, {RATE:.0f} a second, {size.stored:,} tasks in the store",
        measured=f"p99 {seconds * 1000:.1f} ms",
        target=f"p99 < {_STATUS_SECONDS * 1000:.0f} ms",
        met=seconds < _STATUS_SECONDS,
    )


def _list_row(method: str, size: Size, found: Sequence[tuple[float, float]]) -> Row:
    ratio = statistics.median(beside / without for without, beside in found)
    without, beside = (statistics.median(values) * 1000 for values in zip(*found, strict=True))
    return Row(
        what=f"{method} of {OWN_TASKS + 1} own tasks, without and with {size.stored:,} of others",
        measured=f"{without:.1f} ms and {beside:.1f} ms, ratio {ratio:.2f}",
        target=f"ratio <= {_LIST_RATIO}",
        met=ratio <= _LIST_RATIO,
    )


def _memory_row(found: Sequence[tuple[int, float]]) -> Row:
    counts = ", ".join(f"{count:,}" for count, _ in found)
    ratio = found[-1][1] / found[0][1]
    return Row(
        what=f"resident memory of the server process after {counts} small tasks",
        measured=f"{', '.join(f'{megabytes:.0f}' for _, megabytes in found)} MB, ratio {ratio:.2f}",
        target=f"last / first <= {_MEMORY_RATIO}",
        met=ratio <= _MEMORY_RATIO,
    )


def _report(rows: Sequence[Row], size: Size, command: str) -> str:
    used = versions("airflow-provider-ocr", "starlette", "uvicorn", "sqlalchemy", "tesserocr")
    sentences = [
        f"`{command}` on {machine()}; {used}.",
        f"Medians of {size.rounds} interleaved runs of {size.seconds:.0f} s or {size.questions:,} requests;",
        "memory in one run.",
        f"The server (SQLite, durable writes, {WORKERS} workers), the clients (a process of their own, a new",
        "connection for each request) and the server of the source images share the cores.",
        "The image is `demo/samples/receipt.png`, a scan of 248 kB; the small tasks of the last row are",
        "uploaded, asked for, downloaded, and every second one is deleted.",
        "Times count from when a request was due; the application has logged in before.",
    ]
    return "\n".join([*textwrap.wrap(" ".join(sentences), 120), "", markdown_table(rows)])


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)  # noqa: T201 - it talks to whoever waits for it


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run that writes nothing")
    parser.add_argument("--tasks", type=int, metavar="N", help="tasks that memory is watched over")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="for the servers' data, on a real disk")
    options = parser.parse_args(arguments)
    size = _QUICK if options.quick else _FULL
    if options.tasks:
        size = replace(size, tasks=options.tasks)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, other_process() as clients:
        bench = Bench(Path(folder), size, clients)
        _say("filling the stores")
        bench.fill()
        rows = _measure(bench, size)
    given = ["--tasks " + str(options.tasks)] if options.tasks else []
    report = _report(rows, size, " ".join(["python -m benchmarks.server", *given]))
    print(report)  # noqa: T201 - this is what the command is for
    if not options.quick:
        write_between_markers(_PAGE, "server", report)
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
