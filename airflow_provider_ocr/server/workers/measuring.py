# SPDX-License-Identifier: Apache-2.0
"""How many pages an image has, and what they will cost, before it is queued.

Images are opened in children of their own, apart from those that recognise, so that no upload waits for
the recognition of another document.
"""

from __future__ import annotations

import queue
from collections.abc import Sequence
from pathlib import Path

from airflow_provider_ocr.server.workers.children import Measurement, RecognitionChild

_CHILDREN = 2


class Measuring:
    """The children that measure. May be used from any thread.

    :param tessdata: the folder with recognition data.
    """

    def __init__(self, tessdata: Path) -> None:
        self._children = [RecognitionChild(tessdata=tessdata) for _ in range(_CHILDREN)]
        self._idle: queue.LifoQueue[RecognitionChild] = queue.LifoQueue()
        for child in self._children:
            self._idle.put(child)

    def measure(self, images: Sequence[Path], *, pdf_password: str = "") -> Measurement:
        """Measure one document.

        :raises RecognitionFailed: as ``RecognitionChild.measure`` does.
        """
        child = self._idle.get()
        try:
            return child.measure(images, pdf_password=pdf_password)
        finally:
            self._idle.put(child)

    def stop(self) -> None:
        """End the children, whatever they are doing."""
        for child in self._children:
            child.kill()
        for _ in self._children:
            self._idle.get().close()
