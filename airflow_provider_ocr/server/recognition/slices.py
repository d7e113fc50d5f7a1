# SPDX-License-Identifier: Apache-2.0
"""A slice of a document's pages recognised, whatever single pages do to the process that reads them.

A process that dies on a page is given one more chance with it. A page that fails, for that or another reason,
fails the document, or is marked and then kept as a picture of itself.
"""

from __future__ import annotations

import time
from collections import Counter

from airflow_provider_ocr.server.jobs import OnFailedPage, OnPage, PageFailure, Progress, RecognitionJob
from airflow_provider_ocr.server.recognition.events import Fault, Recognised
from airflow_provider_ocr.server.recognition.kept_pages import KeptPages
from airflow_provider_ocr.server.recognition.supervision import JobFault, SupervisedProcess

_OF_A_PAGE = frozenset({Fault.PAGE, Fault.MEMORY, Fault.TIME, Fault.UNEXPECTED})


class Slice:
    """One slice of a job.

    :param process: does the work.
    :param job: what is to be recognised.
    :param within: seconds that a page may take.
    :param on_failed_page: called for each page that failed and is kept all the same.
    """

    def __init__(
        self,
        process: SupervisedProcess,
        job: RecognitionJob,
        *,
        within: float,
        on_failed_page: OnFailedPage,
    ) -> None:
        self._process = process
        self._job = job
        self._kept = KeptPages(job.pages)
        self._within = within
        self._on_failed_page = on_failed_page
        self._attempts: Counter[int | None] = Counter()

    def recognise(self, on_page: OnPage) -> Progress:
        """Recognise pages until the time is over or there are none left.

        :param on_page: called after each page is kept.
        :raises JobFault: if the document failed.
        """
        if self._job.page_failure is PageFailure.FAIL:
            self._kept.forget_failures()
        end = None if self._job.seconds is None else time.monotonic() + self._job.seconds
        while True:
            seconds = None if end is None else max(0.0, end - time.monotonic())
            try:
                pages = self._ask(seconds, on_page)
            except JobFault as fault:
                self._go_on_after(fault)
            else:
                return Progress(sum(number <= pages for number in self._kept.numbers()), pages)

    def _ask(self, seconds: float | None, on_page: OnPage) -> int:
        """Have the process recognise for a while; how many pages the document has."""
        request = {
            "job": "recognise",
            "images": [str(image.absolute()) for image in self._job.images],
            "settings": self._job.settings.to_query(),
            "pages": str(self._job.pages.absolute()),
            "seconds": seconds,
        }
        return self._process.ask(Recognised, request, within=self._within, on_page=on_page).pages

    def _go_on_after(self, fault: JobFault) -> None:
        """Return if the rest of the document can still be recognised.

        :raises JobFault: if it cannot.
        """
        page = fault.page
        self._attempts[page] += 1
        died_first = fault.fault is Fault.UNEXPECTED or page in self._kept.numbers()
        if died_first and self._attempts[page] == 1:
            return
        if page is None or fault.fault not in _OF_A_PAGE or self._job.page_failure is PageFailure.FAIL:
            raise fault
        if page in self._kept.failures():
            message = f"Page {page} could not be recognised, and not be kept as an image either. {fault}"
            raise JobFault(message, fault.fault, page=page, log=fault.log)
        self._kept.mark_failed(page)
        self._attempts[page] = 0  # as a picture it has chances of its own
        self._on_failed_page(page, str(fault))
