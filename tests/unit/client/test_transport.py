# SPDX-License-Identifier: Apache-2.0
"""Reads are repeated, changes are sent once, and no failure shows a secret."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.client.network import USER_AGENT
from airflow_provider_ocr.client.transport import Transport
from airflow_provider_ocr.protocol import errors

if TYPE_CHECKING:
    from tests.unit.conftest import ScriptedServer

MakeTransport = Callable[..., Transport]
Shown = Callable[[BaseException], str]

SOURCE = "https://images.example/scan.png?sig=QUERYSECRET"
QUERY = {"source": SOURCE, "pdfPassword": "PDFSECRET"}
SECRETS = ("QUERYSECRET", "PDFSECRET", "pass/word", "pass%2Fword")
TROUBLE = {
    "connection dropped": {"cut": 0},
    "answer cut": {"body": b"<response/>", "cut": 4},
    "answer shorter than announced": {"body": b"<response/>", "length": 4000},
    "no answer in time": {"stall": 3.0},
    "429": {"status": 429},
    "500": {"status": 500},
    "503": {"status": 503, "body": b"<html>Service Unavailable</html>"},
    "550": {"status": 550},
}


@pytest.mark.parametrize(
    ("application_id", "password"),
    [("my app", "pass/word"), ("Приложение", "пароль"), ("a", "pä:ß€ " * 20), ("app", "")],
)
def test_application_id_and_password_go_into_basic_authentication(
    server: ScriptedServer, make_transport: MakeTransport, application_id: str, password: str
) -> None:
    server.reply("listTasks", b"<response/>")
    make_transport(application_id=application_id, password=password).read("listTasks", {})
    kind, _, token = server.received[0].headers["Authorization"].partition(" ")
    assert kind == "Basic"
    assert base64.b64decode(token).decode() == f"{application_id}:{password}"


def test_parameters_arrive_as_they_were_given(server: ScriptedServer, make_transport: MakeTransport) -> None:
    server.reply("processRemoteImage", b"<response/>")
    query = {
        "source": SOURCE + "&a=1#f",
        "description": "März & mehr +1%",
        "xml:writeRecognitionVariants": "true",
    }
    make_transport().change("processRemoteImage", query)
    assert server.received[0].query == query
    assert server.received[0].headers["User-Agent"] == USER_AGENT


def test_a_slash_at_the_end_of_the_servers_url_does_no_harm(
    server: ScriptedServer, make_transport: MakeTransport
) -> None:
    server.reply("api/listTasks", b"<response/>")
    assert make_transport(base_url=f"{server.url}/api/").read("listTasks", {}) == b"<response/>"


def test_environment_credentials_do_not_replace_the_connections(
    server: ScriptedServer,
    make_transport: MakeTransport,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login stranger password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.reply("listTasks", b"<response/>")
    make_transport().read("listTasks", {})
    token = server.received[0].headers["Authorization"].partition(" ")[2]
    assert base64.b64decode(token) == b"my app:pass/word"


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_change_is_sent_exactly_once_whatever_happens(
    server: ScriptedServer,
    make_transport: MakeTransport,
    pauses: list[float],
    shown: Shown,
    trouble: str,
) -> None:
    server.reply("processRemoteImage", **TROUBLE[trouble])  # type: ignore[arg-type]  # a table of replies
    with pytest.raises((errors.ConnectionFailedError, errors.ServerError)) as caught:
        make_transport().change("processRemoteImage", QUERY)
    assert (len(server.received), pauses) == (1, [])
    assert str(caught.value).startswith("processRemoteImage")
    assert not any(secret in shown(caught.value) for secret in SECRETS)


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_read_is_repeated_with_growing_pauses_until_it_succeeds(
    server: ScriptedServer, make_transport: MakeTransport, pauses: list[float], trouble: str
) -> None:
    for _ in range(3):
        server.reply("listTasks", **TROUBLE[trouble])  # type: ignore[arg-type]  # a table of replies
    server.reply("listTasks", b"<response/>")
    assert make_transport().read("listTasks", {}) == b"<response/>"
    assert len(server.received) == 4
    first, second, third = pauses
    assert 0.5 <= first <= 1 <= second <= 2 <= third <= 4


@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_read_gives_up_after_its_attempts(
    server: ScriptedServer, make_transport: MakeTransport, pauses: list[float], shown: Shown, trouble: str
) -> None:
    server.reply("getTaskStatus", **TROUBLE[trouble])  # type: ignore[arg-type]  # a table of replies
    with pytest.raises((errors.ConnectionFailedError, errors.ServerError)) as caught:
        make_transport(read_attempts=2).read("getTaskStatus", QUERY)
    assert (len(server.received), len(pauses)) == (2, 1)
    assert not any(secret in shown(caught.value) for secret in SECRETS)


@pytest.mark.parametrize("retry_after", ["7", "0"])
def test_a_read_waits_at_least_as_long_as_the_server_asks(
    server: ScriptedServer, make_transport: MakeTransport, pauses: list[float], retry_after: str
) -> None:
    server.reply("listTasks", status=429, headers={"Retry-After": retry_after})
    server.reply("listTasks", b"<response/>")
    make_transport().read("listTasks", {})
    assert max(0.5, float(retry_after)) <= pauses[0] <= max(1.0, 1.25 * float(retry_after))


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "7"}])
def test_no_two_reads_pause_alike(
    server: ScriptedServer, make_transport: MakeTransport, pauses: list[float], headers: dict[str, str]
) -> None:
    server.reply("listTasks", status=503, headers=headers)
    transport = make_transport(read_attempts=2)
    for _ in range(5):
        with pytest.raises(errors.ServerError):
            transport.read("listTasks", {})
    assert len(set(pauses)) == 5


def test_a_read_that_would_wait_beyond_its_time_is_given_up_at_once(
    server: ScriptedServer, make_transport: MakeTransport, pauses: list[float]
) -> None:
    server.reply("listTasks", status=503, headers={"Retry-After": "3600"})
    with pytest.raises(errors.ServerError):
        make_transport().read("listTasks", {})
    assert (len(server.received), pauses) == (1, [])


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.RequestRejectedError),
        (401, errors.AuthenticationError),
        (403, errors.RequestRejectedError),
        (404, errors.RequestRejectedError),
        (450, errors.RequestRejectedError),
        (500, errors.ServerError),
        (550, errors.ServerError),
        (551, errors.UnsupportedImageError),
    ],
)
def test_an_error_has_its_kind_and_the_servers_words(
    server: ScriptedServer, make_transport: MakeTransport, shown: Shown, status: int, kind: type[Exception]
) -> None:
    server.refuse("processRemoteImage", status, "The quota is exceeded.")
    with pytest.raises(kind) as caught:
        make_transport().change("processRemoteImage", QUERY)
    assert f"HTTP {status}: The quota is exceeded." in str(caught.value)
    assert not isinstance(caught.value, errors.ParameterRejectedError)
    assert not any(secret in shown(caught.value) for secret in SECRETS)


@pytest.mark.parametrize("status", [401, 403, 404, 450, 551])
def test_a_read_that_is_refused_is_not_repeated(
    server: ScriptedServer, make_transport: MakeTransport, status: int
) -> None:
    server.refuse("getTaskStatus", status, "No.")
    with pytest.raises(errors.OcrError):
        make_transport().read("getTaskStatus", {"taskId": "a1"})
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("exportFormat: 'pdf' is unknown", True),
        ("Bad value for EXPORTFORMAT.", True),
        ("The format for export is bad.", False),
        ("imageSource is bad", False),
        ("", False),
        ("source: it cannot be loaded.", True),
        ("Source : no such image", True),
        ("The value of 'source' is no URL", True),
        ('Missing "source".', True),
        ("Invalid parameter: source", True),
        ("The source parameter is bad.", True),
        ("Quota exceeded: too many images from this source are waiting.", False),
        ("The source could not be reached in time.", False),
        ("Resource: none is free.", False),
    ],
)
def test_a_refusal_that_names_a_sent_parameter_is_told_apart(
    server: ScriptedServer, make_transport: MakeTransport, words: str, named: bool
) -> None:
    server.refuse("processRemoteImage", 450, words)
    with pytest.raises(errors.RequestRejectedError) as caught:
        make_transport().change("processRemoteImage", {"source": SOURCE, "exportFormat": "pdf"})
    assert isinstance(caught.value, errors.ParameterRejectedError) is named


@pytest.mark.parametrize("status", [202, 302])
def test_a_status_that_the_api_does_not_use_comes_with_the_servers_words(
    server: ScriptedServer, make_transport: MakeTransport, shown: Shown, status: int
) -> None:
    server.refuse("processRemoteImage", status, f"Later, my app with pass/word and {SOURCE}.")
    with pytest.raises(errors.UnreadableAnswerError) as caught:
        make_transport().change("processRemoteImage", QUERY)
    said = f"HTTP {status}, which the API does not use: Later, my app with *** and https://images.example/"
    assert said in str(caught.value)
    assert not any(secret in shown(caught.value) for secret in SECRETS)


@pytest.mark.parametrize(
    ("method", "body", "kind"),
    [
        ("getApplicationInfo", b"", errors.NotEnabledError),
        ("getApplicationInfo", b"<error><message>Off.</message></error>", errors.NotEnabledError),
        ("getApplicationInfo", b"<html><title>Blocked</title>", errors.ForbiddenByGatewayError),
        ("listTasks", b"", errors.RequestRejectedError),
        ("listTasks", b"<html><title>Blocked</title>", errors.ForbiddenByGatewayError),
    ],
)
def test_403_means_not_enabled_where_the_application_is_asked_for_and_nothing_stands_between(
    server: ScriptedServer, make_transport: MakeTransport, method: str, body: bytes, kind: type[Exception]
) -> None:
    server.reply(method, body, status=403)
    with pytest.raises(kind) as caught:
        make_transport().read(method, {})
    assert type(caught.value) is kind
    assert getattr(caught.value, "http_status", 403) == 403


@pytest.mark.parametrize("body", [b"", b"<error/>", b"\xff\xfe\x00"])
def test_an_error_without_the_servers_words_says_so(
    server: ScriptedServer, make_transport: MakeTransport, body: bytes
) -> None:
    server.reply("listTasks", body, status=401)
    with pytest.raises(errors.AuthenticationError) as caught:
        make_transport().read("listTasks", {})
    assert str(caught.value) == (
        "listTasks was answered with HTTP 401: the server gave no reason. Check application ID and password."
    )


def test_long_words_are_cut(server: ScriptedServer, make_transport: MakeTransport) -> None:
    server.refuse("listTasks", 450, "word " * 5000)
    with pytest.raises(errors.RequestRejectedError) as caught:
        make_transport().read("listTasks", {})
    assert len(str(caught.value)) < 600


def test_the_query_of_a_url_that_the_server_repeats_is_not_shown(
    server: ScriptedServer, make_transport: MakeTransport
) -> None:
    server.refuse("processRemoteImage", 450, f"The image {SOURCE} cannot be loaded.")
    with pytest.raises(errors.RequestRejectedError) as caught:
        make_transport().change("processRemoteImage", QUERY)
    assert "The image https://images.example/scan.png?... cannot be loaded." in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_not_followed(
    server: ScriptedServer, other_server: ScriptedServer, make_transport: MakeTransport, status: int
) -> None:
    server.reply("listTasks", status=status, headers={"Location": f"{other_server.url}/listTasks"})
    with pytest.raises(errors.UnreadableAnswerError, match=f"HTTP {status}"):
        make_transport().read("listTasks", {})
    assert other_server.received == []


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("http://no-such-host.invalid", "the server's name does not resolve"),
        ("http://user:pass%2Fword@127.0.0.1:{closed}", "the server refused the connection"),
    ],
)
def test_a_server_that_cannot_be_reached_is_named_without_credentials(
    make_transport: MakeTransport, shown: Shown, base_url: str, words: str
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = base_url.format(closed=unused.getsockname()[1])
        with pytest.raises(errors.ConnectionFailedError, match=words) as caught:
            make_transport(base_url=address).change("processRemoteImage", QUERY)
    assert f"({address.rpartition('/')[2].rpartition('@')[2]})" in str(caught.value)
    assert not any(secret in shown(caught.value) for secret in SECRETS)


def test_an_answer_that_does_not_come_in_time_says_so(
    server: ScriptedServer, make_transport: MakeTransport
) -> None:
    server.reply("processRemoteImage", stall=3.0)
    with pytest.raises(errors.ConnectionFailedError, match="did not answer in time"):
        make_transport().change("processRemoteImage", QUERY)


def test_a_certificate_that_nobody_vouches_for_is_refused(
    tls_server: ScriptedServer, make_transport: MakeTransport
) -> None:
    with pytest.raises(errors.TlsError, match=r"TLS handshake failed.*self.signed.*CA bundle"):
        make_transport(base_url=tls_server.url).change("listTasks", {})
    assert tls_server.received == []


def test_a_certificate_of_ones_own_ca_bundle_is_trusted(
    tls_server: ScriptedServer, make_transport: MakeTransport, ca_bundle: Path
) -> None:
    tls_server.reply("listTasks", b"<response/>")
    transport = make_transport(base_url=tls_server.url, verify=str(ca_bundle))
    assert transport.read("listTasks", {}) == b"<response/>"


def test_no_query_stands_in_the_log_of_urllib3_at_debug(
    server: ScriptedServer, make_transport: MakeTransport, caplog: pytest.LogCaptureFixture
) -> None:
    server.reply("processRemoteImage", b"<response/>")
    with caplog.at_level("DEBUG", logger="urllib3.connectionpool"):
        make_transport().change("processRemoteImage", QUERY)
    assert "GET /processRemoteImage?..." in caplog.text
    assert not any(secret in caplog.text for secret in SECRETS)
