# SPDX-License-Identifier: Apache-2.0
"""What the landing operator does about names, files in the way, quality, and the OCR task afterwards."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_ocr.exceptions import (
    CloudOcrParameterError,
    CloudOcrResultError,
    CloudOcrTaskDeletedError,
)
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.protocol.messages import render_tasks
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.testing import CloudOcrRehearsal
from airflow_provider_ocr.transfers.cloud_ocr_to_object_storage import CloudOcrToObjectStorageOperator

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

TEXT = "Invoice 4711\fpage two"
SCRIPTED_ID = "7db0c518-44e9-4033-8ab2-e8b1abff990f"


@pytest.fixture
def submit(cloud_ocr: CloudOcrRehearsal) -> Callable[..., str]:
    """Submits a document and gives its OCR task's ID, once the task is completed."""
    cloud_ocr.recognise_as(TEXT)

    def submitted(export_format: str = "txt") -> str:
        with CloudOcrHook().get_conn() as client:
            settings = ProcessingSettings.parse(export_format=export_format)
            made = client.process_remote_image("https://nowhere.invalid/a.tif", settings)
        deadline = time.monotonic() + 20
        while made.id not in [task.id for task in cloud_ocr.tasks("Completed")]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return made.id

    return submitted


class StateStore:
    """What Airflow 3.3 and newer remember for a task, kept as the JSON that Airflow makes of it."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, key: str) -> Any:
        return json.loads(self.kept[key]) if key in self.kept else None

    def set(self, key: str, value: Any) -> None:
        self.kept[key] = json.dumps(value)


class Operator(CloudOcrToObjectStorageOperator):
    """Speaks where pytest listens; Airflow's own loggers differ from version to version."""

    log = logging.getLogger("landing operator")


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Callable[[int], list[str]]:
    """Gives what the operator has said of OCR tasks, on one level."""
    caplog.set_level(logging.INFO, "landing operator")

    def of_level(level: int) -> list[str]:
        lines = [(record.levelno, record.getMessage()) for record in caplog.records]
        return [line for found, line in lines if found == level and line.startswith("OCR task")]

    return of_level


def land(ocr_task_id: str, folder: Path, *, store: StateStore | None = None, **arguments: Any) -> Any:
    operator = Operator(
        task_id="land",
        ocr_task_id=ocr_task_id,
        destination=f"file://{folder}",
        **{"export_format": "txt", "name": "scan", **arguments},
    )
    return operator.execute({} if store is None else {"task_state_store": store})


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_three_pdf_files_of_one_task_land_under_three_names(
    submit: Callable[..., str], tmp_path: Path
) -> None:
    formats = "pdfSearchable,pdfTextAndImages,pdfa"
    ocr_task_id = submit(formats)
    land(ocr_task_id, tmp_path, export_format=formats, name="{ocr_task_id}-{export_format}.{extension}")
    assert _names(tmp_path) == sorted(f"{ocr_task_id}-{each}.pdf" for each in formats.split(","))


def test_a_file_that_is_there_already_is_left_and_said_to_be(
    submit: Callable[..., str], tmp_path: Path, said: Callable[[int], list[str]]
) -> None:
    ocr_task_id = submit()
    first = land(ocr_task_id, tmp_path, if_exists="skip_if_same")
    before = (tmp_path / "scan.txt").stat()
    second = land(ocr_task_id, tmp_path, if_exists="skip_if_same")
    assert (tmp_path / "scan.txt").stat().st_mtime_ns == before.st_mtime_ns
    assert [manifest["files"][0]["written"] for manifest in (first, second)] == [True, False]
    assert first["files"][0]["sha256"] == second["files"][0]["sha256"]
    assert "scan.txt was there already and stays as it is" in said(logging.INFO)[-1]


def test_a_file_of_somebody_elses_stays_and_is_named(submit: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "scan.txt").write_text("somebody else's")
    with pytest.raises(CloudOcrResultError, match=r"scan\.txt is there already, with other content"):
        land(submit(), tmp_path, if_exists="fail")
    assert (tmp_path / "scan.txt").read_text() == "somebody else's"


