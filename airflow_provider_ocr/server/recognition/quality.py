# SPDX-License-Identifier: Apache-2.0
"""How well a document was read, in a few numbers that travel with its result files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow_provider_ocr.server.document import Page

LOW_WORD_CONFIDENCE = 60.0


@dataclass(slots=True)
class Quality:
    """Counts over the pages added so far."""

    pages: int = 0
    failed_pages: int = 0
    blank_pages: int = 0
    rotated_pages: int = 0
    words: int = 0
    low_words: int = 0
    _confidence: float = 0.0

    def add(self, page: Page) -> None:
        """Count one page."""
        confidences = [word.confidence for word in page.words]
        self.pages += 1
        self.failed_pages += page.failed
        self.blank_pages += not page.blocks
        self.rotated_pages += page.rotation != 0
        self.words += len(confidences)
        self.low_words += sum(confidence < LOW_WORD_CONFIDENCE for confidence in confidences)
        self._confidence += sum(confidences)

    def counts(self) -> dict[str, Any]:
        """The numbers by name; ``word_confidence`` is the mean, 0 to 100, or None without words."""
        return {
            "pages": self.pages,
            "failed_pages": self.failed_pages,
            "blank_pages": self.blank_pages,
            "rotated_pages": self.rotated_pages,
            "words": self.words,
            "low_words": self.low_words,
            "word_confidence": round(self._confidence / self.words, 1) if self.words else None,
        }
