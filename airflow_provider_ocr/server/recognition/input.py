# SPDX-License-Identifier: Apache-2.0
"""Files on disk to the pages of one document, any of them at any time. Types are found by content; numbers of
pages are checked before the first is decoded.
"""

from __future__ import annotations

import contextlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from types import TracebackType
from typing import Self

from airflow_provider_ocr.server.recognition.errors import (
    PageError,
    PasswordError,
    RecognitionError,
    UnsupportedError,
)
from airflow_provider_ocr.server.recognition.file_types import (
    ONE_OF_THEM,
    PDF,
    known_types,
    looks_like_a_web_page,
    read_start,
)
from airflow_provider_ocr.server.recognition.image_file import ImageFile
from airflow_provider_ocr.server.recognition.limits import MAX_PAGES
from airflow_provider_ocr.server.recognition.page_image import DocumentFile, PageImage
from airflow_provider_ocr.server.recognition.pdf_file import PdfFile
from airflow_provider_ocr.server.stored_image import StoredImage


class Document:
    """The pages of all files in ``paths``, numbered through. A context manager, which closes the files.

    Where there are several files, messages name the file by its place, and the page by its number in it.

    :param paths: the files, in their order; one of them is open at a time.
    :param password: opens those that are protected PDF files.
    :raises PasswordError: if it does not.
    :raises UnsupportedError: if a file is of no type that is read, or forbids it.
    :raises RecognitionError: if a file is damaged, or there are too many pages.
    """

    def __init__(self, paths: Sequence[Path], *, password: str = "") -> None:
        self._paths = tuple(paths)
        self._password = password
        self._open: tuple[int, DocumentFile] | None = None
        try:
            self._counts = [self._pages_of(place) for place in range(len(self._paths))]
            self.pages = sum(self._counts)
            _check_pages(self.pages)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def page(self, number: int, *, colours: bool = True) -> PageImage:
        """The page of a number from 1 to ``pages``, decoded.

        :param colours: False if a page that is too large to be worked on as it is may come in shades of grey.
        :raises PageError: if it is damaged or beyond a limit.
        """
        place, within = self._place(number)
        with self._blamed_on(place, number):
            return replace(self._file(place).page(within, colours=colours), number=number)

    def stored(self, number: int) -> StoredImage | None:
        """A page's image as it lies in its file, if a PDF file can take its bytes as they are."""
        place, within = self._place(number)
        return self._file(place).stored(within)

    def inches(self, number: int) -> tuple[float, float]:
        """Width and height of a page, from headers alone.

        :raises PageError: if it is damaged or beyond a limit.
        """
        place, within = self._place(number)
        with self._blamed_on(place, number):
            return self._file(place).inches(within)

    def close(self) -> None:
        """Give up the file that is open."""
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def _place(self, number: int) -> tuple[int, int]:
        """Which file has a page, and the page's number in it."""
        if not 1 <= number <= self.pages:
            raise IndexError(number)
        before = list(accumulate(self._counts, initial=0))
        place = bisect_left(before, number) - 1
        return place, number - before[place]

    def _file(self, place: int) -> DocumentFile:
        if self._open is None or self._open[0] != place:
            self.close()
            self._open = place, open_file(self._paths[place], password=self._password)
        return self._open[1]

    def _pages_of(self, place: int) -> int:
        with self._blamed_on(place):
            pages = self._file(place).pages
            _check_pages(pages)
        return pages

    @contextlib.contextmanager
    def _blamed_on(self, place: int, number: int = 0) -> Iterator[None]:
        """Give errors the page's number in the document and, of several files, the place of theirs."""
        prefix = f"Image {place + 1}: " if len(self._paths) > 1 else ""
        try:
            yield
        except PageError as error:
            raise PageError(number, f"{prefix}{error}") from error
        except (PasswordError, UnsupportedError) as error:
            raise type(error)(f"{prefix}{error}") from error
        except RecognitionError as error:
            raise RecognitionError(f"{prefix}{error}") from error


def open_file(path: Path, *, password: str = "") -> DocumentFile:
    """The file in ``path``, whichever type it is of.

    :param password: opens the file if it is a protected PDF file.
    :raises PasswordError: if it does not.
    :raises UnsupportedError: if the file is of no type that is read, of two at once, or forbids it.
    :raises RecognitionError: if it is damaged.
    """
    start = read_start(path)
    if not start:
        raise RecognitionError("The file is empty.")
    types = known_types(start)
    web_page = looks_like_a_web_page(start)
    if not types:
        seen = " It looks like a web page." if web_page else ""
        raise UnsupportedError(f"The file is not an image that can be read.{seen} {ONE_OF_THEM} is needed.")
    if len(types) > 1 or web_page:
        # What one program shows of such a file another does not; nobody sends one for its text.
        claimed = " and ".join([*types, "web page"] if web_page else types)
        raise UnsupportedError(f"The file is made to be read as {claimed} at once; send one of one type.")
    return PdfFile(path, password=password) if types == [PDF] else ImageFile(path)


def _check_pages(pages: int) -> None:
    if pages == 0:
        raise RecognitionError("The document has no pages.")
    if pages > MAX_PAGES:
        raise RecognitionError(f"The document has more than {MAX_PAGES} pages; no more are read.")