def test_a_retry_may_end_though_nothing_may_be_replaced(submit: Callable[..., str], tmp_path: Path) -> None:
    ocr_task_id = submit()
    manifests = [land(ocr_task_id, tmp_path, if_exists="fail") for _ in range(2)]
    assert [manifest["files"][0]["written"] for manifest in manifests] == [True, False]


@pytest.fixture
def scripted(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """A service with one completed task, that the default connection leads to."""
    connection = {"conn_type": "cloud_ocr", "host": server.url, "login": "app", "password": "pass/word"}
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD_OCR_DEFAULT", json.dumps(connection))
    task = OcrTask(
        id=SCRIPTED_ID, status="Completed", credits=5, result_urls=(f"{server.url}/1.result?sig=S",)
    )
    server.reply("getTaskStatus", render_tasks([task]))
    return server


QUALITY_HEADERS = {
    "X-Ocr-Pages": "4",
    "X-Ocr-Blank-Pages": "1",
    "X-Ocr-Failed-Pages": "0",
    "X-Ocr-Word-Confidence": "71.5",
    "X-Ocr-Low-Words": "7",
    "X-Ocr-Rotated-Pages": "2",
    "X-Ocr-Engine": "tesseract 5",
}


def test_how_well_a_document_was_read_is_in_the_manifest(scripted: ScriptedServer, tmp_path: Path) -> None:
    scripted.reply("1.result", b"text", headers=QUALITY_HEADERS)
    manifest = land(SCRIPTED_ID, tmp_path)
    assert json.loads(json.dumps(manifest))["quality"] == {
        "pages": 4,
        "blank_pages": 1,
        "failed_pages": 0,
        "word_confidence": 71.5,
        "low_words": 7,
        "rotated_pages": 2,
        "engine": "tesseract 5",
    }


def test_a_server_that_does_not_tell_the_quality_gives_null(scripted: ScriptedServer, tmp_path: Path) -> None:
    scripted.reply("1.result", b"text")
    manifest = land(SCRIPTED_ID, tmp_path)
    assert (manifest["quality"], manifest["review"]) == (None, [])


@pytest.mark.parametrize(
    ("limits", "place", "reasons"),
    [
        ({"word_confidence": 70}, "good", []),
        ({"word_confidence": "80"}, "review", ["its word confidence is 71.5, below 80"]),
    ],
    ids=["reached", "not_reached"],
)
def test_a_document_below_the_confidence_goes_to_the_second_destination(
    *,
    scripted: ScriptedServer,
    tmp_path: Path,
    said: Callable[[int], list[str]],
    limits: dict[str, Any],
    place: str,
    reasons: list[str],
) -> None:
    scripted.reply("1.result", b"text", headers=QUALITY_HEADERS)
    manifest = land(
        SCRIPTED_ID, tmp_path / "good", review_if=limits, review_destination=f"file://{tmp_path}/review"
    )
    assert _names(tmp_path) == [place]
    assert manifest["files"][0]["uri"] == f"file://{tmp_path}/{place}/scan.txt"
    assert Path(manifest["files"][0]["uri"].removeprefix("file://")).read_bytes() == b"text"
    assert manifest["review"] == reasons
    warnings = said(logging.WARNING)
    assert [warning.partition("review_destination: ")[2] for warning in warnings] == reasons


def test_a_review_destination_that_cannot_be_written_to_is_named_with_the_file(
    scripted: ScriptedServer, tmp_path: Path
) -> None:
    scripted.reply("1.result", b"text", headers=QUALITY_HEADERS)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CloudOcrResultError, match=r"written to file://\S+/file/review/scan\.txt: Not a dir"):
        land(
            SCRIPTED_ID,
            tmp_path / "good",
            review_if={"word_confidence": 80},
            review_destination=f"file://{tmp_path}/file/review",
        )


