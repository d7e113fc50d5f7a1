# SPDX-License-Identifier: Apache-2.0
"""Languages that a server can read: which there is data for, where it is from, and how more is added."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import requests

from airflow_provider_ocr.protocol.languages import LANGUAGES, tesseract_codes
from airflow_provider_ocr.server.operations.command_errors import CommandError
from airflow_provider_ocr.server.recognition.official_data import SHA256
from airflow_provider_ocr.server.recognition.tessdata import SUFFIX, debian_folders, offered_data

_ADDED = "languages"
_TIMEOUT = 60.0  # seconds for a connection, and without a byte
_MOST_BYTES = 64 * 2**20
_PIECE = 2**16


class Language(NamedTuple):
    """A language of the API.

    :param code: tesseract's name for its data; None where none is known.
    :param data: the file that it is read with; None if there is none.
    """

    name: str
    code: str | None
    data: Path | None


def tessdata_folders(data: Path, own: Path | None) -> list[Path]:
    """The folders beside the wheels that recognition data is taken from, the later before the earlier.

    :param data: the server's folder.
    :param own: the folder that was named for the purpose.
    """
    added = [folder for folder in (data / _ADDED,) if folder.is_dir()]
    return [*debian_folders(), *added, *([own] if own is not None else [])]


def languages(data: Path, own: Path | None) -> Iterator[Language]:
    """All languages of the API, by name."""
    offered = offered_data(tessdata_folders(data, own))
    names = sorted(LANGUAGES)
    for name, code in zip(names, tesseract_codes(names), strict=True):
        yield Language(name, code, None if code is None else offered.get(code))


def add_language(name: str, *, data: Path, mirror: str) -> Path:
    """Bring the official data for a language.

    :param name: the API's canonical name.
    :param data: the server's folder.
    :param mirror: the URL below which the files lie.
    :raises CommandError: if there is none, if it cannot be brought, or if what comes is something else.
    """
    (code,) = tesseract_codes([name])
    if code is None:
        raise CommandError(f"no data is known that reads {name}.")
    folder = data / _ADDED
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{code}{SUFFIX}"
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    url = f"{mirror.rstrip('/')}/{path.name}"
    try:
        found = _download(url, temporary)
        if found != SHA256[code]:
            raise CommandError(
                f"what came from {url} is not the official data for {name}: its SHA-256 is {found}, and not "
                f"{SHA256[code]}. Nothing was added."
            )
        temporary.replace(path)
    except requests.RequestException as error:
        raise CommandError(f"the data for {name} could not be brought from {url}: {error}") from None
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _download(url: str, path: Path) -> str:
    """The SHA-256 of what lay at ``url`` and lies in ``path`` now."""
    checksum, taken = hashlib.sha256(), 0
    with requests.get(url, stream=True, timeout=_TIMEOUT) as answer, path.open("wb") as file:
        answer.raise_for_status()
        for piece in answer.iter_content(_PIECE):
            taken += len(piece)
            if taken > _MOST_BYTES:
                raise CommandError(
                    f"what lies at {url} is larger than any data for a language. Nothing was added."
                )
            checksum.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return checksum.hexdigest()
