# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import pendulum
import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.lifecycle.resuming import is_turn, next_turn, resume
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.testing import CloudOcrRehearsal

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

NOW = pendulum.datetime(2026, 11, 22, 12, 34, 56)
INTERVAL = 600.0
IDS = [f"{number:08x}-6a3c-4a55-9c0e-1d2f3a4b5c6d" for number in range(1, 1001)]
SETTINGS = ProcessingSettings.parse(
    export_format=["txt", "xml"], language="German", correct_skew=False, pdf_password="open", description="x"
)


@pytest.fixture
def client(cloud_ocr: CloudOcrRehearsal) -> Iterator[CloudOcrClient]:
    with CloudOcrHook().get_conn(read_attempts=1) as client:
        yield client


def test_turns_are_half_an_interval_to_one_and_a_half_away() -> None:
    waits = [(next_turn(ocr_task_id, INTERVAL, NOW) - NOW).total_seconds() for ocr_task_id in IDS]
    assert min(waits) > INTERVAL / 2
    assert max(waits) <= INTERVAL * 1.5


def test_turns_come_one_interval_after_the_other_however_late_an_attempt_is() -> None:
    moment, turns = NOW, []
    for late in (0, 1, 299, 0, 0):
        turns.append(next_turn(IDS[0], INTERVAL, moment))
        moment = turns[-1].add(seconds=late)
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(turns)]
    assert gaps == pytest.approx([INTERVAL] * 4, abs=1e-3)


def test_a_thousand_tasks_do_not_come_at_the_same_time() -> None:
    seconds = [int((next_turn(ocr_task_id, INTERVAL, NOW) - NOW).total_seconds()) for ocr_task_id in IDS]
    assert max(map(seconds.count, seconds)) <= 10


def test_who_looks_again_at_a_turn_knows_it_for_one_and_by_the_next_look_it_is_over() -> None:
    for ocr_task_id in IDS[:50]:
        turn = next_turn(ocr_task_id, INTERVAL, NOW)
        assert is_turn(ocr_task_id, INTERVAL, turn.add(seconds=0.001))
        assert is_turn(ocr_task_id, INTERVAL, turn.add(seconds=INTERVAL / 2 - 1))
        assert not is_turn(ocr_task_id, INTERVAL, turn.add(seconds=INTERVAL / 2 + 0.01))
        assert not is_turn(ocr_task_id, INTERVAL, turn.subtract(seconds=1))


def test_a_task_goes_on_with_the_settings_of_its_submission_and_keeps_its_description(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    cloud_ocr.limit_credits(0)
    made = client.process_remote_image(
        "https://nowhere.invalid/a.pdf",
        ProcessingSettings.parse(export_format="txt", description="kept [key]"),
    )
    suspended = wait_for(client, made, "NotEnoughCredits")
    cloud_ocr.top_up(5)
    started = resume(client, suspended, SETTINGS)
    assert isinstance(started, OcrTask)
    wait_for(client, started, "Completed")
    [sent] = cloud_ocr.requests("processDocument")
    sent_settings = {name.lower(): value for name, value in sent.parameters.items()}
    assert sent_settings["exportformat"] == "txt,xml"
    assert (sent_settings["language"], sent_settings["correctskew"]) == ("German", "false")
    assert "pdfpassword" in sent_settings
    assert client.get_task_status(made.id).description == "kept [key]"
    assert cloud_ocr.credits_charged == 5


def test_a_task_that_still_lacks_credits_is_seen_as_it_is(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient
) -> None:
    cloud_ocr.limit_credits(0)
    made = client.process_remote_image("https://nowhere.invalid/a.tif", SETTINGS)
    suspended = wait_for(client, made, "NotEnoughCredits")
    found = resume(client, suspended, SETTINGS)
    assert isinstance(found, OcrTask)
    assert found.status == "NotEnoughCredits"
    assert cloud_ocr.credits_charged == 0


def test_a_refusal_of_a_task_that_goes_on_is_answered_by_another_look(
    cloud_ocr: CloudOcrRehearsal, client: CloudOcrClient, caplog: pytest.LogCaptureFixture
) -> None:
    cloud_ocr.hold("InProgress")
    made = client.process_remote_image("https://nowhere.invalid/a.tif", SETTINGS)
    wait_for(client, made, "InProgress")
    # Somebody else was quicker: it is not the task any more that was seen.
    found = resume(client, made, SETTINGS)
    assert isinstance(found, OcrTask)
    assert found.status == "InProgress"
    assert f"OCR task {made.id} was not started again" in caplog.text


@pytest.mark.parametrize(
    ("status", "words", "error"),
    [
        (503, "busy", errors.ServerError),
        (401, "", errors.AuthenticationError),
        (450, "exportFormat: bad", errors.ParameterRejectedError),
    ],
)
def test_other_trouble_is_what_was_observed(
    server: ScriptedServer, tasks_body: Callable[..., bytes], status: int, words: str, error: type[Exception]
) -> None:
    server.refuse("processDocument", status, words)
    server.reply("getTaskStatus", tasks_body(id=IDS[0], status="NotEnoughCredits"))
    with CloudOcrClient(base_url=server.url, application_id="a", password="b", read_attempts=1) as client:
        assert isinstance(resume(client, OcrTask(id=IDS[0], status="NotEnoughCredits"), SETTINGS), error)
    assert len(server.asked("processDocument")) == 1


def wait_for(client: CloudOcrClient, task: OcrTask, status: str) -> OcrTask:
    deadline = pendulum.now("UTC").add(seconds=60)
    while (found := client.get_task_status(task.id)).status != status:
        assert pendulum.now("UTC") < deadline, found
    return found
