# SPDX-License-Identifier: Apache-2.0
"""What becomes of a sensor, by real task instances: each end of a wait x each mode x each policy.

Airflow's own sensors end differently in poke and in deferred mode, mostly under ``soft_fail``; so that is
what `make test` runs, with the strict form of what fails most. `make test-long` runs the rest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.testing import APPLICATION_ID, PASSWORD, CloudOcrRehearsal
from demo.local_airflow import LocalAirflow

REASON = "The page is torn from top to bottom."
RUN_ID = "verdicts"
MODES = ["poke", "reschedule", "deferred"]

# By the end of the wait: which OCR task it was, what becomes of the sensor strictly, under soft_fail and
# under never_fail, and what its log says.
TABLE = {
    "completed": ("completed", "success success success", "OCR task {id}: Completed"),
    "late_completion": ("completed", "success success success", "OCR task {id}: Completed"),
    "processing_failed": ("failed", "failed skipped skipped", f"OCR task {{id}} failed: {REASON}"),
    "deleted": ("deleted", "failed skipped skipped", "OCR task {id} is deleted"),
    "not_enough_credits": ("suspended", "failed skipped skipped", "OCR task {id} waits for credits"),
    "timeout": ("held", "failed skipped skipped", "OCR task {id} did not end in time; it is still"),
    "auth": ("completed", "failed failed skipped", "HTTP 401"),
    "transport": (
        "completed",
        "failed failed skipped",
        "OCR task {id} did not end in time; its state is not",
    ),
}
DAILY = [*((case, "soft") for case in TABLE), ("processing_failed", "strict")]
ROWS = [
    pytest.param(
        case,
        policy,
        mode,
        state,
        marks=[] if (case, policy) in DAILY else pytest.mark.long,
        id=f"{case}-{policy}-{mode}",
    )
    for case, (_, states, _) in TABLE.items()
    for policy, state in zip(("strict", "soft", "never"), states.split(), strict=True)
    for mode in MODES
]


@dataclass(frozen=True)
class Runs:
    """Runs of the two DAGs, each started when it is first asked for."""

    airflow: LocalAirflow
    ids: dict[str, str]
    started: set[str] = field(default_factory=set)

    def of(self, case: str, policy: str) -> str:
        """The DAG that has the row, once all its sensors have ended."""
        dag_id = "verdicts" if (case, policy) in DAILY else "verdicts_long"
        if dag_id not in self.started:
            self.airflow.run_dag(dag_id, RUN_ID, self.ids)
            self.started.add(dag_id)
            self.airflow.wait_for_run(dag_id, RUN_ID, seconds=600)
        return dag_id


@pytest.fixture(scope="module")
def runs(airflow: LocalAirflow, cloud_ocr_session: CloudOcrRehearsal) -> Iterator[Runs]:
    cloud_ocr_session.reset()
    cloud_ocr_session.fail(REASON, source="*/failed.tif")
    yield Runs(airflow, ocr_tasks(cloud_ocr_session))
    cloud_ocr_session.reset()


@pytest.mark.parametrize(("case", "policy", "mode", "state"), ROWS)
def test_a_sensor_ends_as_the_table_says_in_every_mode(
    runs: Runs, case: str, policy: str, mode: str, state: str
) -> None:
    dag_id, task_id = runs.of(case, policy), f"{case}_{policy}_{mode}"
    instances = runs.airflow.task_instances(dag_id, RUN_ID)
    [found] = [item.state for item in instances if item.task_id == task_id]
    assert found == state
    ocr_task, _, words = TABLE[case]
    ocr_task_id = runs.ids[ocr_task]
    assert words.format(id=ocr_task_id) in runs.airflow.task_log(dag_id, RUN_ID, task_id)
    returned = runs.airflow.xcom(dag_id, RUN_ID, task_id)
    assert returned == (ocr_task_id if state == "success" else None)


def ocr_tasks(rehearsal: CloudOcrRehearsal) -> dict[str, str]:
    """The ID of an OCR task in each of the states that are waited for."""
    settings = ProcessingSettings.parse(export_format="txt")
    with CloudOcrClient(base_url=rehearsal.url, application_id=APPLICATION_ID, password=PASSWORD) as client:

        def make(name: str, status: str) -> str:
            made = client.process_remote_image(f"https://nowhere.invalid/{name}.tif", settings)
            deadline = time.monotonic() + 60
            while client.get_task_status(made.id).status != status:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            return made.id

        ids = {
            "completed": make("completed", "Completed"),
            "failed": make("failed", "ProcessingFailed"),
            "deleted": make("deleted", "Completed"),
        }
        client.delete_task(ids["deleted"])
        rehearsal.limit_credits(0)
        ids["suspended"] = make("suspended", "NotEnoughCredits")
        rehearsal.top_up(100)
        rehearsal.hold("InProgress")
        ids["held"] = make("held", "InProgress")
    return ids
