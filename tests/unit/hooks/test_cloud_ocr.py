# SPDX-License-Identifier: Apache-2.0
"""An Airflow connection, however it is written, becomes a client; plain errors become Airflow's."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, BaseHook, Connection, redact

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.exceptions import CloudOcrError, CloudOcrTaskDeletedError
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook, airflow_errors, client_of, masked_fields
from airflow_provider_ocr.hooks.connection_form import FIELDS, form_behaviour
from airflow_provider_ocr.protocol import errors
from demo.processes import clean_environment

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

CONN_ID = "my_ocr"
DOCS = Path(__file__).resolve().parents[3] / "docs"


def _connection(**fields: Any) -> Connection:
    defaults = {"conn_id": CONN_ID, "conn_type": "cloud_ocr", "login": "app", "password": "pass/word"}
    return Connection(**{**defaults, "host": "https://ocr.example", **fields})


def _filled_in(value: Any, port: int) -> Any:
    if value == "{port}":
        return port
    return value.replace("{port}", str(port)) if isinstance(value, str) else value


def credentials_at(server: ScriptedServer) -> str:
    """Application ID and password as they reach the server over the connection."""
    server.reply("listFinishedTasks", b"<response/>")
    with CloudOcrHook(CONN_ID).get_conn() as client:
        assert client.list_finished_tasks() == []
    token = server.received[0].headers["Authorization"].partition(" ")[2]
    return base64.b64decode(token).decode()


@pytest.fixture
def define(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Defines the connection as an environment variable does, in URI or JSON form."""
    return lambda text: monkeypatch.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", text)


def uri(login: str, password: str, rest: str) -> str:
    """A connection as a URI, as the documentation says how to write one."""
    return f"cloud-ocr://{quote(login, safe='')}:{quote(password, safe='')}@{rest}"


@pytest.mark.parametrize(
    "password", ["plain", "p@ss:wo/rd %?#&=+", "ünïcode ❤", '"quoted" {json} \\ ', "%2F"]
)
@pytest.mark.parametrize(
    "rest",
    [
        "127.0.0.1:{port}/http",
        "http%3A%2F%2F127.0.0.1:{port}",
        "127.0.0.1:{port}/http?timeout=5&location=own-server",
        "127.0.0.1:{port}/http?__extra__=%7B%22timeout%22%3A+5%2C+%22proxy%22%3A+null%7D",
    ],
)
def test_a_connection_works_as_a_uri(
    server: ScriptedServer, define: Callable[[str], None], password: str, rest: str
) -> None:
    define(uri("my app@home", password, rest.format(port=server.port)))
    assert credentials_at(server) == f"my app@home:{password}"


@pytest.mark.parametrize(
    "password", ["plain", "p@ss:wo/rd %?#&=+", "ünïcode ❤", '"quoted" {json} \\ ', "%2F"]
)
@pytest.mark.parametrize(
    "more",
    [
        {"host": "http://127.0.0.1:{port}"},
        {"host": "http://127.0.0.1:{port}/", "extra": {}},
        {"host": "127.0.0.1", "schema": "http", "port": "{port}", "extra": {"timeout": 5}},
        {"host": "http://127.0.0.1:{port}", "extra": '{"timeout": 5, "location": "own-server"}'},
    ],
)
def test_a_connection_works_as_json(
    server: ScriptedServer, define: Callable[[str], None], password: str, more: dict[str, Any]
) -> None:
    more = {name: _filled_in(value, server.port) for name, value in more.items()}
    define(json.dumps({"conn_type": "cloud_ocr", "login": "my app@home", "password": password, **more}))
    assert credentials_at(server) == f"my app@home:{password}"


@pytest.mark.parametrize(
    "text",
    [
        "cloud-ocr://app:p%40ss@/?location=cloud-eu",
        "cloud-ocr://app:p%40ss@?location=cloud-eu",
        "cloud-ocr://app:p%40ss@?__extra__=%7B%22location%22%3A%20%22cloud-eu%22%7D",
        "cloud-ocr://app:p%40ss@cloud-eu.ocrsdk.com",
        '{"conn_type": "cloud_ocr", "login": "app", "password": "p@ss", "extra": {"location": "cloud-eu"}}',
    ],
)
def test_a_location_of_the_cloud_works_in_each_form(define: Callable[[str], None], text: str) -> None:
    define(text)
    with CloudOcrHook(CONN_ID).get_conn() as client:
        assert client.base_url == "https://cloud-eu.ocrsdk.com"


