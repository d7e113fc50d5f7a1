# SPDX-License-Identifier: Apache-2.0
"""Files are there for good once a task may be told of them, and none is left of what nobody is told of.

Every test runs on the data folder, on another folder and on an S3 store.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.files.storage import open_storage

pytest_plugins = ["tests.object_store"]

TASK = "0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4"
OTHER = "1b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4"
CANARY = "canary-of-the-page"
Stored = Callable[[], set[str]]


@pytest.fixture
def new_files(storage_url: str | None, tmp_path: Path) -> Callable[..., ResultFiles]:
    """Opens the files as one server does; with another name, as another server on the same storage."""

    def open_files(name: str = "data") -> ResultFiles:
        storage = None if storage_url is None else open_storage(storage_url)
        return ResultFiles(tmp_path / name, storage=storage)

    return open_files


@pytest.fixture
def files(new_files: Callable[..., ResultFiles]) -> ResultFiles:
    return new_files()


@pytest.fixture
def other_files(new_files: Callable[..., ResultFiles], storage_url: str | None) -> ResultFiles:
    """Another server's on the same storage; where that is the data folder, those of the server restarted."""
    return new_files("other data" if storage_url else "data")


def keep(files: ResultFiles, task: str = TASK, text: str = CANARY, number: int = 1) -> None:
    with files.incoming() as image:
        image.write_text(text)
        files.keep(image, task, number)


def keep_page(files: ResultFiles, name: str = "1", task: str = TASK) -> Path:
    folder = files.pages_folder(task, "settings")
    (folder / name).write_text(f"{CANARY} {name}")
    files.keep_pages(task, "settings")
    return folder


def publish(files: ResultFiles, run: str = "r1", task: str = TASK, name: str = "result1.txt") -> None:
    (files.new_run(task, run) / name).write_text(f"{CANARY} {run}")
    files.publish(task, run)


def read(files: ResultFiles, run: str = "r1", task: str = TASK, position: int = 1) -> str:
    export_format = ExportFormat.TXT if position == 1 else ExportFormat.PDF_SEARCHABLE
    with files.open_result(task, run, position, export_format) as result:
        return result.read(0, result.size).decode()


def local(tmp_path: Path, *folders: str) -> set[str]:
    """All that lies in folders of the data folder."""
    return {
        str(path.relative_to(tmp_path / "data"))
        for name in folders or ("incoming", "work")
        for path in (tmp_path / "data" / name).rglob("*")
    }


def test_an_image_is_whole_where_it_is_kept_and_gone_where_it_came_in(
    files: ResultFiles, stored: Stored, tmp_path: Path
) -> None:
    keep(files, text="first")
    keep(files, text="second", number=2)
    keep(files, text="second again", number=2)
    with files.local_images(TASK, 2) as images:
        assert [image.read_text() for image in images] == ["first", "second again"]
    assert stored() == {f"images/{TASK}/1", f"images/{TASK}/2"}
    assert local(tmp_path) == set()


def test_what_came_in_and_was_not_kept_is_gone(files: ResultFiles, tmp_path: Path) -> None:
    with files.incoming() as image:
        image.write_text("ima")
    with files.incoming():
        pass
    assert local(tmp_path) == set()


def test_images_are_local_only_as_long_as_they_are_used(files: ResultFiles, tmp_path: Path) -> None:
    keep(files)

    def fail() -> None:
        with files.local_images(TASK, 1) as (image,), files.local_images(TASK, 1) as (same,):
            assert image.read_text() == same.read_text() == CANARY
            raise RuntimeError("the child died")

    with pytest.raises(RuntimeError, match="the child died"):
        fail()
    assert local(tmp_path) == set()
    with files.local_images(TASK, 1) as (image,):
        assert image.read_text() == CANARY


def test_an_image_that_is_not_there_leaves_no_copies_of_the_others(
    files: ResultFiles, tmp_path: Path
) -> None:
    keep(files)
    with pytest.raises(FileNotFoundError, match=f"images/{TASK}/2"), files.local_images(TASK, 2):
        pytest.fail("it was given all the same")
    assert local(tmp_path) == set()


