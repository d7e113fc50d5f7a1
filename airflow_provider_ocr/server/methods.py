# SPDX-License-Identifier: Apache-2.0
"""The API's methods by their names, as functions of one request. No HTTP here, and no recognition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from airflow_provider_ocr.protocol.task import ApplicationInfo, OcrTask
from airflow_provider_ocr.server.call import Call
from airflow_provider_ocr.server.choices import Choices
from airflow_provider_ocr.server.existing import ExistingMethods
from airflow_provider_ocr.server.own_tasks import OwnTasks
from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.results import ResultFiles
from airflow_provider_ocr.server.starting import StartingMethods, Workforce
from airflow_provider_ocr.server.store import Store

Answer = Sequence[OcrTask] | ApplicationInfo


@dataclass(frozen=True, slots=True)
class Method:
    """One method of the API.

    :param answer: carries it out; raises RejectedError or UnsupportedImageError where it refuses.
    :param takes_image: whether the body of its requests is an image.
    """

    answer: Callable[[Call], Answer]
    takes_image: bool = False


class ApiMethods:
    """All methods.

    :param store: where tasks are kept.
    :param files: where their images and results lie.
    :param workforce: who fetches and recognises.
    :param tessdata: which languages can be read.
    :param choices: what to do where the contract leaves it open.
    """

    def __init__(
        self,
        *,
        store: Store,
        files: ResultFiles,
        workforce: Workforce,
        tessdata: Tessdata,
        choices: Choices | None = None,
    ) -> None:
        tasks = OwnTasks(store=store, files=files, seconds_until_done=workforce.seconds_until_done)
        starting = StartingMethods(
            store=store, files=files, workforce=workforce, tessdata=tessdata, tasks=tasks
        )
        existing = ExistingMethods(store=store, files=files, tasks=tasks, choices=choices or Choices())
        self._methods = {
            "processremoteimage": Method(starting.process_remote_image),
            "processimage": Method(starting.process_image, takes_image=True),
            "submitimage": Method(starting.submit_image, takes_image=True),
            "processdocument": Method(starting.process_document),
            "gettaskstatus": Method(existing.get_task_status),
            "listtasks": Method(existing.list_tasks),
            "listfinishedtasks": Method(existing.list_finished_tasks),
            "deletetask": Method(existing.delete_task),
            "getapplicationinfo": Method(existing.get_application_info),
        }

    def find(self, name: str) -> Method | None:
        """The method with this name in any case, or None."""
        return self._methods.get(name.lower())