@pytest.mark.parametrize(
    "extra", [{}, {"timeout": 5, "location": "own-server"}, {"timeout": None, "location": None, "proxy": ""}]
)
def test_a_connection_works_in_the_uri_that_airflow_makes_of_it(
    server: ScriptedServer, define: Callable[[str], None], extra: dict[str, Any]
) -> None:
    define(_connection(host=server.url, extra=json.dumps(extra)).get_uri())
    assert credentials_at(server) == "app:pass/word"


EXAMPLES = re.findall(r"^    AIRFLOW_CONN_(\w+)='(.*)'$", (DOCS / "connection.md").read_text(), re.MULTILINE)


@pytest.mark.parametrize(("name", "text"), EXAMPLES)
def test_the_examples_of_the_documentation_are_what_they_say(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{name}", text)
    fields = masked_fields(CloudOcrHook.get_connection(name.lower()))
    urls = {"CLOUD_OCR_DEFAULT": "https://cloud-eu.ocrsdk.com", "OWN_OCR": "http://ocr.internal:8095"}
    assert (fields.application_id, fields.password) == ("my-app", "p@ss:w/rd")
    assert fields.base_url == urls[name]
    assert fields.timeout == (30 if "timeout" in text else 20)


def test_the_documentation_names_every_field_of_the_form() -> None:
    text = (DOCS / "connection.md").read_text()
    assert len(EXAMPLES) == 5
    for field in FIELDS:
        assert f"| extra `{field.name}` | {field.label} |" in text
    for label in form_behaviour()["relabeling"].values():
        assert f"| {label} |" in text


def test_a_secrets_backend_is_asked(tmp_path: Path) -> None:
    # A process of its own: Airflow keeps a backend for as long as a process lives.
    held = {
        "as_json": {
            "conn_type": "cloud_ocr",
            "login": "a",
            "password": "b",
            "extra": {"location": "cloud-eu"},
        },
        "as_uri": "cloud-ocr://a:b@127.0.0.1:8095/http?timeout=5",
    }
    (tmp_path / "connections.json").write_text(json.dumps(held))
    show = (
        "from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook\n"
        "for conn_id in ('as_json', 'as_uri'):\n"
        "    print(CloudOcrHook(conn_id).get_conn().base_url)"
    )
    arguments = json.dumps({"connections_file_path": str(tmp_path / "connections.json")})
    environment = {
        **clean_environment(),
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": arguments,
    }
    command = [sys.executable, "-c", show]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=True)
    assert done.stdout.split()[-2:] == ["https://cloud-eu.ocrsdk.com", "http://127.0.0.1:8095"]


def test_a_ca_bundle_in_the_extra_field_is_trusted(tls_server: ScriptedServer, ca_bundle: Path) -> None:
    tls_server.reply("deleteTask", b'<response><task id="a1" status="Deleted"/></response>')
    extra = json.dumps({"ca_bundle": str(ca_bundle)})
    with client_of(_connection(host=tls_server.url, extra=extra)) as client:
        assert client.delete_task("a1").status == "Deleted"


@pytest.mark.parametrize("extra", ["", "{}", '{"ca_bundle": null}', '{"ca_bundle": ""}', '{"verify": false}'])
def test_without_a_ca_bundle_certificates_are_verified(tls_server: ScriptedServer, extra: str) -> None:
    with (
        client_of(_connection(host=tls_server.url, extra=extra)) as client,
        pytest.raises(errors.ConnectionFailedError, match="TLS"),
    ):
        client.delete_task("a1")
    assert tls_server.received == []


def test_in_a_trigger_a_call_is_tried_once(server: ScriptedServer, define: Callable[[str], None]) -> None:
    define(json.dumps({"conn_type": "cloud_ocr", "host": server.url, "login": "a", "password": "p"}))
    server.reply("getTaskStatus", status=503)
    client = asyncio.run(CloudOcrHook(CONN_ID).aget_conn())
    with pytest.raises(errors.ServerError):
        client.get_task_status("0f4d2a86-6a3c-4a55-9c0e-1d2f3a4b5c6d")
    assert len(server.asked("getTaskStatus")) == 1