def test_pages_that_were_kept_are_there_on_another_server(
    files: ResultFiles, other_files: ResultFiles, stored: Stored
) -> None:
    keep_page(files, "1")
    keep_page(files, "2")
    folder = other_files.pages_folder(TASK, "settings")
    assert {page.name: page.read_text() for page in folder.iterdir()} == {
        "1": f"{CANARY} 1",
        "2": f"{CANARY} 2",
    }
    keep_page(other_files, "3")
    assert stored() == {f"pages/{TASK}/settings/{name}" for name in "123"}
    assert list(other_files.pages_folder(TASK, "other-settings").iterdir()) == []


def test_pages_added_elsewhere_come_to_those_that_are_here(
    files: ResultFiles, other_files: ResultFiles
) -> None:
    keep_page(files, "1")
    keep_page(other_files, "2")
    assert {page.name for page in files.pages_folder(TASK, "settings").iterdir()} == {"1", "2"}


def test_unfinished_pages_and_what_are_no_pages_are_not_kept(
    files: ResultFiles, storage_url: str | None, tmp_path: Path
) -> None:
    folder = files.pages_folder(TASK, "settings")
    (tmp_path / "secret").write_text("secret")
    (folder / "1").write_text("page")
    (folder / ".2").write_text("pa")
    (folder / "3").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "4")
    files.keep_pages(TASK, "settings")
    storage = open_storage(storage_url or str(tmp_path / "data"))
    assert storage.files(f"pages/{TASK}/settings") == {"1": 4}


def test_a_page_whose_upload_was_cut_off_is_kept_again(s3_url: str, tmp_path: Path) -> None:
    storage = open_storage(s3_url)
    files = ResultFiles(tmp_path / "data", storage=storage)
    keep_page(files)
    (tmp_path / "cut").write_text("can")
    storage.put({f"pages/{TASK}/settings/1": tmp_path / "cut"})
    files.keep_pages(TASK, "settings")
    assert storage.files(f"pages/{TASK}/settings") == {"1": len(f"{CANARY} 1")}


def test_released_pages_are_still_kept_and_leave_no_copies(
    files: ResultFiles, stored: Stored, tmp_path: Path
) -> None:
    keep_page(files)
    run = files.new_run(TASK, "r1")
    files.release(TASK)
    assert run.is_dir()
    files.discard_run(TASK, "r1")
    assert local(tmp_path) == set()
    assert stored() == {f"pages/{TASK}/settings/1"}
    assert [page.name for page in files.pages_folder(TASK, "settings").iterdir()] == ["1"]


def test_the_files_of_a_published_run_are_its_results(
    files: ResultFiles, stored: Stored, tmp_path: Path
) -> None:
    run = files.new_run(TASK, "r1")
    (run / "result1.txt").write_text("text")
    (run / "result2.pdf").write_text("pdf")
    with pytest.raises(FileNotFoundError):
        read(files)
    files.publish(TASK, "r1")
    assert [read(files), read(files, position=2)] == ["text", "pdf"]
    assert stored() == {f"results/{TASK}/r1/result1.txt", f"results/{TASK}/r1/result2.pdf"}
    assert local(tmp_path) == set()


def test_a_run_replaces_another_only_when_it_is_named(files: ResultFiles) -> None:
    publish(files, "r1", name="result2.pdf")
    publish(files, "r2")
    assert read(files, "r1", position=2).endswith("r1")
    files.drop_other_runs(TASK, "r2")
    assert read(files, "r2").endswith("r2")
    with pytest.raises(FileNotFoundError):
        read(files, "r1", position=2)
    with pytest.raises(FileNotFoundError):
        read(files, "r2", position=2)


def test_a_run_that_came_after_a_run_is_not_dropped_with_those_before_it(
    files: ResultFiles, stored: Stored
) -> None:
    publish(files, "r1")
    publish(files, "r2")
    # The database names r2; before this worker goes on, another one has done the task again.
    publish(files, "r3")
    files.drop_other_runs(TASK, "r2")
    assert stored() == {f"results/{TASK}/{run}/result1.txt" for run in ("r2", "r3")}
    files.drop_other_runs(TASK, "r3")
    assert stored() == {f"results/{TASK}/r3/result1.txt"}
    files.drop_other_runs(TASK, "r3")
    assert read(files, "r3")


