# SPDX-License-Identifier: Apache-2.0
"""Whatever a DAG's file says for certain is judged as the file is parsed, mapped tasks included."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import DAG, BaseOperator, XComArg
from airflow.sdk.definitions.mappedoperator import MappedOperator

from airflow_provider_ocr.exceptions import CloudOcrParameterError
from airflow_provider_ocr.lifecycle.submission import idempotency_key, with_key
from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.operators.parse_time_checks import MAX_OWN_DESCRIPTION_LENGTH, SETTINGS
from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.submitting import SUBMITTING
from airflow_provider_ocr.waiting import WAITING

SOURCE = "https://example.com/scan.tif"
TEMPLATE = "{{ params.x }}"


def operator(**arguments: Any) -> ProcessRemoteImageOperator:
    return ProcessRemoteImageOperator(task_id="submit", **{"source": SOURCE, **arguments})


def partial(task_id: str = "submit", **arguments: Any) -> Any:
    return ProcessRemoteImageOperator.partial(task_id=task_id, **arguments)


@pytest.fixture
def upstream() -> XComArg:
    with DAG("upstream", schedule=None):
        return XComArg(BaseOperator(task_id="find"))


def test_the_arguments_that_are_judged_are_those_of_the_operator() -> None:
    judged = {"source", "source_access", "cloud_ocr_conn_id", *SETTINGS, *WAITING, *SUBMITTING}
    assert judged == set(ProcessRemoteImageOperator.template_fields)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"source": None}, "source: the URL of the image is missing"),
        ({"source": ""}, "source: the URL of the image is missing"),
        ({"source": "not a url"}, "source: it is no URL that begins with http:// or https://"),
        ({"source": 5}, "source: it is no URL"),
        (
            {"source": "s3://key:SECRET@bucket/scan.tif"},
            "source: s3://bucket/scan.tif was given",
        ),
        ({"source": "gs://bucket/scans/"}, "source: gs://bucket/scans/ names no file"),
        ({"source_access": "copy"}, "source_access: 'copy' is not one of sign, upload"),
        ({"source_access": "upload"}, "source_access: the service fetches a URL by itself"),
        ({"source": "file:///scans/a.tif"}, "source_access: no URL leads to a local file"),
        ({"source": "https:///scan.tif?sig=SECRET"}, "source: the URL names no host"),
        ({"wait_for_completion": "yes"}, "wait_for_completion: it is 'yes', and has to be true or false"),
        ({"deferrable": 2}, "deferrable: it is 2, and has"),
        ({"poll_interval": 1.9}, "poll_interval: it is 1.9 s, and has to be at least 2 s"),
        ({"poll_interval": "soon"}, "poll_interval: it is 'soon', and has to be a number of seconds"),
        ({"timeout": timedelta(seconds=-1)}, "timeout: it is -1 s"),
        ({"resume_interval": None}, "resume_interval: it is None"),
        ({"on_not_enough_credits": "pay"}, "on_not_enough_credits: 'pay' is not one of fail, wait, resume"),
        ({"language": 5}, "language: 5 is neither text nor a list"),
        ({"correct_skew": 1}, "correctSkew: 1 is not one of true, false"),
        ({"export_format": {"txt"}}, "exportFormat: {'txt'} is neither text nor a list"),
        ({"description": "x" * 225}, "description: 225 characters are too long, at most 224"),
        ({"export_format": [TEMPLATE, "tx"]}, "exportFormat: 'tx' is not one of"),
        ({"export_format": (TEMPLATE, "txt", "xml", "docx")}, "exportFormat: 4 formats"),
        ({"export_format": [TEMPLATE, "txt", "TXT"]}, "exportFormat: given more than once: txt"),
        ({"language": ["German", TEMPLATE, "Germn"]}, "language: 'Germn'"),
        ({"text_type": [TEMPLATE, "normal", "normal"]}, "textType: given more than once"),
    ],
)
def test_a_literal_that_no_run_can_make_right_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(CloudOcrParameterError) as caught:
        operator(**arguments)
    assert str(caught.value).startswith(said)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"source": TEMPLATE},
        {"source": "{% if params.x %}https://a.example/b{% endif %}"},
        {"source": "{# the scan #}https://a.example/b"},
        {"language": "{# as agreed #}German"},
        {"source": lambda context, jinja_env: SOURCE},
        {"export_format": [TEMPLATE, "txt", "xml"]},
        {"export_format": [TEMPLATE], "write_recognition_variants": True},
        {"export_format": [TEMPLATE, "txt", "rtf"], "write_recognition_variants": True},
        {"export_format": ["xml", TEMPLATE], "write_recognition_variants": True},
        {"language": [TEMPLATE]},
        {"description": TEMPLATE + "x" * 300},
        {"description": "x" * 224},
        {"description": " " * 300},
    ],
)
def test_what_a_run_may_make_right_is_let_pass(arguments: dict[str, Any]) -> None:
    operator(**arguments)


def test_a_reference_to_an_xcom_is_let_pass(upstream: XComArg) -> None:
    operator(source=upstream, language=upstream, export_format=[upstream, "txt"], correct_skew=upstream)


@pytest.mark.parametrize("source", [None, "", "not a url", "s3://bucket/", "https://"])
def test_a_source_that_is_none_once_it_is_rendered_is_refused_by_the_run(source: Any) -> None:
    submit = operator(source=TEMPLATE)
    submit.source = source
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="submit", map_index=-1, try_number=1)
    with pytest.raises(CloudOcrParameterError, match=r"^source: "):
        submit.execute({"ti": ti})  # type: ignore[typeddict-item]  # as much as is looked at


def test_the_description_has_the_room_that_its_key_leaves() -> None:
    key = idempotency_key("d", "r", source=SOURCE, settings=ProcessingSettings())
    with_key(ProcessingSettings(description="x" * MAX_OWN_DESCRIPTION_LENGTH), key)
    with pytest.raises(InvalidParameterError, match="at most 224"):
        with_key(ProcessingSettings(description="x" * (MAX_OWN_DESCRIPTION_LENGTH + 1)), key)


@pytest.mark.parametrize(
    ("fixed", "mapped", "said"),
    [
        ({"export_format": "tx"}, {"source": [SOURCE]}, "exportFormat: 'tx'"),
        ({"language": "Germn"}, {"source": [SOURCE]}, "language: 'Germn'"),
        ({"source": "s3://b/"}, {"language": ["German"]}, "source: s3://"),
        ({"source": SOURCE}, {"export_format": ["txt", "tx"]}, "exportFormat: 'tx'"),
        ({}, {"source": [SOURCE, "not a url"]}, "source: it is no URL"),
        ({}, {"source": ["s3://b/c"], "source_access": ["upload", "x"]}, "source_access: 'x'"),
        ({}, {"source": [SOURCE], "description": ["x", "x" * 225]}, "description: 225"),
        ({}, {"source": [SOURCE], "export_format": {"formats": "tx"}}, "exportFormat: "),
        (
            {"write_recognition_variants": True},
            {"source": [SOURCE], "export_format": ["xml", "txt"]},
            "xml:writeRecognitionVariants: ",
        ),
        ({"write_recognition_variants": True}, {"source": [SOURCE]}, "xml:writeRecognitionVariants: "),
    ],
)
def test_literals_of_mapped_tasks_are_judged(
    fixed: Mapping[str, Any], mapped: Mapping[str, Any], said: str
) -> None:
    with DAG("mapped", schedule=None), warnings.catch_warnings():
        # Airflow would warn of a task that was never mapped, beside the error that tells why.
        warnings.simplefilter("error")
        with pytest.raises(CloudOcrParameterError) as caught:
            partial(**fixed).expand(**mapped)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("fixed", "each", "said"),
    [
        ({"export_format": "txt"}, {"source": SOURCE, "language": "Germn"}, "language: 'Germn'"),
        ({"export_format": "txt"}, {"source": "not a url"}, "source: it is no URL"),
        ({"export_format": "txt"}, {"source": SOURCE, "write_recognition_variants": True}, "xml:write"),
    ],
)
def test_literals_of_tasks_that_are_mapped_with_several_arguments_are_judged(
    fixed: Mapping[str, Any], each: Mapping[str, Any], said: str
) -> None:
    with DAG("mapped", schedule=None), pytest.raises(CloudOcrParameterError) as caught:
        partial(**fixed).expand_kwargs([{"source": SOURCE}, each])
    assert str(caught.value).startswith(said)


def test_good_arguments_are_mapped_as_ever(upstream: XComArg) -> None:
    with DAG("mapped", schedule=None) as dag:
        partial("a", export_format=["xml", TEMPLATE], write_recognition_variants=True).expand(
            source=[SOURCE, TEMPLATE], language=[["German", "English"], "French"]
        )
        partial("b", write_recognition_variants=True).expand(
            source=[SOURCE], export_format=[["xml"], TEMPLATE]
        )
        partial("c", export_format="txt").expand_kwargs([{"source": SOURCE}, {"source": TEMPLATE}])
    assert [(task.task_id, type(task)) for task in dag.tasks] == [(name, MappedOperator) for name in "abc"]
    assert dag.task_dict["a"].partial_kwargs["export_format"] == ["xml", TEMPLATE]
    with upstream.operator.dag:
        by_xcom = partial("d", export_format="txt").expand(source=upstream)
        all_by_xcom = partial("e").expand_kwargs(upstream)
    assert by_xcom.upstream_task_ids == all_by_xcom.upstream_task_ids == {"find"}


def test_a_task_of_a_mapped_one_is_the_operator() -> None:
    with DAG("mapped", schedule=None):
        mapped = partial(export_format="txt").expand(source=[SOURCE])
    task = mapped.unmap({"source": SOURCE})
    assert (type(task), task.source, task.export_format) == (ProcessRemoteImageOperator, SOURCE, "txt")
    with pytest.raises(CloudOcrParameterError, match=r"^source: the URL of the image is missing"):
        mapped.unmap({"source": None})
