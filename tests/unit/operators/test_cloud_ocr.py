# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from airflow.sdk import DAG
from airflow.sdk.execution_time.task_runner import _serialize_rendered_fields
from airflow.serialization.serialized_objects import DagSerialization

from airflow_provider_ocr.exceptions import CloudOcrParameterError
from airflow_provider_ocr.operators.cloud_ocr import ProcessRemoteImageOperator
from airflow_provider_ocr.protocol.concealed import reveal


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


SOURCE = "https://user:SECRET-1@a.example/b.tif?id=7&sig=SECRET-2#SECRET-3"
SHOWN = {
    "source": "https://a.example/b.tif?id=***&sig=***#***",
    "pdf_password": "***",
    "description": "see https://a.example/b.tif?...",
}


def secret_operator(**arguments: Any) -> ProcessRemoteImageOperator:
    given = {
        "source": "{{ url }}",
        "pdf_password": "{{ password }}",
        "description": "see {{ url }}",
        **arguments,
    }
    return ProcessRemoteImageOperator(task_id="submit", **given)


def test_rendered_fields_show_no_secret_while_the_operator_has_all_of_it() -> None:
    submit = secret_operator()
    submit.render_template_fields({"url": SOURCE, "password": "SECRET-4"})
    fields = _serialize_rendered_fields(submit)
    msgspec.msgpack.encode(fields)
    assert {name: fields[name] for name in SHOWN} == SHOWN
    assert (submit.source.revealed, submit.pdf_password.revealed) == (SOURCE, "SECRET-4")
    assert submit.description.revealed == f"see {SOURCE}"
    # Lineage tools and debuggers look at everything that an object has.
    assert "SECRET" not in json.dumps(vars(submit), default=str)


def test_a_mapped_url_is_not_taken_for_a_template_because_it_is_concealed() -> None:
    url = "https://a.example/b?sig={{ SECRET }}"
    submit = secret_operator(source=url)
    # So does a mapped operator with the values that it has taken from an XCom.
    assert submit.render_template(submit.source, {}, None, {id(url)}) == url


@pytest.mark.parametrize("value", [["https://a.example/b?sig=SECRET"], {"url": "SECRET"}, (SOURCE,)])
@pytest.mark.parametrize("name", ["source", "pdf_password"])
def test_what_is_no_text_is_refused_before_anybody_sees_it(name: str, value: Any) -> None:
    with pytest.raises(CloudOcrParameterError, match=f"^{name}: a .* was given") as caught:
        setattr(secret_operator(), name, value)
    assert "SECRET" not in str(caught.value)


def test_a_password_that_a_native_template_makes_a_number_of_is_concealed() -> None:
    submit = secret_operator()
    submit.pdf_password = 1234567
    assert (str(submit.pdf_password), submit.pdf_password.revealed) == ("***", "1234567")


def test_a_literal_secret_is_not_in_the_serialized_dag() -> None:
    with DAG("literals", schedule=None) as dag:
        secret_operator(source=SOURCE, pdf_password="SECRET-4", description=f"see {SOURCE}")
    serialized = json.dumps(DagSerialization.to_dict(dag))
    # What the DAG processor sends has to be of the plainest types.
    msgspec.msgpack.encode(DagSerialization.to_dict(dag))
    assert SHOWN["source"] in serialized
    assert SHOWN["description"] in serialized
    assert "SECRET" not in serialized


def test_templates_in_default_args_and_partial_stay_templates_and_literals_are_the_dags_own() -> None:
    defaults = {"pdf_password": "{{ password }}"}
    with DAG("defaults", schedule=None, default_args=defaults) as dag:
        submit = ProcessRemoteImageOperator(task_id="submit", source="{{ url }}")
        ProcessRemoteImageOperator.partial(task_id="mapped").expand(source=["{{ url }}"])
    rendered(submit)
    assert submit.pdf_password.revealed == "SECRET-4"
    assert "SECRET" not in json.dumps(DagSerialization.to_dict(dag))


def test_a_user_sets_the_source_in_a_subclass_as_ever() -> None:
    submit = secret_operator()
    submit.source = SOURCE
    assert submit.source.revealed == SOURCE
    submit.source = submit.source
    assert submit.source.revealed == SOURCE
    submit.source = "https://a.example/b.tif"
    assert submit.source == "https://a.example/b.tif"
    submit.source = None
    assert submit.source is None