FOLDERS_THAT_ARE_NONE = (
    *("", " ", "None", None, "texts", "~/texts", "file://", "file://data/texts", "file://~/texts"),
    *("s3://", "s3://aws_default@", "gs:///texts", "simplecache::file:///x", "/data/a::b"),
)
NO_IDS = (None, "", "None", ["1"], 5, "a b", "a/b")
MEANINGLESS: dict[str, dict[str, Any]] = {
    "if_exists": {"if_exists": "replace"},
    "review_if_alone": {"review_if": {"word_confidence": 80}},
    "review_destination_alone": {"review_destination": "file:///nowhere"},
    "review_if": {"review_if": {"confidence": 80}, "review_destination": "file:///nowhere"},
    "review_if_entry": {
        "review_if": {"word_confidence": "{{ 80 }}", "failed_pages": "few"},
        "review_destination": "file:///nowhere",
    },
    "delete_after": {"delete_after": "perhaps"},
    "export_format": {"export_format": "nonsense"},
    "name": {"name": "a/b"},
    "name_with_a_chain": {"name": "urn::1"},
    "share_for_per_cent": {
        "review_if": {"word_confidence": 0.8},
        "review_destination": "file:///nowhere",
    },
    "review_in_destination": {
        "destination": "file:///x",
        "review_if": {"word_confidence": 80},
        "review_destination": "/x/",
    },
    **{f"destination {each}": {"destination": each} for each in FOLDERS_THAT_ARE_NONE},
    "review_destination": {"review_if": {"word_confidence": 80}, "review_destination": "texts"},
    **{f"ocr_task_id {each!r}": {"ocr_task_id": each} for each in NO_IDS},
}


MEANINGLESS_ALONE = ("if_exists", "review_destination", "delete_after", "export_format", "name")


@pytest.mark.parametrize("arguments", MEANINGLESS.values(), ids=MEANINGLESS)
def test_a_literal_that_means_nothing_is_an_error_as_the_dag_is_parsed(arguments: dict[str, Any]) -> None:
    given = {"ocr_task_id": "1", "destination": "file:///x", "export_format": "txt", **arguments}
    with pytest.raises(CloudOcrParameterError):
        Operator(task_id="land", **given)


@pytest.mark.parametrize("arguments", MEANINGLESS.values(), ids=MEANINGLESS)
def test_a_literal_that_means_nothing_is_an_error_in_mapped_tasks_too(arguments: dict[str, Any]) -> None:
    given = {"ocr_task_id": "1", "destination": "file:///x", "export_format": "txt", **arguments}
    with pytest.raises(CloudOcrParameterError):
        Operator.partial(task_id="land", cloud_ocr_conn_id="x").expand_kwargs([given])


@pytest.mark.parametrize("arguments", MEANINGLESS.values(), ids=MEANINGLESS)
def test_what_a_template_gives_that_means_nothing_is_an_error_before_anything_is_asked(
    scripted: ScriptedServer, tmp_path: Path, arguments: dict[str, Any]
) -> None:
    given = {"ocr_task_id": SCRIPTED_ID, "destination": f"file://{tmp_path}", "export_format": "txt"}
    operator = Operator(task_id="land", **given)
    for name, value in arguments.items():
        setattr(operator, name, value)
    with pytest.raises(CloudOcrParameterError):
        operator.execute({})
    assert scripted.received == []


def test_blanks_around_an_ocr_tasks_id_are_taken_off(submit: Callable[..., str], tmp_path: Path) -> None:
    ocr_task_id = submit()
    manifest = land(f" {ocr_task_id}\n", tmp_path, name=None)
    assert manifest["ocr_task_id"] == ocr_task_id
    assert _names(tmp_path) == [f"{ocr_task_id}.txt"]


def test_what_only_a_run_knows_is_left_to_it() -> None:
    given = dict.fromkeys(("ocr_task_id", "destination", *MEANINGLESS_ALONE), "{{ params.x }}")
    assert Operator(task_id="land", **given, review_if={"word_confidence": "{{ params.x }}"})
    assert Operator(task_id="land", **given, review_if="{{ params.x }}")


