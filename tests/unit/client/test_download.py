# SPDX-License-Identifier: Apache-2.0
"""A result file arrives whole, byte for byte, or not at all, and its host gets none of our credentials."""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_ocr.client.download import CHUNK_BYTES, Downloader
from airflow_provider_ocr.client.network import Network, Timeouts
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.vocabulary import ExportFormat

if TYPE_CHECKING:
    from tests.unit.client.conftest import Conversation, RawServer
    from tests.unit.conftest import ScriptedServer

Listen = Callable[[Callable[["Conversation"], None]], "RawServer"]

CHUNK = CHUNK_BYTES
CONTENT = random.Random(7).randbytes(5 * CHUNK + 1000)
LENGTH = len(CONTENT)
PATH = "files/a1.result"
IMPATIENT = Network(timeouts=Timeouts(connect=2.0, read=0.3))


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def downloader(pauses: list[float]) -> Iterator[Downloader]:
    downloader = Downloader(network=IMPATIENT, sleep=pauses.append)
    yield downloader
    downloader.close()


@pytest.fixture
def url(server: ScriptedServer) -> str:
    return f"{server.url}/{PATH}?sv=1&sig=SECRET"


def _rest(start: int, *, end: int = LENGTH, total: int | str = LENGTH, **more: str) -> dict[str, Any]:
    """The reply to a range request."""
    content_range = f"bytes {start}-{end - 1}/{total}"
    return {"status": 206, "body": CONTENT[start:end], "headers": {"Content-Range": content_range, **more}}


def test_a_file_arrives_in_one_go(
    server: ScriptedServer, downloader: Downloader, url: str, pauses: list[float]
) -> None:
    server.reply(PATH, CONTENT)
    assert b"".join(downloader.stream(url)) == CONTENT
    assert (len(server.received), pauses) == (1, [])
    assert server.received[0].query == {"sv": "1", "sig": "SECRET"}


def test_a_text_in_which_nothing_was_read_has_the_three_bytes_of_its_mark(
    server: ScriptedServer, downloader: Downloader, url: str
) -> None:
    server.reply(PATH, b"\xef\xbb\xbf")
    assert b"".join(downloader.stream(url)) == b"\xef\xbb\xbf"


@pytest.mark.parametrize("export_format", ExportFormat)
def test_an_empty_file_is_a_text_or_nothing(
    server: ScriptedServer, downloader: Downloader, url: str, export_format: ExportFormat
) -> None:
    server.reply(PATH, b"")
    media_type = export_format.file_type.media_type
    if media_type.startswith("text/plain"):
        assert b"".join(downloader.stream(url, media_type=media_type)) == b""
    else:
        with pytest.raises(errors.ResultIntegrityError, match="is empty"):
            list(downloader.stream(url, media_type=media_type))


def test_a_big_file_comes_in_pieces_of_bounded_size(
    server: ScriptedServer, downloader: Downloader, url: str
) -> None:
    server.reply(PATH, bytes(3 * CHUNK_BYTES + 1))
    pieces = [len(piece) for piece in downloader.stream(url)]
    assert (max(pieces), sum(pieces)) == (CHUNK_BYTES, 3 * CHUNK_BYTES + 1)


def test_nothing_is_compressed_on_the_way(server: ScriptedServer, downloader: Downloader, url: str) -> None:
    server.reply(PATH, CONTENT)
    list(downloader.stream(url))
    assert server.received[0].headers["Accept-Encoding"] == "identity"


@pytest.fixture
def _netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials for the loopback, as requests would take them by itself."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login stranger password other\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))


@pytest.mark.usefixtures("_netrc")
def test_the_result_host_gets_no_credentials(
    server: ScriptedServer, downloader: Downloader, url: str
) -> None:
    server.reply(PATH, CONTENT)
    list(downloader.stream(url))
    assert server.received[0].headers["Authorization"] is None


@pytest.mark.usefixtures("_netrc")
def test_a_host_that_the_result_host_redirects_to_gets_no_credentials_either(
    server: ScriptedServer, other_server: ScriptedServer, downloader: Downloader, url: str
) -> None:
    server.reply(PATH, status=302, headers={"Location": f"{other_server.url}/elsewhere"})
    other_server.reply("elsewhere", CONTENT)
    assert b"".join(downloader.stream(url)) == CONTENT
    assert other_server.received[0].headers["Authorization"] is None