def test_a_trigger_gets_the_same_client(server: ScriptedServer, define: Callable[[str], None]) -> None:
    server.reply("listFinishedTasks", b"<response/>")
    define(json.dumps({"conn_type": "cloud_ocr", "login": "app", "password": "p", "host": server.url}))

    async def scenario() -> CloudOcrClient:
        return await CloudOcrHook(CONN_ID).aget_conn()

    with asyncio.run(scenario()) as client:
        assert client.list_finished_tasks() == []


def test_the_time_out_of_the_connection_is_the_clients(define: Callable[[str], None]) -> None:
    define("cloud-ocr://a:b@ocr.example?timeout=7.5")
    with CloudOcrHook(CONN_ID).get_conn() as client:
        assert client.timeouts.read == 7.5


def test_a_proxy_of_the_connection_is_used(server: ScriptedServer) -> None:
    server.reply("listFinishedTasks", b"<response/>")
    extra = json.dumps({"proxy": server.url.replace("://", "://me:hush-hush@")})
    with client_of(_connection(host="http://ocr.example", extra=extra)) as client:
        assert client.list_finished_tasks() == []
    [received] = server.received
    assert received.headers["Host"] == "ocr.example"
    assert base64.b64decode(received.headers["Proxy-Authorization"].split()[1]) == b"me:hush-hush"


@pytest.mark.parametrize("written", ["hush%40hush", "hush-hush"])
def test_the_proxys_password_is_masked_however_it_is_spelt(written: str) -> None:
    extra = json.dumps({"proxy": f"http://me:{written}@proxy.example"})
    client_of(_connection(extra=extra)).close()
    for spelling in (written, unquote(written)):
        assert redact(f"it is {spelling} now") == "it is *** now"


def test_in_a_trigger_the_proxys_password_is_masked_as_well(define: Callable[[str], None]) -> None:
    define("cloud-ocr://a:b@ocr.example?proxy=http%3A%2F%2Fme%3Atrigger-hush%40proxy.example")
    asyncio.run(CloudOcrHook(CONN_ID).aget_conn()).close()
    assert redact("it is trigger-hush now") == "it is *** now"


def test_in_a_trigger_nothing_is_looked_up_or_loaded_on_the_event_loop(
    server: ScriptedServer, define: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    define(f"cloud-ocr://a:b@127.0.0.1:{server.port}/http?proxy=")

    def forbidden(*given: Any, **more: Any) -> Any:
        raise AssertionError("A synchronous look-up on an event loop deadlocks Airflow's triggerer.")

    def made_elsewhere(**given: Any) -> CloudOcrClient:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return CloudOcrClient(**given)

    monkeypatch.setattr(BaseHook, "get_connection", forbidden)
    monkeypatch.setattr(Connection, "extra_dejson", property(forbidden))
    monkeypatch.setattr("airflow_provider_ocr.client.client.CloudOcrClient", made_elsewhere)
    with asyncio.run(CloudOcrHook(CONN_ID).aget_conn()) as client:
        assert client.base_url == server.url


def test_a_hook_that_looks_connections_up_its_own_way_is_asked_in_a_trigger_too() -> None:
    class OwnHook(CloudOcrHook):
        @classmethod
        async def aget_connection(cls, conn_id: str) -> Connection:
            return _connection(host="https://own.example")

    with asyncio.run(OwnHook(CONN_ID).aget_conn()) as client:
        assert client.base_url == "https://own.example"


def test_the_default_connection_has_the_providers_name() -> None:
    assert CloudOcrHook().cloud_ocr_conn_id == "cloud_ocr_default"


def test_a_plain_error_becomes_airflows_without_a_chain(shown: Callable[[BaseException], str]) -> None:
    plain = errors.TaskDeletedError("It is gone.", ocr_task_id="a1")
    plain.__cause__ = ValueError("https://a.example/b?sig=SECRET")
    with pytest.raises(CloudOcrTaskDeletedError) as caught, airflow_errors():
        raise plain
    assert isinstance(caught.value, AirflowFailException)
    assert (str(caught.value), caught.value.ocr_task_id) == ("It is gone.", "a1")
    assert "SECRET" not in shown(caught.value)


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(KeyError), airflow_errors():
        raise KeyError("x")


def test_airflows_own_errors_are_all_cloud_ocr_errors() -> None:
    with pytest.raises(CloudOcrError), airflow_errors():
        raise errors.OcrError("Anything.")
