# SPDX-License-Identifier: Apache-2.0
"""Documents that can be told apart by what is recognised in them, and whole ones from torsos."""

from __future__ import annotations

from pathlib import Path

from airflow_provider_ocr.testing import CloudOcrRehearsal

_LINES = 2_000  # more than one piece of a download


def recognise_each(cloud_ocr: CloudOcrRehearsal, documents: int) -> None:
    """Have each of the documents of the DAG ``many_documents`` say its own name, over and over."""
    for name in _names(documents):
        cloud_ocr.recognise_as(_text(name), source=f"*/{name}.tif")


def assert_landed(folder: Path, documents: int) -> None:
    """Fail unless there are the whole texts of all documents, each under its own name, and nothing else."""
    found = {path.name: path.read_text("utf-8-sig") for path in folder.iterdir()}
    # Not compared as one, as the texts are long.
    assert found.keys() == {f"{name}.txt" for name in _names(documents)}
    assert [name for name in _names(documents) if found[f"{name}.txt"] != _text(name)] == []


def _names(documents: int) -> list[str]:
    return [f"document-{number}" for number in range(documents)]


def _text(name: str) -> str:
    return f"{name} says who it is, over and over, so that nobody takes a part for the whole.\n" * _LINES
