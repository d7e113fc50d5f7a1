# SPDX-License-Identifier: Apache-2.0
"""What OpenLineage reports of an operator, at its most talkative, holds no secret."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from airflow.providers.openlineage.plugins.facets import AirflowRunFacet
from airflow.providers.openlineage.utils.utils import OpenLineageRedactor, TaskInfoComplete
from airflow.sdk import DAG
from airflow.sdk._shared.secrets_masker import SecretsMasker
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.serde import Serde

from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator

SOURCE = "https://user:SECRET-1@a.example/b.tif?id=7&sig=SECRET-2#SECRET-3"


@pytest.fixture
def event(description: str) -> str:
    """An event about a rendered task with all of the operator's attributes, as a transport writes it."""
    with DAG("lineage", schedule=None):
        submit = ProcessRemoteImageOperator(
            task_id="submit",
            source="{{ source }}",
            pdf_password="{{ password }}",
            description=description,
        )
    submit.render_template_fields({"source": SOURCE, "password": "SECRET-4"})
    facet = AirflowRunFacet(
        dag={}, dagRun={}, task=TaskInfoComplete(submit), taskInstance={}, taskUuid="lineage.submit"
    )
    run = Run(runId="01a2053a-1da7-7b12-a5df-6f080771ecb6", facets={"airflow": facet})
    now = dt.datetime.now(dt.UTC).isoformat()
    event = RunEvent(
        eventType=RunState.START, eventTime=now, run=run, job=Job("test", "lineage.submit"), producer="test"
    )
    # Nothing was given to the masker: what is concealed needs no list of secrets.
    redacted = OpenLineageRedactor.from_masker(SecretsMasker()).redact(event, max_depth=20)
    return Serde.to_json(redacted)


@pytest.mark.parametrize(
    ("description", "told"),
    [("of invoices", "of invoices"), ("of {{ source }}", "<<non-serializable: Concealed>>")],
)
def test_a_lineage_event_tells_of_the_task_and_of_no_secret(event: str, told: str) -> None:
    task = json.loads(event)["run"]["facets"]["airflow"]["task"]
    assert task["description"] == told
    assert "SECRET" not in event
