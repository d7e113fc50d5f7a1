# SPDX-License-Identifier: Apache-2.0
"""`languages` against a mirror of its own, which has files of the right name."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from airflow_provider_ocr.server.commands.command_line import main
from airflow_provider_ocr.server.operations.languages import tessdata_folders
from airflow_provider_ocr.server.recognition import official_data
from airflow_provider_ocr.server.recognition.tessdata import gather_tessdata

MIRRORED = {"pol.traineddata": b"Polish", "ces.traineddata": b"no Czech"}


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a mirror that has Polish as it should be, and Czech that is something else."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    for name, content in MIRRORED.items():
        (folder / name).write_bytes(content)
    monkeypatch.setitem(official_data.SHA256, "pol", hashlib.sha256(b"Polish").hexdigest())
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(folder))
    ) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def languages(*arguments: str, data: Path) -> int:
    return main(["languages", arguments[0], "--data", str(data), *arguments[1:]])


def test_a_language_is_added_and_read_from_then_on(
    tmp_path: Path, mirror: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    assert languages("add", "polish", "--mirror", mirror, data=data) == 0
    path = data / "languages" / "pol.traineddata"
    assert capsys.readouterr().out == f"Polish: {path}\n"
    assert path.read_bytes() == b"Polish"
    assert "Polish" in gather_tessdata(data / "tessdata", more=tessdata_folders(data, None)).languages


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Czech", "is not the official data for Czech: its SHA-256 is"),
        ("Danish", "the data for Danish could not be brought from"),
        ("Zulu", "no data is known that reads Zulu."),
    ],
)
def test_what_is_not_the_official_data_is_not_added(
    tmp_path: Path, mirror: str, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    data = tmp_path / "data"
    assert languages("add", name, "--mirror", mirror, data=data) == 1
    assert said in capsys.readouterr().err
    assert not [path for path in data.rglob("*") if path.is_file()]


def test_a_language_that_there_is_none_of_is_a_mistake_of_the_caller(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        languages("add", "Polsh", data=tmp_path)
    assert ended.value.code == 2
    assert "Polish" in capsys.readouterr().err


def test_the_list_has_what_can_be_read_and_with_all_the_rest(
    tmp_path: Path, mirror: str, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "dan.traineddata").write_bytes(b"")
    assert languages("add", "Polish", "--mirror", mirror, data=tmp_path) == 0
    capsys.readouterr()
    assert languages("list", "--tessdata", str(own), "--output", "json", data=tmp_path) == 0
    listed = {row["language"]: row for row in json.loads(capsys.readouterr().out)}
    assert {"English", "German", "Polish", "Danish"} <= listed.keys()
    assert listed["Danish"] == {"language": "Danish", "code": "dan", "data": str(own / "dan.traineddata")}
    assert "Zulu" not in listed
    assert languages("list", "--all", "--output", "json", data=tmp_path) == 0
    everything = {row["language"]: row for row in json.loads(capsys.readouterr().out)}
    assert everything["Zulu"] == {"language": "Zulu", "code": None, "data": None}


def test_every_language_with_a_code_has_a_checksum() -> None:
    from airflow_provider_ocr.protocol.languages import LANGUAGES, tesseract_codes

    codes = {code for code in tesseract_codes(LANGUAGES) if code is not None}
    assert codes <= official_data.SHA256.keys()
    assert all(len(checksum) == 64 for checksum in official_data.SHA256.values())
