# SPDX-License-Identifier: Apache-2.0
"""Nothing secret stands in a log record at DEBUG, in a repr, or in what a server makes us say."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.client.log_filter import filter_urllib3
from airflow_provider_ocr.client.network import Network, Timeouts
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.settings import ProcessingSettings

if TYPE_CHECKING:
    from tests.unit.client.conftest import Conversation, RawServer
    from tests.unit.conftest import ScriptedServer

Listen = Callable[[Callable[["Conversation"], None]], "RawServer"]
Shown = Callable[[BaseException], str]

PASSWORD = "APP/SECRET word"
PDF_PASSWORD = "PDF/SECRET word"
SOURCE = "https://us-er:USERSECRET@images.example/scan.png?X-Amz-Signature=SIGSECRET&b=QUERYSECRET"
SETTINGS = ProcessingSettings.parse(export_format="txt", pdf_password=PDF_PASSWORD)
_BASIC = base64.b64encode(f"app:{PASSWORD}".encode()).decode()
SECRETS = ("APP/SECRET", "APP%2FSECRET", "PDF/SECRET", "PDF%2FSECRET", "USERSECRET", "SIGSECRET",
    "QUERYSECRET", "PROXYSECRET", "RESULTSECRET", _BASIC)  # fmt: skip


def _assert_clean(text: str) -> None:
    assert [secret for secret in SECRETS if secret in text] == []


@pytest.fixture
def connect() -> Iterator[Callable[..., CloudOcrClient]]:
    made = []

    def make(base_url: str, **given: object) -> CloudOcrClient:
        timeouts = Timeouts(connect=2.0, read=0.3)
        given = {"application_id": "app", "password": PASSWORD, "timeouts": timeouts, **given}
        made.append(CloudOcrClient(base_url=base_url, **given))  # type: ignore[arg-type]  # given by tests
        return made[-1]

    yield make
    for client in made:
        client.close()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], str]]:
    """All that was logged at DEBUG: messages, arguments, and whatever else a record carries."""
    with caplog.at_level(logging.DEBUG):
        yield lambda: "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)


def test_urllib3_at_debug_logs_calls_without_their_queries(
    server: ScriptedServer,
    connect: Callable[..., CloudOcrClient],
    tasks_body: Callable[..., bytes],
    logged: Callable[[], str],
) -> None:
    server.reply("processRemoteImage", tasks_body(id="a1", status="Submitted"))
    server.reply("files/a1", b"text")
    client = connect(server.url)
    client.process_remote_image(SOURCE, SETTINGS)
    list(client.download_result(f"{server.url}/files/a1?sig=RESULTSECRET"))
    assert "GET /processRemoteImage?..." in logged()
    assert "GET /files/a1?..." in logged()
    _assert_clean(logged())


@pytest.mark.parametrize("base_url", ["http://ocr.example", "https://ocr.example"])
@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /b?sig=RESULTSECRET\r\n\r\n",
    ],
    ids=["nothing", "bad headers", "redirect"],
)
def test_urllib3_at_debug_logs_no_secret_through_a_proxy_and_in_trouble(
    *,
    listen: Listen,
    connect: Callable[..., CloudOcrClient],
    logged: Callable[[], str],
    shown: Shown,
    base_url: str,
    said: bytes,
) -> None:
    def talk(conversation: Conversation) -> None:
        conversation.hear()
        conversation.say(said)

    proxy = listen(talk).url.replace("//", "//u:PROXYSECRET@")
    with pytest.raises(errors.OcrError) as caught:
        connect(base_url, proxy=proxy).process_remote_image(SOURCE, SETTINGS)
    assert "urllib3" in logged()
    _assert_clean(logged() + shown(caught.value))


def test_asyncio_in_its_debug_mode_logs_no_secret(
    server: ScriptedServer, connect: Callable[..., CloudOcrClient], logged: Callable[[], str]
) -> None:
    server.reply("getTaskStatus", stall=0.2)
    client = connect(server.url)

    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.slow_callback_duration = 0.001
        loop.call_soon(lambda: client.base_url and asyncio.sleep(0).close())
        with pytest.raises(errors.OcrError):
            await asyncio.to_thread(client.get_task_status, "a1")

    asyncio.run(scenario())
    assert "asyncio" in logged()
    _assert_clean(logged())


def test_the_filter_is_there_once_for_each_logger() -> None:
    filter_urllib3()
    filter_urllib3()
    for name in ("connection", "connectionpool", "poolmanager", "response", "util.retry"):
        kinds = [type(item).__name__ for item in logging.getLogger(f"urllib3.{name}").filters]
        assert kinds.count("_NoSecrets") == 1


def test_no_repr_shows_a_secret(connect: Callable[..., CloudOcrClient]) -> None:
    proxy = "http://u:PROXYSECRET@proxy.example"
    client = connect("https://us-er:USERSECRET@ocr.example/x?y=QUERYSECRET", proxy=proxy)
    network = Network(proxy=proxy)
    assert repr(client) == "<CloudOcrClient of <Transport to ocr.example>>"
    parts = [*vars(client).values(), *vars(client._transport).values(), *vars(client._downloader).values()]
    shown = [repr(part) for part in parts if not isinstance(part, str)]
    _assert_clean(" ".join([repr(client), repr(network), *shown]))


ECHOES = {
    "the URL": SOURCE,
    "its query": "X-Amz-Signature=SIGSECRET&b=QUERYSECRET is bad",
    "its user": "us-er:USERSECRET is bad",
    "the password of the PDF": f"{PDF_PASSWORD} does not open it",
    "that password encoded": "pdfPassword=PDF%2FSECRET%20word does not open it",
    "that password encoded as a form": "pdfPassword=PDF%2FSECRET+word does not open it",
    "the application's password": f"who are you, {PASSWORD}?",
}


@pytest.mark.parametrize("status", [401, 403, 407, 450, 503, 551])
def test_what_a_server_repeats_of_the_request_is_not_repeated_to_the_user(
    server: ScriptedServer, connect: Callable[..., CloudOcrClient], shown: Shown, status: int
) -> None:
    client = connect(server.url)
    for echo, words in ECHOES.items():
        server.forget("processRemoteImage")
        server.refuse("processRemoteImage", status, f"See {echo}: {words}".replace("&", "&amp;"))
        with pytest.raises(errors.OcrError, match=f"HTTP {status}: See {echo}") as caught:
            client.process_remote_image(SOURCE, SETTINGS)
        _assert_clean(shown(caught.value))


def test_a_short_password_is_masked_as_a_word_only(
    server: ScriptedServer, connect: Callable[..., CloudOcrClient]
) -> None:
    settings = ProcessingSettings.parse(export_format="txt", pdf_password="a")
    server.refuse("processRemoteImage", 450, "The password 'a' is not that of an archive.")
    with pytest.raises(errors.RequestRejectedError) as caught:
        connect(server.url).process_remote_image("http://[x?sig=SIGSECRET", settings)
    assert "The password '***' is not that of an archive." in str(caught.value)


def test_the_password_of_a_pdf_that_is_added_to_a_task_is_masked(
    server: ScriptedServer, connect: Callable[..., CloudOcrClient], shown: Shown
) -> None:
    server.refuse("submitImage", 450, f"pdfPassword: {PDF_PASSWORD} does not open it.")
    with pytest.raises(errors.ParameterRejectedError, match=r"pdfPassword: \*\*\* does not") as caught:
        connect(server.url).submit_image(b"image", pdf_password=PDF_PASSWORD)
    _assert_clean(shown(caught.value))


def test_a_redirect_names_where_it_leads_without_a_query(
    server: ScriptedServer, connect: Callable[..., CloudOcrClient]
) -> None:
    target = f"https://sign-in.example/start?return={SOURCE}"
    server.reply("listTasks", status=302, headers={"Location": target})
    with pytest.raises(errors.UnreadableAnswerError) as caught:
        connect(server.url).list_tasks()
    assert "HTTP 302, which the API does not use. It leads to https://sign-in.example/start?..." in str(
        caught.value
    )
    _assert_clean(str(caught.value))


@pytest.mark.parametrize("words", ["one\x1b[31m two\u202ethree\r\nfour\x00", "x" * 100_000])
def test_words_become_one_line_of_bounded_length_without_control_characters(
    server: ScriptedServer, connect: Callable[..., CloudOcrClient], words: str
) -> None:
    body = json.dumps({"error": {"code": "x", "message": words}}).encode()
    xml = "".join(char for char in words if char.isprintable() or char == "\u202e")
    for answer in (body, f"<error><message>{xml}</message></error>".encode()):
        server.forget("listTasks")
        server.reply("listTasks", answer, status=450)
        with pytest.raises(errors.RequestRejectedError) as caught:
            connect(server.url).list_tasks()
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) < 600


def test_a_download_that_fails_shows_no_signature(
    server: ScriptedServer, connect: Callable[..., CloudOcrClient], shown: Shown
) -> None:
    signature = "?sig=RESULTSECRET"
    server.reply("files/a1", b"gone", status=302, headers={"Location": f"http://[x{signature}"})
    with pytest.raises(errors.OcrError) as caught:
        list(connect(server.url).download_result(f"{server.url}/files/a1{signature}", ocr_task_id="a1"))
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert caught.value.ocr_task_id == "a1"
    _assert_clean(shown(caught.value))