def test_a_redirect_may_be_relative_and_is_asked_anew_for_the_rest(
    server: ScriptedServer, downloader: Downloader, url: str
) -> None:
    server.reply(PATH, status=307, headers={"Location": "../other/a2?sig=OTHER"})
    server.reply("other/a2", CONTENT, cut=CHUNK)
    server.reply("other/a2", **_rest(CHUNK))
    assert b"".join(downloader.stream(url)) == CONTENT
    asked = [(received.path, received.headers["Range"]) for received in server.received]
    rest = f"bytes={CHUNK}-"
    assert asked == [(PATH, None), ("other/a2", None), (PATH, rest), ("other/a2", rest)]


def test_redirects_without_end_are_given_up(server: ScriptedServer, url: str) -> None:
    server.reply(PATH, status=302, headers={"Location": f"/{PATH}"})
    downloader = Downloader(network=IMPATIENT, attempts=1)
    with pytest.raises(errors.ConnectionFailedError, match="leads from one URL to the next without end"):
        list(downloader.stream(url))
    downloader.close()
    assert len(server.received) == 5


@pytest.mark.parametrize("target", ["http://[x", "ftp://files.example/a", "file:///etc/passwd"])
def test_a_redirect_to_what_cannot_be_called_is_an_error_at_once(
    server: ScriptedServer, downloader: Downloader, url: str, pauses: list[float], target: str
) -> None:
    server.reply(PATH, status=302, headers={"Location": target})
    with pytest.raises(errors.ConnectFailedError):
        list(downloader.stream(url))
    assert (len(server.received), pauses) == (1, [])


def test_a_proxy_that_wants_other_credentials_is_named_as_the_one_who_does(
    server: ScriptedServer, downloader: Downloader, url: str
) -> None:
    server.reply(PATH, status=407)
    with pytest.raises(errors.ProxyFailedError, match="the proxy wants other credentials"):
        list(downloader.stream(url))


def test_a_result_host_is_waited_for_as_long_as_it_asks(
    server: ScriptedServer, downloader: Downloader, url: str, pauses: list[float]
) -> None:
    server.reply(PATH, status=429, headers={"Retry-After": "7"})
    server.reply(PATH, status=503, headers={"Retry-After": "3600"})
    with pytest.raises(errors.ServerError, match="HTTP 503"):
        list(downloader.stream(url))
    (pause,) = pauses
    assert 7 <= pause <= 1.25 * 7


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "7"}])
def test_no_two_downloads_pause_alike(
    server: ScriptedServer, url: str, pauses: list[float], headers: dict[str, str]
) -> None:
    server.reply(PATH, status=503, headers=headers)
    downloader = Downloader(network=IMPATIENT, attempts=2, sleep=pauses.append)
    for _ in range(5):
        with pytest.raises(errors.ServerError):
            list(downloader.stream(url))
    downloader.close()
    assert len(set(pauses)) == 5


def test_a_host_that_sends_the_rest_by_and_by_is_asked_until_it_is_all_there(
    server: ScriptedServer, downloader: Downloader, url: str
) -> None:
    server.reply(PATH, CONTENT, cut=CHUNK)
    server.reply(PATH, **_rest(CHUNK, end=2 * CHUNK))
    server.reply(PATH, **_rest(2 * CHUNK))
    assert b"".join(downloader.stream(url)) == CONTENT
    assert len(server.received) == 3


@pytest.mark.parametrize(
    ("announced", "fits"),
    [
        ("text/plain; charset=utf-8", True),
        ("Text/Plain", True),
        ("application/octet-stream", True),
        ("application/pdf", False),
        ("text/xml", False),
    ],
)
def test_a_file_that_is_announced_as_another_format_is_refused(
    server: ScriptedServer, downloader: Downloader, url: str, announced: str, fits: bool
) -> None:
    server.reply(PATH, CONTENT, headers={"Content-Type": announced})
    pieces = downloader.stream(url, media_type="text/plain; charset=utf-8")
    if fits:
        assert b"".join(pieces) == CONTENT
    else:
        with pytest.raises(
            errors.ResultIntegrityError, match=f"is {announced} where text/plain was expected"
        ):
            next(pieces)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _talking(*pieces: bytes, drip: bytes = b"") -> Callable[[Conversation], None]:
    def talk(conversation: Conversation) -> None:
        conversation.hear()
        conversation.say(*pieces)
        if drip:
            conversation.drip(drip)

    return talk


