# SPDX-License-Identifier: Apache-2.0
"""What is wrong before a start is said in one sentence; what is right is handed on to the server."""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_ocr.server.commands.environment import add_flags
from airflow_provider_ocr.server.commands.serve_flags import DEFAULT_ADMIN_ADDRESS, SERVE_FLAGS, TEST_FLAGS
from airflow_provider_ocr.server.commands.serving import serve
from airflow_provider_ocr.server.operations import running
from airflow_provider_ocr.server.operations.command_errors import CommandError
from airflow_provider_ocr.server.operations.serve_options import ServeOptions

LOOPBACK = "127.0.0.1"


class Started(Exception):  # noqa: N818 - what the tests wait for
    """Everything was right; stands for the running server."""

    def __init__(self, **what: object) -> None:
        super().__init__()
        self.what = what


def start(**what: object) -> None:
    raise Started(**what)


@pytest.fixture(autouse=True)
def _leave_the_process_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(running, "run_server", start)
    mask = os.umask(0o022)
    os.umask(mask)
    yield
    os.umask(mask)


def serve_with(data: Path, *arguments: str, **environment: str) -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser, (*SERVE_FLAGS, *TEST_FLAGS))
    beside = () if "--admin-listen" in arguments else ("--admin-listen", "off")
    serve(parser.parse_args(["--data", str(data), "--port", "0", *beside, *arguments]), environment)


def refusal(data: Path, *arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        serve_with(data, *arguments)
    return str(refused.value)


def port_of(listener: object) -> int:
    assert isinstance(listener, socket.socket)
    return int(listener.getsockname()[1])


def test_the_server_gets_its_options_and_sockets_that_listen(tmp_path: Path) -> None:
    with pytest.raises(Started) as started:
        serve_with(tmp_path / "new" / "data", "--admin-listen", "127.0.0.1:0")
    what = started.value.what
    assert what["options"] == ServeOptions(data=tmp_path / "new" / "data")
    assert what["certificate"] is None
    assert {type(what["listener"]), type(what["admin_listener"])} == {socket.socket}
    assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700


def test_the_folder_is_locked_while_the_server_runs_and_free_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def start_another(**_: object) -> None:
        said.append(refusal(tmp_path))

    monkeypatch.setattr(running, "run_server", start_another)
    serve_with(tmp_path)
    serve_with(tmp_path)
    assert said == 2 * [
        f"another server is running on {tmp_path} (process {os.getpid()}); stop it, or name another --data."
    ]


def test_what_the_server_writes_is_for_its_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "run_server", lambda **_: (tmp_path / "written").touch())
    serve_with(tmp_path)
    assert (tmp_path / "written").stat().st_mode & 0o777 == 0o600


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        said = refusal(tmp_path, "--port", str(port_of(taken)))
        assert said == f"127.0.0.1:{port_of(taken)} cannot be listened on: Address already in use."


def test_an_address_that_is_not_this_machines_is_named(tmp_path: Path) -> None:
    assert "192.0.2.1:0 cannot be listened on" in refusal(tmp_path, "--host", "192.0.2.1")
    assert "[2001:db8::1]:0 cannot be listened on" in refusal(tmp_path, "--host", "2001:db8::1")
    assert "host.invalid:0 cannot be listened on" in refusal(tmp_path, "--host", "host.invalid")


def test_a_data_folder_in_use_is_named(tmp_path: Path) -> None:
    with (tmp_path / "server.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = refusal(tmp_path)
    assert f"another server is running on {tmp_path} (process unknown)" in said


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for data in (tmp_path / "file", tmp_path / "file" / "below"):
        assert f"the data folder {data} cannot be used" in refusal(data)


def test_a_certificate_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "server.crt").write_text("no certificate")
    said = refusal(tmp_path / "data", "--tls-cert", str(tmp_path / "server.crt"))
    assert said.startswith(f"--tls-cert: {tmp_path / 'server.crt'} must hold a certificate and its key")


def test_a_chosen_place_for_the_status_page_has_to_be_free(tmp_path: Path) -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        place = f"{LOOPBACK}:{port_of(taken)}"
        assert f"{place} cannot be listened on" in refusal(tmp_path, "--admin-listen", place)


def test_without_its_usual_place_there_is_no_status_page_and_the_server_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    try:
        taken = socket.create_server((DEFAULT_ADMIN_ADDRESS.host, DEFAULT_ADMIN_ADDRESS.port))
    except OSError:
        taken = socket.socket()  # somebody else has taken it
    with taken, pytest.raises(Started) as started:
        serve_with(tmp_path, "--admin-listen", str(DEFAULT_ADMIN_ADDRESS))
    assert started.value.what["admin_listener"] is None
    assert "no status page and no metrics: 127.0.0.1:8096 cannot be listened on" in caplog.text


def test_no_status_page_is_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(Started) as started:
        serve_with(tmp_path)
    assert started.value.what["admin_listener"] is None
    assert caplog.text == ""


def test_a_misspelt_variable_is_warned_of_without_its_value(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Started):
        serve_with(tmp_path, CLOUD_OCR_SERVER_WORKER="canary")
    assert "CLOUD_OCR_SERVER_WORKER is in the environment, but there is no such option" in caplog.text
    assert "canary" not in caplog.text
