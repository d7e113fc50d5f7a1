# SPDX-License-Identifier: Apache-2.0
"""An Airflow connection, however it is written, becomes a client; plain errors become Airflow's."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, Connection

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.transport import Timeouts
from airflow_provider_ocr.exceptions import CloudOcrError, CloudOcrParameterError, CloudOcrTaskDeletedError
from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook, airflow_errors, base_url, client_of
from airflow_provider_ocr.protocol import errors

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

CONN_ID = "my_ocr"


def _connection(**fields: Any) -> Connection:
    defaults = {"conn_id": CONN_ID, "conn_type": "cloud_ocr", "login": "app", "password": "pass/word"}
    return Connection(**{**defaults, "host": "https://ocr.example", **fields})


@pytest.fixture
def define(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Defines the connection as an environment variable does, in URI or JSON form."""
    return lambda text: monkeypatch.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", text)


@pytest.mark.parametrize(
    ("host", "scheme", "port", "url"),
    [
        ("cloud-eu.ocrsdk.com", None, None, "https://cloud-eu.ocrsdk.com"),
        ("https://cloud-eu.ocrsdk.com", None, None, "https://cloud-eu.ocrsdk.com"),
        ("https://cloud-eu.ocrsdk.com/", None, None, "https://cloud-eu.ocrsdk.com"),
        ("http://ocr", None, 8080, "http://ocr:8080"),
        ("http://ocr:8080", None, 8081, "http://ocr:8080"),
        ("ocr:8080", "http", None, "http://ocr:8080"),
        ("ocr", "http", 80, "http://ocr:80"),
        ("https://ocr", "http", None, "https://ocr"),
        ("http://ocr/api/v1/", None, 8080, "http://ocr:8080/api/v1"),
        ("127.0.0.1", "http", 8080, "http://127.0.0.1:8080"),
        ("[::1]", "http", 8080, "http://[::1]:8080"),
        ("http://[::1]:9090", None, 8080, "http://[::1]:9090"),
        ("http://[::1]/api", None, None, "http://[::1]/api"),
    ],
)
def test_the_servers_url_comes_from_host_schema_and_port(
    host: str, scheme: str | None, port: int | None, url: str
) -> None:
    assert base_url(host, scheme=scheme, port=port) == url


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        ({"host": None}, "no host."),
        ({"login": ""}, "no login."),
        ({"password": None}, "no password."),
        ({"host": "", "login": None, "password": ""}, "no host and no login and no password."),
    ],
)
def test_fields_that_are_missing_are_named(fields: dict[str, Any], missing: str) -> None:
    with pytest.raises(CloudOcrParameterError) as caught:
        client_of(_connection(**fields))
    assert f"The connection '{CONN_ID}' has {missing}" in str(caught.value)
    assert "pass/word" not in str(caught.value)


def test_a_user_in_the_host_is_refused_and_not_repeated() -> None:
    with pytest.raises(CloudOcrParameterError, match="has a user in its host") as caught:
        client_of(_connection(host="https://somebody:hush@ocr.example"))
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("extra", "seconds"),
    [
        ({}, 20.0),
        ({"timeout": 5}, 5.0),
        ({"timeout": "7.5"}, 7.5),
        ({"timeout": None}, 20.0),
        ({"timeout": ""}, 20.0),
    ],
)
def test_the_time_out_comes_from_the_extra_field(extra: dict[str, Any], seconds: float) -> None:
    with client_of(_connection(extra=json.dumps(extra))) as client:
        assert client.timeouts == Timeouts(read=seconds)


@pytest.mark.parametrize("timeout", ["soon", -1, 0, "0", "nan", "inf", [5], {"read": 5}])
def test_a_time_out_that_makes_no_sense_is_refused(timeout: Any) -> None:
    with pytest.raises(CloudOcrParameterError, match="number of seconds above 0") as caught:
        client_of(_connection(extra=json.dumps({"timeout": timeout})))
    assert CONN_ID in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "cloud-ocr://my%20app:pass%2Fword@127.0.0.1:{port}/http",
        "cloud-ocr://my%20app:pass%2Fword@http%3A%2F%2F127.0.0.1:{port}",
        "cloud-ocr://my%20app:pass%2Fword@127.0.0.1:{port}/http?timeout=5",
        '{{"conn_type": "cloud_ocr", "login": "my app", "password": "pass/word", "host": "{url}"}}',
        '{{"conn_type": "cloud_ocr", "login": "my app", "password": "pass/word", "host": "{url}/", '
        '"extra": {{}}}}',
        '{{"conn_type": "cloud_ocr", "login": "my app", "password": "pass/word", "host": "127.0.0.1", '
        '"schema": "http", "port": {port}, "extra": {{"timeout": 5}}}}',
    ],
)
def test_a_connection_works_in_its_uri_and_its_json_form(
    server: ScriptedServer, define: Callable[[str], None], text: str
) -> None:
    server.reply("listFinishedTasks", b"<response/>")
    define(text.format(port=server.port, url=server.url))
    with CloudOcrHook(CONN_ID).get_conn() as client:
        assert client.list_finished_tasks() == []
    token = server.received[0].headers["Authorization"].partition(" ")[2]
    assert base64.b64decode(token) == b"my app:pass/word"


def test_a_connection_works_in_the_uri_that_airflow_makes_of_it(
    server: ScriptedServer, define: Callable[[str], None]
) -> None:
    server.reply("listFinishedTasks", b"<response/>")
    define(_connection(host=server.url, extra=json.dumps({"timeout": 5})).get_uri())
    with CloudOcrHook(CONN_ID).get_conn() as client:
        assert client.list_finished_tasks() == []
        assert client.timeouts.read == 5.0


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


def test_a_connection_test_asks_something_that_costs_nothing(
    server: ScriptedServer, define: Callable[[str], None]
) -> None:
    server.reply("listFinishedTasks", b"<response/>")
    define(json.dumps({"conn_type": "cloud_ocr", "login": "app", "password": "p", "host": server.url}))
    assert CloudOcrHook(CONN_ID).test_connection() == (
        True,
        f"{server.url} accepts the application ID and the password.",
    )
    assert [received.path for received in server.received] == ["listFinishedTasks"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"password": "SECRET"}, "Check application ID and password."),
        ({"password": ""}, "has no password"),
        ({"password": "SECRET", "extra": {"timeout": "soon"}}, "as timeout"),
    ],
)
def test_a_connection_test_that_fails_says_why_without_secrets(
    server: ScriptedServer, define: Callable[[str], None], fields: dict[str, Any], words: str
) -> None:
    server.refuse("listFinishedTasks", 401, "Unknown application.")
    define(json.dumps({"conn_type": "cloud_ocr", "login": "app", "host": server.url, **fields}))
    accepted, message = CloudOcrHook(CONN_ID).test_connection()
    assert not accepted
    assert words in message
    assert "SECRET" not in message


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
