# SPDX-License-Identifier: Apache-2.0
"""Where the time of a document goes: recognition and export as the server's child does them, profiled."""

from __future__ import annotations

import cProfile
import pstats
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.recognition.child_jobs import ChildJobs

_STAGES: Mapping[str, frozenset[tuple[str, str]]] = {
    "decode the image": frozenset({("input", "page")}),
    "flatten photos": frozenset({("photo", "flattened")}),
    "dark on light": frozenset({("polarity", "dark_on_light")}),
    "orientation": frozenset({("orientation", "find_rotation")}),
    "skew": frozenset({("correction", "find_skew")}),
    "turn and straighten": frozenset({("view", "of")}),
    "light": frozenset({("lighting", "evenly_lit")}),
    "barcodes": frozenset({("barcodes", "find_barcodes"), ("barcodes", "without_barcodes")}),
    "rules and grids": frozenset(
        {("rules", "without_rules"), ("grids", "find_grids"), ("sides", "without_sides")}
    ),
    "read the page": frozenset({("engine", "read")}),
    "read again what was overlooked": frozenset({("engine", "read_lines"), ("engine", "read_scattered")}),
    "look for what was overlooked": frozenset(
        {
            ("unread", "unread_regions"),
            ("witness", "__init__"),
            ("witness", "unread_lines"),
            ("witness", "unread"),
        }
    ),
    "tables, paragraphs, headings": frozenset({("cells", "with_tables"), ("paragraph_roles", "with_roles")}),
    "write the files": frozenset({("child_jobs", "_export")}),
}


def stage_milliseconds(files: Sequence[Path], *, tessdata: Path, formats: str) -> dict[str, float]:
    """Milliseconds a document for each stage, and for ``all`` of it.

    :param files: documents of one page.
    :param tessdata: the data of the languages.
    :param formats: names of the API, separated by commas.
    """
    jobs = ChildJobs(tessdata)
    settings = ProcessingSettings.parse(export_format=formats)
    _work(jobs, files[0], settings)  # loads what is loaded once
    profile = cProfile.Profile()
    with profile:
        for file in files:
            _work(jobs, file, settings)
    found: Any = pstats.Stats(profile)
    seconds = {(Path(file).stem, name): row[3] for (file, _, name), row in found.stats.items()}
    spent = {
        stage: sum(seconds.get(function, 0.0) for function in functions)
        for stage, functions in _STAGES.items()
    }
    spent["all"] = found.total_tt
    return {stage: 1000 * total / len(files) for stage, total in spent.items()}


def _work(jobs: ChildJobs, file: Path, settings: ProcessingSettings) -> None:
    with tempfile.TemporaryDirectory() as pages, tempfile.TemporaryDirectory() as output:
        job = {
            "images": [str(file)],
            "settings": settings.to_query(),
            "pages": pages,
            "output": output,
            "seconds": None,
            "password": "",
        }
        for name in ("recognise", "export"):
            _exhaust(jobs.run({**job, "job": name}))


def _exhaust(events: Iterator[object]) -> None:
    for _ in events:
        pass
