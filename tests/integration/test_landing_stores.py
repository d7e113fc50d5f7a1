# SPDX-License-Identifier: Apache-2.0
"""Files land whole or not at all on a folder, S3, Azure and GCS, whatever breaks, and a retry lands them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_ocr.lifecycle import leftovers
from airflow_provider_ocr.lifecycle.existing import IfExists
from airflow_provider_ocr.lifecycle.publishing import BLOCK_BYTES
from airflow_provider_ocr.testing import APPLICATION_ID, PASSWORD
from tests.landing_faults import BROKEN_OFF, FAULTS, NAME, OLD, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.landing_scene import Scene
    from tests.stores import Store

pytest_plugins = ["tests.stores", "tests.landing_scene"]

_SECONDS = 120.0
# Each store has a block already when it breaks off; before that, a fault has nothing to do with the store.
EVERY_DAY = ("cut_after_90_percent",)


def _breaks_and_then_lands(scene: Scene, fault: Fault, *, read: float) -> None:
    before = scene.store.files()
    scene.host.fault = fault
    with pytest.raises(fault.error) as caught:
        scene.land(read=read)
    assert getattr(caught.value, "ocr_task_id", None) == scene.ocr_task_id
    assert scene.host.faults_shown >= 1
    assert scene.store.files() == before
    assert scene.lands()
    assert scene.store.unfinished_uploads() == []


@pytest.mark.parametrize("fault", EVERY_DAY)
def test_after_a_fault_there_is_no_torso_and_the_retry_lands(scene: Scene, fault: str) -> None:
    _breaks_and_then_lands(scene, FAULTS[fault], read=_SECONDS)


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_after_any_fault_what_was_there_is_there_and_the_retry_replaces_it(
    scene_over_old: Scene, fault: str
) -> None:
    _breaks_and_then_lands(scene_over_old, FAULTS[fault], read=2.0 if FAULTS[fault].stalls else _SECONDS)


# A process of its own, which can be killed. It tells of what it has written.
LANDING = """
import json, sys, fsspec
from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle import publishing
from airflow_provider_ocr.lifecycle.landing import land
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
url, application, password, ocr_task_id, protocol, options, folder = sys.argv[1:]
write_while_reading = publishing.write_while_reading
def telling(pieces, write):
    write_while_reading(pieces, lambda piece: (write(piece), print(len(piece), flush=True)))
publishing.write_while_reading = telling
land(
    client=CloudOcrClient(base_url=url, application_id=application, password=password),
    ocr_task_id=ocr_task_id, export_formats=[ExportFormat("txt")], folder=folder, stem="scan",
    filesystem=fsspec.filesystem(protocol, **json.loads(options)), on_file=lambda file: print("landed"),
)
"""


def test_a_landing_that_is_killed_leaves_no_torso_and_the_retry_lands(
    scene_over_old: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, host, store = scene_over_old, scene_over_old.host, scene_over_old.store
    host.fault = Fault(error=BROKEN_OFF, stalls=True)
    arguments = [host.url, APPLICATION_ID, PASSWORD, scene.ocr_task_id, store.protocol]
    with subprocess.Popen(
        [sys.executable, "-c", LANDING, *arguments, json.dumps(store.options), store.folder],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        written = 0
        for line in process.stdout:
            written += int(line)
            if written > BLOCK_BYTES:
                break
        process.kill()
    assert BLOCK_BYTES < written < len(scene.content)
    found = store.files()
    assert found.pop(NAME) == OLD
    assert [name.endswith(".part") for name in found] == [True] * (store.protocol == "file")
    begun = [f"{store.folder.partition('/')[2]}/{NAME}"] if store.protocol == "s3" else []
    assert store.unfinished_uploads() == begun
    assert scene.lands()
    # Which landing began an upload S3 cannot tell; this one may still be living, and no reader sees it.
    assert store.unfinished_uploads() == begun
    monkeypatch.setattr(leftovers, "_DEAD_AFTER", timedelta(0))
    assert scene.lands()
    assert store.unfinished_uploads() == []


@pytest.mark.parametrize("if_exists", [IfExists.OVERWRITE, IfExists.SKIP_IF_SAME])
def test_two_landings_at_once_leave_one_whole_file(scene: Scene, if_exists: IfExists) -> None:
    scene.host.before_result = threading.Barrier(2, timeout=_SECONDS).wait
    with ThreadPoolExecutor(2) as both:
        landings = [both.submit(scene.land, if_exists=if_exists) for _ in range(2)]
    assert [landing.result().size for landing in landings] == [len(scene.content)] * 2
    assert scene.has_landed()
    assert scene.store.unfinished_uploads() == []


@pytest.mark.parametrize("store", ["s3", "azure"], indirect=True)
def test_credentials_that_are_refused_change_nothing_and_right_ones_land(
    scene_over_old: Scene, wrong_credentials: Callable[[Store], dict[str, Any]]
) -> None:
    scene = scene_over_old
    with pytest.raises(
        OSError, match=r"SignatureDoesNotMatch|signature|AuthenticationFailed|AuthorizationFailure"
    ):
        scene.land(**wrong_credentials(scene.store))
    assert scene.store.files() == {NAME: OLD}
    assert scene.lands()


@pytest.mark.parametrize("store", ["s3", "azure", "gcs"], indirect=True)
def test_a_bucket_that_is_missing_is_an_error_and_is_not_made(scene: Scene) -> None:
    elsewhere = scene.store.in_bucket(f"{scene.store.bucket}-missing")
    with pytest.raises(OSError, match=r"bucket|container|does not exist"):
        scene.land(store=elsewhere)
    assert not scene.store.filesystem().exists(elsewhere.bucket)
    assert scene.lands()
