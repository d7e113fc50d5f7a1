# SPDX-License-Identifier: Apache-2.0
"""What a killed landing left is found again and removed, and nothing that a living one may be writing.

On a local disk a living writer holds a lock. On other stores a temporary's name tells who wrote it, and a
writer that begins again has ended before. Of what others left there, only what has not grown for an
hour is surely dead: no download is silent for so long without breaking off.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

    from fsspec import AbstractFileSystem

_DEAD_AFTER = timedelta(hours=1)


def temporary_name(name: str, writer: str = "") -> str:
    """A new name for what is to become a file, beside it; no two are the same.

    The file's own name is not in it: that may be as long as names can be, and fsspec's ``mv`` reads brackets,
    stars and question marks as a pattern.

    :param name: the file's.
    :param writer: who writes, see `remove_dead_temporaries`.
    """
    return f".{_digest(name, 16)}.{_digest(writer, 8)}.{secrets.token_hex(4)}.part"


def locked_temporary(path: Path) -> BinaryIO:
    """A new file beside a local ``path``, locked while it is open.

    :param path: of what it is to become.
    """
    while True:
        file = path.with_name(temporary_name(path.name)).open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        # Before it was locked another writer may have taken it for abandoned and removed it.
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()


def remove_unlocked_temporaries(path: Path) -> None:
    """Remove the local temporaries of writers that were killed.

    :param path: of what they were to become.
    """
    for leftover in path.parent.iterdir():
        if _writer_of(leftover.name, path.name) is None:
            continue
        # One that cannot be removed, or is being written, is no reason not to land.
        with suppress(OSError), leftover.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


def remove_dead_temporaries(filesystem: AbstractFileSystem, parent: str, name: str, writer: str) -> None:
    """Remove what this writer left of a file when it was killed, and what others left an hour ago or longer.

    :param filesystem: any on which files are written under a temporary name.
    :param parent: the file's folder.
    :param name: the file's name in it.
    :param writer: who writes, by a name that no other has at the same time; empty if that is not known.
    """
    # Whatever a store says to this, in exceptions of its driver's own, is no reason not to land.
    with suppress(Exception):
        for path in filesystem.ls(parent, detail=False):
            written_by = _writer_of(path.rpartition("/")[2], name)
            if written_by is None:
                continue
            is_ours = bool(writer) and written_by == _digest(writer, 8)
            with suppress(Exception):
                if is_ours or _is_long_ago(filesystem.modified(path)):
                    filesystem.rm_file(path)


def _is_long_ago(moment: datetime) -> bool:
    # Some drivers give a time of no zone: it tells nothing to the hour.
    return moment.tzinfo is not None and datetime.now(UTC) - moment >= _DEAD_AFTER


def _writer_of(found: str, name: str) -> str | None:
    """Whose temporary a file is, if it is one of ``name``; a stranger's file is None."""
    match = re.fullmatch(rf"\.{_digest(name, 16)}\.([0-9a-f]{{8}})\.[0-9a-f]{{8}}\.part", found)
    return match and match[1]


def _digest(text: str, digits: int) -> str:
    # Names on a local disk need not be text; Python carries their bytes along as lone surrogates.
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:digits]
