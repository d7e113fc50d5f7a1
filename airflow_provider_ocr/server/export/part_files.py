# SPDX-License-Identifier: Apache-2.0
"""Office files of any size in little memory: what grows with the document lies on disk until the end.

The libraries that make office files hold all of them in memory. They are left with a skeleton, in which
every part that is large is empty; what belongs there is written to files and put in as the file is completed.
"""

from __future__ import annotations

import shutil
import zipfile
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

_SAME_FOR_EVER = (1980, 1, 1, 0, 0, 0)  # the same pages make the same file
_COMPRESSED_ALREADY = (".jpg", ".png")


class PartFiles:
    """The large parts of the office file at ``path``, which is there after `complete`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = TemporaryDirectory(dir=path.parent, prefix=f"{path.stem}-parts-")
        self._files: dict[str, Path] = {}

    def open(self, name: str) -> BinaryIO:
        """A new part to write; who asked for it closes it.

        :param name: of the part inside the file, with a slash in front as the libraries have it.
        """
        file = Path(self._folder.name) / str(len(self._files))
        self._files[name.lstrip("/")] = file
        return file.open("wb")

    def add(self, name: str, content: bytes) -> None:
        """Add a part that is complete."""
        with self.open(name) as file:
            file.write(content)

    def complete(self, skeleton: bytes) -> None:
        """Write the office file: ``skeleton``, each part that was added in the place of the empty one.

        :param skeleton: an office file that has every part.
        """
        with (
            zipfile.ZipFile(BytesIO(skeleton)) as given,
            zipfile.ZipFile(self._path, "w", zipfile.ZIP_DEFLATED) as written,
        ):
            for name in given.namelist():
                entry = zipfile.ZipInfo(name, date_time=_SAME_FOR_EVER)
                stored = name.endswith(_COMPRESSED_ALREADY)
                entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
                file = self._files.get(name)
                if file is None:
                    written.writestr(entry, given.read(name))
                else:
                    entry.file_size = file.stat().st_size  # for the reader to be told of more than 4 GB
                    with file.open("rb") as content, written.open(entry, "w") as part:
                        shutil.copyfileobj(content, part)
        self._folder.cleanup()
