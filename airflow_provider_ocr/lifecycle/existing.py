# SPDX-License-Identifier: Apache-2.0
"""What becomes of a file that lies where a new one is to go.

A file with the very content of the new one is never an obstacle: an earlier try of the same landing may
have left it, and a retry has to be able to end.
"""

from __future__ import annotations

import errno
import hashlib
from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_provider_ocr.protocol.errors import InvalidParameterError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_BLOCK_BYTES = 1024 * 1024


class IfExists(StrEnum):
    """What to do where a file is already."""

    OVERWRITE = "overwrite"
    """Put the new one in its place."""
    SKIP_IF_SAME = "skip_if_same"
    """Leave it untouched if its size and SHA-256 are those of the new one, else put the new one there."""
    FAIL = "fail"
    """Leave it untouched; it is an error unless its size and SHA-256 are those of the new one."""

    @classmethod
    def parse(cls, value: str) -> IfExists:
        """The one that a DAG author means.

        :param value: its value.
        :raises InvalidParameterError: if it is none.
        """
        try:
            return cls(value)
        except ValueError:
            raise InvalidParameterError(
                "if_exists", f"it is {value!r}, and has to be one of {', '.join(cls)}."
            ) from None


class Found(StrEnum):
    """What lies where a file is looked for."""

    NOTHING = "nothing"
    SAME = "a file of that very content"
    OTHER = "something else"


def find(filesystem: AbstractFileSystem, path: str, *, size: int, sha256: str) -> Found:
    """Look for a file of some content. It is read only if its size is right.

    :param filesystem: where to look.
    :param path: as the filesystem takes it.
    :param size: bytes that it should have.
    :param sha256: hexadecimal digest that it should have.
    """
    filesystem.invalidate_cache(path.rpartition("/")[0])
    try:
        there = filesystem.info(path)
        is_same = there["size"] == size and there["type"] == "file" and _sha256(filesystem, path) == sha256
    except FileNotFoundError:
        return Found.NOTHING
    return Found.SAME if is_same else Found.OTHER


def is_wanted(
    filesystem: AbstractFileSystem, path: str, *, size: int, sha256: str, if_exists: IfExists
) -> bool:
    """Whether new content is to be put where a file may be.

    :param filesystem: where it may be.
    :param path: as the filesystem takes it.
    :param size: bytes of the new content.
    :param sha256: its hexadecimal digest.
    :param if_exists: what the author wants done.
    :return: False if the same content is there and stays.
    :raises FileExistsError: if something else is there and has to stay.
    """
    if if_exists is IfExists.OVERWRITE:
        return True
    found = find(filesystem, path, size=size, sha256=sha256)
    if found is Found.OTHER and if_exists is IfExists.FAIL:
        raise FileExistsError(
            errno.EEXIST,
            f"{path.rpartition('/')[2]} is there already, with other content; "
            "choose another name, or if_exists='overwrite'",
        )
    return found is not Found.SAME


def _sha256(filesystem: AbstractFileSystem, path: str) -> str:
    digest = hashlib.sha256()
    with filesystem.open(path, "rb", block_size=_BLOCK_BYTES) as file:
        while piece := file.read(_BLOCK_BYTES):
            digest.update(piece)
    return digest.hexdigest()
