# SPDX-License-Identifier: Apache-2.0
"""What workers need of whoever recognises for them: a `RecognitionChild`, or what stands in for one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from airflow_provider_ocr.server.jobs import (
    ExportJob,
    Measurement,
    OnFailedPage,
    OnPage,
    Progress,
    RecognitionJob,
    RecognitionSummary,
)


class Recogniser(Protocol):
    """Carries out one job after the other. One thread at a time gives it jobs; ``kill`` may be called from
    any.
    """

    def measure(self, images: Sequence[Path], *, pdf_password: str = "") -> Measurement:
        """How many pages a document has.

        :raises RecognitionFailed: if that cannot be told.
        """

    def recognise(
        self,
        job: RecognitionJob,
        on_page: OnPage = lambda *_: None,
        on_failed_page: OnFailedPage = lambda *_: None,
    ) -> Progress:
        """Recognise the pages that are not kept yet, or those that fit into a slice of time.

        :raises RecognitionFailed: if the document cannot be recognised.
        """

    def export(self, job: ExportJob) -> RecognitionSummary:
        """Write the result files of a document whose pages are all kept.

        :raises RecognitionFailed: if that is impossible.
        """

    def kill(self) -> None:
        """End the running job at once: it raises ``RecognitionCancelled``."""

    def close(self) -> None:
        """End it; no job follows."""