@pytest.fixture
def masked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What Airflow was told to mask."""
    told: list[str] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", told.extend)
    return told


def test_secrets_are_masked_in_other_peoples_lines_in_each_spelling(
    masked: list[str], monkeypatch: pytest.MonkeyPatch, context: dict[str, Any]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps({"conn_type": "cloud_ocr"}))
    submit = secret_operator(source=SOURCE, pdf_password='SECRET "4"')
    with pytest.raises(CloudOcrParameterError, match="'cloud_ocr_default' has no host"):
        submit.execute(context)
    assert {"user:SECRET-1", "SECRET-1", "SECRET-2"} < set(masked)
    assert {'SECRET "4"', "SECRET%20%224%22", "SECRET+%224%22", 'SECRET \\"4\\"'} < set(masked)


class Raising(ProcessRemoteImageOperator):
    """Reads the URL as the documentation says, and is careless with it."""

    def execute(self, context: Any) -> str:
        raise ValueError(f"Cannot prepare {reveal(self.source)}")


def rendered(task: Any) -> None:
    run = {"dag": DAG("any", schedule=None), "dag_run": SimpleNamespace(conf={}), "expanded_ti_count": 1}
    values = {"url": SOURCE, "password": "SECRET-4"}
    task.render_template_fields({**values, **run, "ti": SimpleNamespace(task=task)})


def test_what_was_rendered_is_masked_before_anything_is_executed(masked: list[str]) -> None:
    rendered(Raising(task_id="raising", source="{{ url }}", pdf_password="{{ password }}"))
    assert {"user:SECRET-1", "SECRET-2", "SECRET-4", SOURCE} < set(masked)


def test_a_source_that_a_function_gives_is_masked(masked: list[str]) -> None:
    rendered(Raising(task_id="raising", source=lambda context, jinja_env: context["url"]))  # type: ignore[arg-type]  # Airflow renders functions, too
    assert {"user:SECRET-1", "SECRET-2", SOURCE} < set(masked)


def test_what_is_rendered_of_a_mapped_operator_is_masked(
    masked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with DAG("mapped", schedule=None):
        mapped = Raising.partial(task_id="raising", pdf_password="{{ password }}").expand(
            source=["{{ url }}"]
        )
    # Which of the mapped values it is, Airflow takes from the context of a run.
    expansion = ({"source": "{{ url }}"}, set[int]())
    monkeypatch.setattr(type(mapped), "_expand_mapped_kwargs", lambda _, context: expansion)
    rendered(mapped)
    assert {"user:SECRET-1", "SECRET-2", "SECRET-4", SOURCE} < set(masked)


def test_secrets_in_a_description_are_masked(masked: list[str]) -> None:
    rendered(operator(description="see {{ url }}"))
    assert {"user:SECRET-1", "SECRET-2", f"see {SOURCE}"} < set(masked)


def test_parsing_a_dag_masks_nothing_because_each_text_would_slow_the_masking_of_all_lines(
    masked: list[str],
) -> None:
    with DAG("literals", schedule=None):
        secret_operator(source=SOURCE, pdf_password="SECRET-4")
    assert masked == []


def test_a_url_that_is_too_long_for_many_front_ends_is_warned_of_without_its_query(
    masked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    context: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps({"conn_type": "cloud_ocr"}))
    submit = secret_operator(source=f"https://a.example/b?sig=SECRET{'x' * 2000}", pdf_password=None)
    with pytest.raises(CloudOcrParameterError):
        submit.execute(context)
    logged = capsys.readouterr().out
    assert "source: the URL at a.example has 2,042 characters" in logged
    assert "SECRET" not in logged


def test_a_source_that_rendered_to_nothing_is_named(context: dict[str, Any]) -> None:
    submit = secret_operator()
    submit.source = None
    with pytest.raises(CloudOcrParameterError, match=r"^source: the URL of the image is missing"):
        submit.execute(context)


@pytest.fixture
def context() -> dict[str, Any]:
    """As much of a task's context as is looked at before the service is called."""
    return {"ti": SimpleNamespace(dag_id="d", run_id="r", task_id="submit", map_index=-1, try_number=1)}
