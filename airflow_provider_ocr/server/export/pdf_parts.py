# SPDX-License-Identifier: Apache-2.0
"""Pages of a PDF file, each a file of its own until all are joined.

A PDF file that grows in memory would hold every page image of the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pikepdf


class PdfParts:
    """The pages of the file that ``path`` is going to be, kept beside it for as long."""

    def __init__(self, path: Path) -> None:
        self._folder = TemporaryDirectory(dir=path.parent, prefix=f"{path.stem}-pages-")
        self._parts: list[str] = []

    @contextmanager
    def page(self, size: tuple[float, float]) -> Iterator[tuple[pikepdf.Pdf, pikepdf.Page]]:
        """A new last page and the file that it is in, to be filled.

        :param size: its width and height, in points.
        """
        part = Path(self._folder.name) / f"{len(self._parts) + 1}.pdf"
        with pikepdf.new() as pdf:
            added = pdf.add_blank_page()
            added.mediabox = pikepdf.Array([0, 0, *size])
            yield pdf, added
            pdf.save(part)
        self._parts.append(str(part))

    @contextmanager
    def joined(self) -> Iterator[pikepdf.Pdf]:
        """All pages as one file, which is gone afterwards, as are the pages."""
        with self._folder as folder:
            joined = Path(folder) / "joined.pdf"
            pikepdf.Job(["pikepdf", "--empty", "--pages", *self._parts, "--", str(joined)]).run()
            with pikepdf.open(joined) as pdf:
                yield pdf
