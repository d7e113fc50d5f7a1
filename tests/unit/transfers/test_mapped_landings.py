# SPDX-License-Identifier: Apache-2.0
"""No mapped landing puts two documents into one file."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from airflow.sdk import DAG, BaseOperator, ObjectStoragePath, XComArg, task_group
from airflow.sdk.definitions.mappedoperator import MappedOperator

from airflow_provider_ocr.exceptions import CloudOcrParameterError
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

PLACE = {"destination": "file:///texts", "name": "scan"}
SAID = r"^name: all documents of the mapped task would be 'scan' in one folder"


def partial(**arguments: Any) -> Any:
    return CloudOcrToObjectStorageOperator.partial(task_id="land", **arguments)


@pytest.fixture
def upstream() -> XComArg:
    with DAG("upstream", schedule=None):
        return XComArg(BaseOperator(task_id="find"))


@pytest.mark.parametrize("mapped", [["a", "b"], None], ids=["literal", "xcom"])
@pytest.mark.parametrize("destination", ["file:///texts", ObjectStoragePath("/texts")], ids=["text", "path"])
def test_one_literal_name_for_all_documents_is_refused_without_another_warning(
    upstream: XComArg, mapped: list[str] | None, destination: Any
) -> None:
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(CloudOcrParameterError, match=SAID):
            partial(destination=destination, name="scan").expand(ocr_task_id=mapped or upstream)
    assert [str(each.message) for each in warned if "expanded" in str(each.message)] == []


def test_a_name_from_default_args_counts_as_well(upstream: XComArg) -> None:
    with (
        DAG("landing", schedule=None, default_args={"name": "scan"}),
        pytest.raises(CloudOcrParameterError, match=SAID),
    ):
        partial(destination="file:///texts").expand(ocr_task_id=upstream)


@pytest.mark.parametrize(
    ("same", "mapped"),
    [
        ({"destination": "file:///texts"}, {"ocr_task_id": ["a", "b"]}),
        ({**PLACE, "name": "scan-{ocr_task_id}"}, {"ocr_task_id": ["a", "b"]}),
        ({**PLACE, "name": "scan-{{ ti.map_index }}"}, {"ocr_task_id": ["a", "b"]}),
        ({**PLACE, "destination": "file:///texts/{{ ti.map_index }}"}, {"ocr_task_id": ["a", "b"]}),
        ({**PLACE, "ocr_task_id": "a"}, {"export_format": ["txt", "pdfa"]}),
        ({"destination": "file:///texts"}, {"ocr_task_id": ["a"], "name": ["scan"]}),
        ({"name": "scan"}, {"ocr_task_id": ["a"], "destination": ["file:///texts"]}),
    ],
    ids=["default", "id", "template", "folder", "formats", "mapped name", "mapped folder"],
)
def test_names_or_folders_that_differ_are_mapped(same: dict[str, Any], mapped: dict[str, Any]) -> None:
    with DAG("landing", schedule=None):
        assert isinstance(partial(**same).expand(**mapped), MappedOperator)


def test_two_documents_of_expand_kwargs_with_one_place_are_refused() -> None:
    tasks = [{"ocr_task_id": each, "name": "scan"} for each in ("a", "b")]
    with pytest.raises(CloudOcrParameterError, match=SAID):
        partial(destination="file:///texts").expand_kwargs(tasks)
    with DAG("landing", schedule=None):
        tasks[1]["name"] = "other"
        assert partial(destination="file:///texts").expand_kwargs(tasks)


def test_expand_kwargs_of_a_reference_with_one_place_in_partial_is_refused(upstream: XComArg) -> None:
    with pytest.raises(CloudOcrParameterError, match=SAID):
        partial(**PLACE, export_format="txt").expand_kwargs(upstream)


@pytest.mark.parametrize("name", ["scan", "scan-{ocr_task_id}"])
def test_a_mapped_task_group_is_judged_as_a_mapped_task(name: str) -> None:
    @task_group
    def each(ocr_task_id: str) -> None:
        CloudOcrToObjectStorageOperator(
            task_id="land",
            ocr_task_id=ocr_task_id,
            export_format="txt",
            destination="file:///texts",
            name=name,
        )

    with DAG("landing", schedule=None) as dag:
        if name == "scan":
            with pytest.raises(CloudOcrParameterError, match=SAID):
                each.expand(ocr_task_id=["a", "b"])
        else:
            each.expand(ocr_task_id=["a", "b"])
            assert dag.task_ids == ["each.land"]