@pytest.mark.parametrize("switch", [True, "True"], ids=["true", "rendered"])
def test_the_ocr_task_is_deleted_once_all_has_landed(
    cloud_ocr: CloudOcrRehearsal, submit: Callable[..., str], tmp_path: Path, switch: bool | str
) -> None:
    ocr_task_id = submit("txt,pdfa")
    land(ocr_task_id, tmp_path, export_format="txt,pdfa", delete_after=switch)
    assert _names(tmp_path) == ["scan.pdf", "scan.txt"]
    assert [task.status for task in cloud_ocr.tasks()] == ["Deleted"]
    assert cloud_ocr.requests()[-1].method == "deleteTask"


@pytest.mark.parametrize("switch", [False, "False"], ids=["false", "rendered"])
def test_the_ocr_task_is_not_deleted_unless_asked(
    cloud_ocr: CloudOcrRehearsal, submit: Callable[..., str], tmp_path: Path, switch: bool | str
) -> None:
    land(submit(), tmp_path, delete_after=switch)
    assert cloud_ocr.requests("deleteTask") == []


def test_the_ocr_task_is_not_deleted_if_a_file_has_not_landed(
    cloud_ocr: CloudOcrRehearsal, submit: Callable[..., str], tmp_path: Path
) -> None:
    ocr_task_id = submit("txt,pdfa")
    cloud_ocr.answer(404, methods=("results",), times=None)
    with pytest.raises(CloudOcrResultError):
        land(ocr_task_id, tmp_path, export_format="txt,pdfa", delete_after=True)
    assert cloud_ocr.requests("deleteTask") == []
    assert [task.status for task in cloud_ocr.tasks()] == ["Completed"]


FAULTS: dict[str, Callable[[CloudOcrRehearsal], None]] = {
    "refused": lambda server: server.answer(450, methods=("deleteTask",)),
    "broken": lambda server: server.break_connection(methods=("deleteTask",)),
    "server_error": lambda server: server.answer(500, methods=("deleteTask",)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_deletion_that_fails_is_a_warning(
    *,
    cloud_ocr: CloudOcrRehearsal,
    submit: Callable[..., str],
    tmp_path: Path,
    said: Callable[[int], list[str]],
    fault: str,
) -> None:
    ocr_task_id = submit()
    FAULTS[fault](cloud_ocr)
    manifest = land(ocr_task_id, tmp_path, delete_after=True)
    assert manifest["files"][0]["size"] == (tmp_path / "scan.txt").stat().st_size
    (warning,) = said(logging.WARNING)
    assert f"OCR task {ocr_task_id} has landed but could not be deleted" in warning


def test_a_retry_after_the_deletion_finds_what_has_landed(submit: Callable[..., str], tmp_path: Path) -> None:
    ocr_task_id, store = submit(), StateStore()
    first = land(ocr_task_id, tmp_path, store=store, delete_after=True)
    assert land(ocr_task_id, tmp_path, store=store, delete_after=True) == first


def _unlink(path: Path) -> None:
    path.unlink()


def _change(path: Path) -> None:
    path.write_bytes(path.read_bytes().swapcase())


@pytest.mark.parametrize("damage", [_unlink, _change], ids=["absent", "changed"])
def test_a_retry_after_the_deletion_fails_if_a_file_is_not_what_landed(
    submit: Callable[..., str], tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    ocr_task_id, store = submit(), StateStore()
    land(ocr_task_id, tmp_path, store=store, delete_after=True)
    damage(tmp_path / "scan.txt")
    with pytest.raises(CloudOcrTaskDeletedError, match=ocr_task_id):
        land(ocr_task_id, tmp_path, store=store, delete_after=True)


def test_a_landing_of_another_ocr_task_takes_nothing_for_its_own(
    submit: Callable[..., str], tmp_path: Path
) -> None:
    store = StateStore()
    land(submit(), tmp_path, store=store, delete_after=True)
    other = submit()
    land(other, tmp_path, delete_after=True)
    with pytest.raises(CloudOcrTaskDeletedError, match=other):
        land(other, tmp_path, store=store, delete_after=True)
