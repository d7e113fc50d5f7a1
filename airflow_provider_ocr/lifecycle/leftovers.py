# SPDX-License-Identifier: Apache-2.0
"""What a killed landing left is found again and removed, and nothing that a living one may be writing.

On a local disk a living writer holds a lock. On other stores a temporary's name tells who wrote it, and a
writer that begins again has ended before. Of what others left there, and of uploads to S3, only what has not
grown for an hour is surely dead: no download is silent for so long without breaking off.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import re
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from fsspec import AbstractFileSystem

_DEAD_AFTER = timedelta(hours=1)

_log = logging.getLogger(__name__)


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


def abort_dead_uploads(filesystem: AbstractFileSystem, path: str) -> None:
    """Have S3 forget unfinished uploads to a key which nobody has sent anything to for an hour.

    :param filesystem: one that holds uploads back. GCS ends them by itself after a week.
    :param path: bucket and key, as the filesystem takes them.
    """
    if not hasattr(filesystem, "call_s3"):
        return
    # Landing does not need the right to list or end uploads, and not every S3 knows how to.
    with suppress(Exception):
        bucket, key, _ = filesystem.split_path(path)
        answer = filesystem.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=key)
        for upload in answer.get("Uploads", ()):
            which = {"Bucket": bucket, "Key": key, "UploadId": upload["UploadId"]}
            if upload["Key"] == key and _has_died(upload, filesystem.call_s3("list_parts", **which)):
                filesystem.call_s3("abort_multipart_upload", **which)
                _log.info("%s: an unfinished upload of %s is ended", path, upload["Initiated"])


def _has_died(upload: Mapping[str, Any], parts: Mapping[str, Any]) -> bool:
    """Whether nobody works on an upload any more, as far as its parts tell."""
    if parts.get("IsTruncated"):
        return False  # the latest parts are not among these
    moments = [part["LastModified"] for part in parts.get("Parts", ())]
    return _is_long_ago(max([upload["Initiated"], *moments]))


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