@pytest.mark.parametrize("published", [False, True])
def test_a_run_of_a_lost_lease_is_removed_and_the_named_one_stays(
    published: bool, files: ResultFiles, stored: Stored, tmp_path: Path
) -> None:
    publish(files, "r1")
    if published:
        publish(files, "lost")
    else:
        (files.new_run(TASK, "lost") / "result1.txt").write_text(CANARY)
    files.discard_run(TASK, "lost")
    files.discard_run(TASK, "lost")
    assert stored() == {f"results/{TASK}/r1/result1.txt"}
    assert local(tmp_path) == set()


def test_links_in_a_run_folder_are_no_results(files: ResultFiles, stored: Stored, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    run = files.new_run(TASK, "r1")
    (run / "result1.txt").symlink_to(tmp_path / "secret")
    (run / "result2.pdf").write_text("pdf")
    (run / "odd\nname").write_text("odd")
    files.publish(TASK, "r1")
    assert stored() == {f"results/{TASK}/r1/result2.pdf"}
    with pytest.raises(FileNotFoundError):
        read(files)
    assert (tmp_path / "secret").exists()


def test_no_id_leads_out_of_the_storage(files: ResultFiles) -> None:
    uses: tuple[Callable[[str], object], ...] = (
        lambda bad: files.open_result(TASK, bad, 1, ExportFormat.TXT),
        lambda bad: files.new_run(TASK, bad),
        lambda bad: files.pages_folder(bad, "settings"),
        files.delete,
        lambda bad: files.discard_run(TASK, bad),
    )
    for bad in ("..", "", f"../{TASK}", ".hidden", "a b"):
        for use in uses:
            with pytest.raises(ValueError, match="is not a key"):
                use(bad)


def fill(files: ResultFiles, task: str) -> None:
    """Everything that a task can have at once."""
    keep(files, task)
    keep(files, task, number=2)
    keep_page(files, task=task)
    publish(files, task=task)
    (files.new_run(task, "r2") / "result1.txt").write_text(CANARY)


def test_deleting_removes_everything_of_the_task_and_nothing_else(
    files: ResultFiles, stored: Stored, tmp_path: Path
) -> None:
    fill(files, TASK)
    fill(files, OTHER)
    keys = stored()
    files.delete(TASK)
    assert stored() == {key for key in keys if OTHER in key}
    assert len(stored()) == 4
    assert [path for path in tmp_path.rglob("*") if TASK in str(path)] == []
    assert read(files, task=OTHER)
    files.delete(OTHER)
    files.delete(OTHER)
    assert stored() == set()
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in left if CANARY in path.read_text(errors="replace")] == []
    assert [path for path in tmp_path.rglob("*") if OTHER in str(path)] == []


def test_without_its_images_a_task_has_no_pages_either_and_still_its_results(
    files: ResultFiles, stored: Stored, tmp_path: Path
) -> None:
    keep(files)
    keep_page(files)
    publish(files)
    files.delete_images(TASK)
    assert stored() == {f"results/{TASK}/r1/result1.txt"}
    assert local(tmp_path) == set()
    assert read(files)


def test_what_a_stopped_server_left_half_done_is_cleared_and_nothing_else(
    files: ResultFiles, new_files: Callable[..., ResultFiles], stored: Stored, tmp_path: Path
) -> None:
    for task in (TASK, OTHER):
        fill(files, task)
        publish(files, "half", task=task)
    keep(files, "unnamed")
    publish(files, task="unfinished")
    keep(files, "unfinished")
    (tmp_path / "data/incoming/x").write_text("ima")
    assert files.owners() == {TASK, OTHER, "unnamed", "unfinished"}
    restarted = new_files()
    restarted.clear_up(runs={TASK: "r1", "unfinished": None}, everything_else=True)
    assert stored() == {
        *(f"images/{TASK}/{number}" for number in "12"),
        f"pages/{TASK}/settings/1",
        f"results/{TASK}/r1/result1.txt",
        "images/unfinished/1",
    }
    assert local(tmp_path) == set()


def test_beside_another_server_only_what_is_local_is_cleared(
    files: ResultFiles, new_files: Callable[..., ResultFiles], stored: Stored, tmp_path: Path
) -> None:
    fill(files, OTHER)
    keys = stored()
    (tmp_path / "data/incoming/x").write_text("ima")
    new_files().clear_up(runs={}, everything_else=False)
    assert stored() == keys
    assert local(tmp_path) == set()


