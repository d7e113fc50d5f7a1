# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
from typing import Any

import pytest
from airflow.sdk import DAG

from airflow_provider_ocr.exceptions import CloudOcrParameterError
from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator


def operator(**arguments: Any) -> ProcessRemoteImageOperator:
    return ProcessRemoteImageOperator(task_id="submit", source="https://example.com/scan.tif", **arguments)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"export_format": "text"}, "exportFormat: 'text' is not one of txt, "),
        ({"export_format": ["txt", "xml", "rtf", "docx"]}, "exportFormat: 4 formats"),
        ({"language": "Germn"}, "language: 'Germn'"),
        ({"profile": "archive"}, "profile: 'archive'"),
        ({"text_type": ["normal", "fraktur"]}, "textType: 'fraktur'"),
        ({"correct_skew": "yes"}, "correctSkew: 'yes'"),
        ({"description": "x" * 256}, "description: 256 characters"),
    ],
)
def test_a_literal_that_the_api_does_not_know_fails_when_the_dag_is_parsed(
    arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises(CloudOcrParameterError) as caught:
        operator(**arguments)
    assert str(caught.value).startswith(named)


@pytest.mark.parametrize(
    "arguments",
    [
        {"export_format": "{{ params.formats }}"},
        {"export_format": ["txt", "{{ params.second }}"]},
        {"language": "{% if params.german %}German{% else %}English{% endif %}"},
        {"correct_skew": "{{ params.straighten }}"},
    ],
)
def test_a_template_is_not_judged_before_it_is_rendered(arguments: dict[str, Any]) -> None:
    [(name, value)] = arguments.items()
    assert getattr(operator(**arguments), name) == value


def test_a_rule_waits_for_the_template_that_takes_part_in_it() -> None:
    operator(export_format="{{ params.formats }}", write_recognition_variants=True)
    with pytest.raises(CloudOcrParameterError, match="xml:writeRecognitionVariants"):
        operator(export_format=None, write_recognition_variants=True)


def test_every_parameter_of_the_api_can_be_a_template() -> None:
    constructor = inspect.signature(ProcessRemoteImageOperator).parameters.keys() - {"kwargs"}
    assert set(ProcessRemoteImageOperator.template_fields) == constructor


def test_it_can_be_mapped_over_sources() -> None:
    with DAG("mapped", schedule=None):
        mapped = ProcessRemoteImageOperator.partial(task_id="submit", export_format="txt").expand(
            source=["https://example.com/1.tif", "https://example.com/2.tif"]
        )
    assert mapped.task_id == "submit"