def test_a_file_may_come_in_chunks(listen: Listen, downloader: Downloader) -> None:
    said = b"%x\r\n%b\r\n" % (LENGTH, CONTENT)
    server = listen(_talking(CHUNKED, said, b"0\r\n\r\n"))
    pieces = list(downloader.stream(server.url))
    assert b"".join(pieces) == CONTENT
    assert max(map(len, pieces)) <= CHUNK


def test_a_file_of_which_nobody_tells_where_it_ends_is_refused(
    listen: Listen, downloader: Downloader
) -> None:
    server = listen(_talking(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", CONTENT[:400]))
    with pytest.raises(errors.ResultIntegrityError, match="does not tell how long"):
        list(downloader.stream(server.url))


@pytest.mark.parametrize(
    "end", [b"", b"5\r\nabc", b"zz\r\n"], ids=["no last chunk", "half a chunk", "no number"]
)
def test_a_file_in_chunks_that_breaks_off_is_no_file(listen: Listen, end: bytes) -> None:
    server = listen(_talking(CHUNKED, b"3\r\nabc\r\n", end))
    downloader = Downloader(network=IMPATIENT, attempts=1)
    with pytest.raises(errors.ConnectionFailedError, match="broke off"):
        list(downloader.stream(server.url))
    downloader.close()


@pytest.mark.parametrize(
    "talk",
    [
        _talking(b"HTTP/1.1 200 OK\r\n", drip=b"X: y\r\n"),
        _talking(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", drip=b"x"),
        _talking(CHUNKED, drip=b"1\r\nx\r\n"),
    ],
    ids=["headers", "body", "chunks"],
)
def test_a_result_host_that_drips_is_cut(listen: Listen, talk: Callable[[Conversation], None]) -> None:
    hurry = Network(timeouts=Timeouts(connect=5.0, read=5.0, total=0.4))
    downloader = Downloader(network=hurry, attempts=1)
    started = time.monotonic()
    with pytest.raises(errors.ConnectionFailedError, match="did not answer within the time"):
        list(downloader.stream(listen(talk).url))
    assert time.monotonic() - started < 4.0
    downloader.close()


def test_who_takes_a_file_slowly_has_all_the_time(server: ScriptedServer, url: str) -> None:
    server.reply(PATH, CONTENT)
    hurry = Network(timeouts=Timeouts(connect=5.0, read=5.0, total=0.3))
    downloader = Downloader(network=hurry, attempts=1)
    received = b""
    for piece in downloader.stream(url):
        received += piece
        time.sleep(0.05)
    assert received == CONTENT
    assert len(server.received) == 1
    downloader.close()


def test_a_chunk_of_negative_length_is_no_way_to_flood_the_memory(
    listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_ocr.client.download._MOST_BYTES", 1_000_000)
    server = listen(_talking(CHUNKED, b"-1\r\n", drip=b"x" * 200_000))
    downloader = Downloader(network=Network(timeouts=Timeouts(connect=5.0, read=5.0)), attempts=1)
    with pytest.raises(errors.UnreadableAnswerError, match="far longer"):
        list(downloader.stream(server.url))
    downloader.close()


def test_a_broken_download_goes_on_where_it_broke(
    server: ScriptedServer, downloader: Downloader, url: str, pauses: list[float]
) -> None:
    server.reply(PATH, CONTENT, cut=CHUNK + 100, headers={"ETag": '"v1"'})
    server.reply(PATH, **_rest(CHUNK + 100, ETag='"v1"'), cut=2 * CHUNK)
    server.reply(PATH, **_rest(3 * CHUNK + 100))
    assert b"".join(downloader.stream(url)) == CONTENT
    ranges = [(request.headers["Range"], request.headers["If-Range"]) for request in server.received]
    assert ranges == [
        (None, None),
        (f"bytes={CHUNK + 100}-", '"v1"'),
        (f"bytes={3 * CHUNK + 100}-", '"v1"'),
    ]
    assert len(pauses) == 2


def test_a_weak_entity_tag_is_no_condition_of_the_rest_but_has_to_stay(
    server: ScriptedServer, downloader: Downloader, url: str
) -> None:
    server.reply(PATH, CONTENT, cut=CHUNK, headers={"ETag": 'W/"v1"'})
    server.reply(PATH, **_rest(CHUNK, ETag='W/"v1"'), cut=CHUNK)
    server.reply(PATH, **_rest(2 * CHUNK, ETag='W/"v2"'))
    with pytest.raises(errors.ResultIntegrityError, match="changed while"):
        list(downloader.stream(url))
    assert [request.headers["If-Range"] for request in server.received] == [None, None, None]


def test_a_server_that_claims_too_much_is_asked_for_the_rest_and_then_given_up(
    server: ScriptedServer, downloader: Downloader, url: str, pauses: list[float]
) -> None:
    server.reply(PATH, CONTENT, length=LENGTH + 50)
    server.reply(PATH, **_rest(LENGTH, total=LENGTH + 50), length=50)
    with pytest.raises(errors.ConnectionFailedError, match=f"broke off after {LENGTH} bytes"):
        list(downloader.stream(url))
    assert (len(server.received), len(pauses)) == (4, 3)


def test_nothing_beyond_the_announced_length_is_taken(
    server: ScriptedServer, downloader: Downloader, url: str
) -> None:
    server.reply(PATH, CONTENT, length=LENGTH - 50)
    server.reply(PATH, b"next")
    assert b"".join(downloader.stream(url)) == CONTENT[:-50]
    assert b"".join(downloader.stream(url)) == b"next"


@pytest.mark.parametrize(
    "second",
    [
        {"body": CONTENT, "headers": {"ETag": '"v2"'}},
        {"body": CONTENT},
        _rest(CHUNK, total=LENGTH + 1),
        _rest(CHUNK - 1),
        _rest(CHUNK, ETag='"v2"'),
        {"status": 206, "body": CONTENT[CHUNK:]},
        {
            "status": 206,
            "body": CONTENT[CHUNK:],
            "headers": {"Content-Range": f"pages {CHUNK}-{LENGTH - 1}/{LENGTH}"},
        },
        _rest(CHUNK, total="*"),
    ],
    ids=[
        "new file",
        "no ranges",
        "other length",
        "other start",
        "other tag",
        "no range",
        "pages",
        "no total",
    ],
)
def test_a_file_that_changed_or_cannot_be_resumed_is_not_pieced_together(
    server: ScriptedServer, downloader: Downloader, url: str, second: dict[str, Any]
) -> None:
    server.reply(PATH, CONTENT, cut=CHUNK, headers={"ETag": '"v1"'})
    server.reply(PATH, **second)
    with pytest.raises(errors.ResultIntegrityError):
        list(downloader.stream(url))


def test_a_compressed_answer_is_never_taken_for_the_file(
    server: ScriptedServer, downloader: Downloader, url: str
) -> None:
    server.reply(PATH, gzip.compress(CONTENT), headers={"Content-Encoding": "gzip"})
    with pytest.raises(errors.ResultIntegrityError, match="compresses a file"):
        list(downloader.stream(url))


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_an_expired_url_is_said_to_be_expired_at_once(
    server: ScriptedServer, downloader: Downloader, url: str, status: int
) -> None:
    server.reply(PATH, b"<Error>SECRET</Error>", status=status)
    with pytest.raises(errors.ResultUnavailableError, match=f"expired.*{status}") as caught:
        list(downloader.stream(url))
    assert len(server.received) == 1
    assert "SECRET" not in str(caught.value)


def test_a_url_that_has_expired_is_renewed_also_where_that_is_a_bad_request(
    server: ScriptedServer, downloader: Downloader, url: str
) -> None:
    server.reply(PATH, b"<Error><Code>ExpiredToken</Code></Error>", status=400)
    server.reply("renewed", CONTENT)
    assert b"".join(downloader.stream(url, renew=lambda: f"{server.url}/renewed")) == CONTENT


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            403,
            b"<Error><Code>AuthenticationFailed</Code><Message>The signature is not valid any more: "
            b"sig=SECRET, x SECRET y</Message></Error>",
            "(HTTP 403). Its host says: AuthenticationFailed: The signature is not valid any more",
        ),
        (503, b"<error><message>Being moved.</message></error>", "HTTP 503. Its host says: Being moved."),
        (407, b"Who are you?", "Its host says: Who are you?"),
        (416, b"No such bytes.", "HTTP 416. Its host says: No such bytes."),
        (404, b"x" * 10_000_000, "(HTTP 404)."),
    ],
)
def test_an_error_has_the_words_of_the_result_host(
    *,
    server: ScriptedServer,
    downloader: Downloader,
    url: str,
    shown: Callable[[BaseException], str],
    status: int,
    body: bytes,
    words: str,
) -> None:
    server.reply(PATH, body, status=status)
    with pytest.raises(errors.OcrError) as caught:
        list(downloader.stream(url))
    assert words in str(caught.value)
    assert len(str(caught.value)) < 800
    assert "SECRET" not in shown(caught.value)


def test_a_result_host_that_drips_its_words_is_not_heard_out(listen: Listen) -> None:
    server = listen(_talking(b"HTTP/1.1 403 No\r\nContent-Length: 900\r\n\r\n", drip=b"x"))
    downloader = Downloader(network=Network(timeouts=Timeouts(connect=5.0, read=0.4)), attempts=1)
    started = time.monotonic()
    with pytest.raises(errors.ResultUnavailableError, match=r"\(HTTP 403\)\.$"):
        list(downloader.stream(server.url))
    assert time.monotonic() - started < 4.0
    downloader.close()


def test_a_url_may_expire_in_the_middle(server: ScriptedServer, downloader: Downloader, url: str) -> None:
    server.reply(PATH, CONTENT, cut=CHUNK)
    server.reply(PATH, status=403)
    pieces = downloader.stream(url)
    assert next(pieces) == CONTENT[:CHUNK]
    with pytest.raises(errors.ResultUnavailableError):
        next(pieces)


@pytest.mark.parametrize("status", [204, 206, 304, 416])
def test_an_answer_without_the_file_is_not_taken_for_it(
    server: ScriptedServer, downloader: Downloader, url: str, status: int
) -> None:
    server.reply(PATH, status=status)
    with pytest.raises(errors.ResultUnavailableError, match=str(status)):
        list(downloader.stream(url))


@pytest.mark.parametrize("trouble", [{"cut": 0}, {"status": 503}, {"stall": 3.0}])
def test_trouble_is_waited_out(
    server: ScriptedServer, downloader: Downloader, url: str, pauses: list[float], trouble: dict[str, Any]
) -> None:
    server.reply(PATH, **trouble)
    server.reply(PATH, **trouble)
    server.reply(PATH, CONTENT)
    assert b"".join(downloader.stream(url)) == CONTENT
    assert len(pauses) == 2


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [({"cut": 0}, errors.ConnectionFailedError), ({"status": 500}, errors.ServerError)],
)
def test_trouble_that_stays_is_an_error_without_the_url(
    *,
    server: ScriptedServer,
    downloader: Downloader,
    url: str,
    shown: Callable[[BaseException], str],
    trouble: dict[str, Any],
    kind: type[Exception],
) -> None:
    server.reply(PATH, **trouble)
    with pytest.raises(kind) as caught:
        list(downloader.stream(url))
    assert len(server.received) == 4
    assert "SECRET" not in shown(caught.value)


