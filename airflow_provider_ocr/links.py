# SPDX-License-Identifier: Apache-2.0
"""The buttons that Airflow shows beside a task; each leads to what the task has made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator


class CloudOcrResultLink(BaseOperatorLink):
    """Leads to the landed files, where their store has pages for people.

    Airflow asks for it where the task ran, and keeps the answer as an XCom.
    """

    name = "Result"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002 - Airflow passes it
        """The address, without a signature; empty where there is none.

        :param operator: a `CloudOcrToObjectStorageOperator` that has run.
        :param ti_key: of its task instance.
        """
        from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

        return operator.result_address if isinstance(operator, CloudOcrToObjectStorageOperator) else ""
