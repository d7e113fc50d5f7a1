# SPDX-License-Identifier: Apache-2.0
"""How many pages an image has, and what they will cost, before it is queued.

Images are opened in children of their own, apart from those that recognise, so that no upload waits for
the recognition of another document. One application has one of them at a time at most, so that its images,
however slow they are to open, leave another for everybody else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from airflow_provider_ocr.server.workers.children import Measurement
from airflow_provider_ocr.server.workers.recogniser import Recogniser

_CHILDREN = 2


class Measuring:
    """The children that measure. May be used from any thread.

    :param new_child: makes one.
    """

    def __init__(self, new_child: Callable[[], Recogniser]) -> None:
        self._children = [new_child() for _ in range(_CHILDREN)]
        self._changed = threading.Condition()
        self._idle = list(self._children)
        self._measured: set[str] = set()

    def measure(self, images: Sequence[Path], *, application: str, pdf_password: str = "") -> Measurement:
        """Measure one document, when no other of its application is being measured.

        :param application: whose document it is.
        :raises RecognitionFailed: as ``RecognitionChild.measure`` does.
        """
        with self._child_for(application) as child:
            return child.measure(images, pdf_password=pdf_password)

    def stop(self) -> None:
        """End the children, whatever they are doing."""
        for child in self._children:
            child.kill()
        for _ in self._children:
            with self._changed:
                self._changed.wait_for(lambda: self._idle)
                child = self._idle.pop()
            child.close()

    @contextmanager
    def _child_for(self, application: str) -> Iterator[Recogniser]:
        with self._changed:
            self._changed.wait_for(lambda: self._idle and application not in self._measured)
            self._measured.add(application)
            child = self._idle.pop()
        try:
            yield child
        finally:
            with self._changed:
                self._measured.remove(application)
                self._idle.append(child)
                self._changed.notify_all()