def test_each_new_byte_earns_new_attempts(server: ScriptedServer, downloader: Downloader, url: str) -> None:
    server.reply(PATH, CONTENT, cut=CHUNK)
    for pieces in (1, 2, 3):
        server.reply(PATH, cut=0)
        server.reply(PATH, cut=0)
        server.reply(PATH, **_rest(pieces * CHUNK), cut=CHUNK)
    server.reply(PATH, **_rest(4 * CHUNK))
    assert b"".join(downloader.stream(url)) == CONTENT
    assert len(server.received) == 11


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/x?sig=SECRET", "nonsense?sig=SECRET", "http://[x?sig=SECRET"]
)
def test_a_url_that_leads_nowhere_is_an_error_without_it(
    downloader: Downloader, shown: Callable[[BaseException], str], url: str
) -> None:
    with pytest.raises(errors.OcrError) as caught:
        list(downloader.stream(url))
    assert "SECRET" not in shown(caught.value)


def test_a_certificate_of_ones_own_ca_bundle_is_trusted(tls_server: ScriptedServer, ca_bundle: Path) -> None:
    tls_server.reply(PATH, CONTENT)
    downloader = Downloader(network=Network(verify=str(ca_bundle)), sleep=lambda seconds: None)
    assert b"".join(downloader.stream(f"{tls_server.url}/{PATH}")) == CONTENT
    downloader.close()
