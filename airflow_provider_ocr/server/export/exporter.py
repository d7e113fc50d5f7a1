# SPDX-License-Identifier: Apache-2.0
"""What every export format is written by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import Page


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """What is known of a document before its first page.

    :param pages: how many pages it has.
    :param settings: how it was recognised, and how it is to be exported.
    """

    pages: int
    settings: ProcessingSettings


class Exporter(Protocol):
    """Writes one result file, page by page and in bounded memory.

    ``start`` is called once and first, ``page`` for each page in order, ``finish`` last. The file is
    complete after ``finish`` and of no use before.
    """

    def start(self, summary: DocumentSummary) -> None:
        """Begin the file."""

    def page(self, page: Page) -> None:
        """Take the next page; its image file may be gone afterwards."""

    def finish(self) -> None:
        """Complete and close the file."""
