# SPDX-License-Identifier: Apache-2.0
"""What recognition is asked for and what it answers, as values; ``children`` carries it out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat

OnPage = Callable[[int, int], None]
"""Takes the number of a page that is done and the number of pages of its document."""

OnFailedPage = Callable[[int, str], None]
"""Takes the number of a page that failed and is kept as an image, and the sentence that says why."""


class RecognitionFailed(Exception):  # noqa: N818 - an outcome that the caller reports, not a mistake of its own
    """One document was not recognised; the message is a sentence for the API user.

    :param page: the page on which it failed, 1 for the first; None where it is the document's fault.
    :param log: the last lines that the process wrote, for the operator's log.
    """

    def __init__(self, message: str, *, page: int | None = None, log: str = "") -> None:
        super().__init__(message)
        self.page = page
        self.log = log


class WrongPasswordError(RecognitionFailed):
    """A PDF file is protected, and ``pdfPassword`` is missing or does not open it."""


class UnsupportedDocumentError(RecognitionFailed):
    """The file is of no type that is read, or it is a PDF file that forbids to be rasterised."""


class RecognitionCancelled(RecognitionFailed):
    """``RecognitionChild.kill`` has ended the job. Pages kept before that stay."""

    def __init__(self) -> None:
        super().__init__("Recognition was cancelled.")


class PageFailure(StrEnum):
    """What a page that cannot be recognised does: fail its document, or be kept as an image."""

    FAIL = "fail"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Measurement:
    """How large a document is.

    :param pages: how many pages it has, at least 1.
    :param billed_pages: how many of A4 size it is billed as, at least ``pages``.
    """

    pages: int
    billed_pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionJob:
    """A document of which the pages that are not kept yet are to be recognised.

    :param images: the files, in their order.
    :param settings: what ``recognition.support.supported`` has accepted; its ``pdf_password`` opens PDFs.
    :param pages: an existing folder with the pages kept so far. It belongs to this document and to the
        ``recognition_key`` of these settings alone.
    :param seconds: a slice ends with the page during which so much time is over; None recognises all.
    :param page_failure: what becomes of a page that cannot be recognised.
    """

    images: tuple[Path, ...]
    settings: ProcessingSettings
    pages: Path
    seconds: float | None = None
    page_failure: PageFailure = PageFailure.FAIL


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a document is recognised.

    :param done: how many pages are kept.
    :param pages: how many there are.
    """

    done: int
    pages: int

    @property
    def complete(self) -> bool:
        """Whether the document can be exported."""
        return self.done == self.pages


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportJob:
    """A document whose pages are all kept, to be written in the formats of its settings.

    :param images: the files, in their order; only formats that show the page open them.
    :param settings: those that the pages were recognised with, up to what ``recognition_key`` leaves out.
    :param pages: the folder with all pages.
    :param output: an existing, empty folder for the result files.
    """

    images: tuple[Path, ...]
    settings: ProcessingSettings
    pages: Path
    output: Path


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One result file, named ``result1.txt`` and so on in the order of ``exportFormat``."""

    format: ExportFormat
    path: Path
    size: int


def result_path(output: Path, place: int, export_format: ExportFormat) -> Path:
    """Where the result file of a format goes; ``place`` counts the formats of ``exportFormat`` from 1."""
    return output / f"result{place}.{export_format.file_type.extension}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionSummary:
    """What became of a document.

    :param files: in the order of ``exportFormat``.
    :param pages: all pages, the failed ones among them.
    :param failed_pages: pages that are there as an image only, because they could not be recognised.
    :param blank_pages: pages without anything on them.
    :param rotated_pages: pages that had to be turned upright.
    :param low_words: words with a confidence below 60.
    :param word_confidence: the mean over all words, 0 to 100; None without words.
    :param engine: its name and version.
    """

    pages: int
    files: tuple[ResultFile, ...]
    failed_pages: int
    blank_pages: int
    rotated_pages: int
    words: int
    low_words: int
    word_confidence: float | None
    engine: str