def test_what_is_no_tasks_is_cleared_from_a_folder(tmp_path: Path) -> None:
    files = ResultFiles(tmp_path)
    keep(files)
    (tmp_path / "images/stray").write_text("ima")
    (tmp_path / f"images/.{TASK}").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "results/link").symlink_to(tmp_path)
    files.clear_up(runs={TASK: None}, everything_else=True)
    assert [path.name for path in (tmp_path / "images").iterdir()] == [TASK]
    assert list((tmp_path / "results").iterdir()) == []


def test_a_crash_of_the_system_loses_no_page_that_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, forced = ResultFiles(tmp_path), set()
    folder = files.pages_folder(TASK, "settings")
    (folder / "1").write_text("page")
    monkeypatch.setattr(
        "airflow_provider_ocr.server.files.storage.os.fsync",
        lambda descriptor: forced.add(Path(f"/proc/self/fd/{descriptor}").readlink()),
    )
    files.keep_pages(TASK, "settings")
    assert forced == {folder / "1", folder, folder.parent, tmp_path / "pages", tmp_path}


_TASKS_BEFORE_KILL = 2
WORK = """
import json, os, sys, uuid
from pathlib import Path
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.files.storage import open_storage
import fsspec.config

folder, url, options = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
fsspec.config.conf["s3"] = options
files = ResultFiles(folder, storage=open_storage(url) if url else None)
rows = os.open(folder.parent / "rows", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

def note(*row):
    os.write(rows, (json.dumps(row) + "\\n").encode())

while True:
    task = uuid.uuid4().hex
    with files.incoming() as image:
        image.write_text("image of " + task)
        files.keep(image, task)
    note(task, "held", None)
    with files.local_images(task, 1):
        pages = files.pages_folder(task, "settings")
        (pages / "1").write_text("page of " + task)
        files.keep_pages(task, "settings")
    for run in ("run-1", "run-2"):
        (files.new_run(task, run) / "result1.txt").write_text(run + " of " + task)
        files.publish(task, run)
        note(task, "held", run)
        files.drop_other_runs(task, run)
    (files.new_run(task, "run-3") / "result1.txt").write_text("lost")
    files.publish(task, "run-3")
    files.discard_run(task, "run-3")
    files.release(task)
    if task < "8":
        note(task, "deleted", None)
        files.delete(task)
    print("a task is done", flush=True)
"""


def test_whenever_a_server_is_killed_all_that_a_row_names_is_whole_and_nothing_else_is_left(
    new_files: Callable[..., ResultFiles],
    stored: Stored,
    storage_url: str | None,
    s3_options: dict[str, str],
    tmp_path: Path,
) -> None:
    moments = random.Random(3)
    (tmp_path / "data").mkdir()
    command = [
        sys.executable,
        "-c",
        WORK,
        str(tmp_path / "data"),
        storage_url or "",
        json.dumps(s3_options),
    ]
    kills = 3 if storage_url and storage_url.startswith("s3:") else 8
    for _ in range(kills):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            for _ in range(_TASKS_BEFORE_KILL):
                assert server.stdout.readline() == "a task is done\n"
            time.sleep(moments.uniform(0, 0.2))
            server.send_signal(signal.SIGKILL)
    last: dict[str, Any] = {}
    for line in (tmp_path / "rows").read_text().splitlines():
        task, state, run = json.loads(line)
        last[task] = (state, run)
    runs = {task: run for task, (state, run) in last.items() if state == "held"}
    assert len(last) >= kills * _TASKS_BEFORE_KILL
    files = new_files()
    files.clear_up(runs=runs, everything_else=True)
    assert local(tmp_path) == set()
    expected = {f"images/{task}/1" for task in runs}
    expected |= {f"results/{task}/{run}/result1.txt" for task, run in runs.items() if run}
    assert {key for key in stored() if not key.startswith("pages/")} == expected
    for task, run in runs.items():
        with files.local_images(task, 1) as (image,):
            assert image.read_text() == f"image of {task}"
        if run:
            assert read(files, run, task) == f"{run} of {task}"
            (page,) = files.pages_folder(task, "settings").iterdir()
            assert page.read_text() == f"page of {task}"
