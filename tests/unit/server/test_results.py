# SPDX-License-Identifier: Apache-2.0
"""A signed URL opens one file for ten hours and nothing else; results are there whole, or not at all."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pendulum
import pytest

from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.results import ResultFiles

NOW = pendulum.datetime(2026, 11, 22, 12)
TASK = "0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4"
OTHER = "1b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4"


@pytest.fixture
def files(tmp_path: Path) -> ResultFiles:
    return ResultFiles(tmp_path)


def keep(files: ResultFiles, task: str, text: str = "image", number: int = 1) -> None:
    with files.incoming() as image:
        image.write_text(text)
        files.keep(image, task, number)


def signed(files: ResultFiles, position: int = 1) -> tuple[str, str]:
    """Expiry time and signature of a URL made at noon."""
    query = parse_qs(urlsplit(files.signed_path(TASK, position, now=NOW)).query)
    return query["expires"][0], query["signature"][0]


def opens(
    files: ResultFiles,
    expires: str,
    signature: str,
    *,
    task: str = TASK,
    position: str = "1",
    hours: float = 0,
) -> bool:
    now = NOW.add(seconds=int(hours * 3600))
    return files.is_valid(task, position, expires=expires, signature=signature, now=now)


def test_a_signed_path_names_task_and_position(files: ResultFiles) -> None:
    assert urlsplit(files.signed_path(TASK, 2, now=NOW)).path == f"/results/{TASK}/2"


@pytest.mark.parametrize(
    ("hours", "expected"), [(0, True), (9.99, True), (10, True), (10.001, False), (999, False)]
)
def test_a_signature_is_good_for_ten_hours(files: ResultFiles, hours: float, expected: bool) -> None:
    assert opens(files, *signed(files), hours=hours) is expected


def test_a_signature_opens_no_other_task_and_no_other_position(files: ResultFiles) -> None:
    expires, signature = signed(files)
    assert opens(files, expires, signature)
    assert not opens(files, expires, signature, task=OTHER)
    assert not opens(files, expires, signature, task=TASK.upper())
    for position in ("2", "0", "-1", "01", "1.0", "", "x", "9" * 5000):
        assert not opens(files, expires, signature, position=position)


@pytest.mark.parametrize(
    "expires", ["", "0", "-1", "later", "1e99", "\u0661", "9" * 10, "9" * 5000, "1795384800 "]
)
def test_the_expiry_time_cannot_be_changed(files: ResultFiles, expires: str) -> None:
    assert not opens(files, expires, signed(files)[1])


def test_a_changed_signature_opens_nothing(files: ResultFiles) -> None:
    expires, signature = signed(files)
    changed = [signature[:-1], signature + "0", signature.upper(), "", "\xe9", "\ufffd", "0" * 64]
    for place in range(0, 64, 9):
        other = "1" if signature[place] == "0" else "0"
        changed.append(signature[:place] + other + signature[place + 1 :])
    assert not any(opens(files, expires, text) for text in changed)


def test_signatures_are_good_after_a_restart_and_on_no_other_server(tmp_path: Path) -> None:
    expires, signature = signed(ResultFiles(tmp_path / "a"))
    assert opens(ResultFiles(tmp_path / "a"), expires, signature)
    assert not opens(ResultFiles(tmp_path / "b"), expires, signature)


def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    ResultFiles(tmp_path)
    key = tmp_path / "url.key"
    assert key.stat().st_mode & 0o077 == 0
    assert len(key.read_bytes()) == 32


def test_a_key_that_a_crash_left_empty_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "url.key").touch()
    ResultFiles(tmp_path)
    assert len((tmp_path / "url.key").read_bytes()) == 32


def test_published_files_are_results_and_work_no_more(files: ResultFiles, tmp_path: Path) -> None:
    work = files.new_work_folder(TASK)
    (work / "result1.txt").write_text("text")
    (work / "result2.pdf").write_text("pdf")
    assert not files.result(TASK, 1, ExportFormat.TXT).exists()
    files.publish(TASK)
    assert files.result(TASK, 1, ExportFormat.TXT).read_text() == "text"
    assert files.result(TASK, 2, ExportFormat.PDF_SEARCHABLE).read_text() == "pdf"
    assert list((tmp_path / "work").iterdir()) == []


def test_publishing_again_replaces_all_that_was_there(files: ResultFiles) -> None:
    for name in ("result1.txt", "result2.pdf"):
        (files.new_work_folder(TASK) / name).write_text(name)
        files.publish(TASK)
    assert not files.result(TASK, 1, ExportFormat.TXT).exists()
    assert files.result(TASK, 2, ExportFormat.PDF_SEARCHABLE).exists()


def test_a_new_work_folder_has_nothing_of_an_earlier_attempt(files: ResultFiles) -> None:
    (files.new_work_folder(TASK) / "result1.txt").touch()
    work = files.new_work_folder(TASK)
    assert list(work.iterdir()) == []
    files.discard_work(TASK)
    assert not work.exists()


def test_deleting_removes_everything_of_the_task_and_nothing_else(files: ResultFiles, tmp_path: Path) -> None:
    for task in (TASK, OTHER):
        keep(files, task)
        keep(files, task, number=2)
        (files.new_work_folder(task) / "result1.txt").touch()
        files.publish(task)
        files.new_work_folder(task)
    files.delete(TASK)
    left = {path for path in tmp_path.rglob("*") if TASK in str(path)}
    assert left == set()
    assert files.image(OTHER).exists()
    assert files.result(OTHER, 1, ExportFormat.TXT).exists()
    files.delete(TASK)


def test_what_a_stopped_server_left_half_done_is_cleared_and_nothing_else(
    files: ResultFiles, tmp_path: Path
) -> None:
    (files.new_work_folder(TASK) / "pages").mkdir()
    for task in (TASK, OTHER):
        keep(files, task)
        (files.new_work_folder(task) / "result1.txt").touch()
        files.publish(task)
    (tmp_path / "incoming" / "x").write_text("ima")
    (tmp_path / "images" / "stray").write_text("ima")
    files.new_work_folder(OTHER)
    files.clear_up({TASK})
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {"url.key", f"images/{TASK}/1", f"results/{TASK}/result1.txt"}
    assert list((tmp_path / "work").iterdir()) == []


def test_an_image_is_whole_where_it_is_kept_and_gone_where_it_came_in(
    files: ResultFiles, tmp_path: Path
) -> None:
    keep(files, TASK, "first")
    keep(files, TASK, "second", number=2)
    keep(files, TASK, "second again", number=2)
    assert [files.image(TASK, number).read_text() for number in (1, 2)] == ["first", "second again"]
    assert list((tmp_path / "incoming").iterdir()) == []


def test_an_image_is_forced_to_disk_before_it_bears_its_name(
    files: ResultFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    forced: list[tuple[str, bool]] = []

    def note(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        forced.append((name, files.image(TASK).exists()))

    monkeypatch.setattr("airflow_provider_ocr.server.results.os.fsync", note)
    with files.incoming() as image:
        image.write_text("image")
        files.keep(image, TASK)
        assert forced == [(image.name, False), (TASK, True), ("images", True)]


def test_what_came_in_and_was_not_kept_is_gone(files: ResultFiles, tmp_path: Path) -> None:
    with files.incoming() as image:
        image.write_text("ima")
    with files.incoming():
        pass
    assert list((tmp_path / "incoming").iterdir()) == []


@pytest.mark.parametrize(("seconds", "expected"), [(-1, False), (0, False), (1, True)])
def test_a_url_tells_whether_it_is_older_than_a_time(
    files: ResultFiles, seconds: int, expected: bool
) -> None:
    assert files.was_signed_before(NOW.add(seconds=seconds), expires=signed(files)[0]) is expected
