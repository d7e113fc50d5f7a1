# SPDX-License-Identifier: Apache-2.0
"""Whatever a client sends, the answer is one of the contract's documents and no failure of the server."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_provider_ocr.protocol.messages import parse_application_info, parse_error, parse_tasks
from tests.unit.server import scans

if TYPE_CHECKING:
    from tests.unit.server.conftest import Site

AUTH = ("my app", "pass:word")
PNG = scans.png()
METHODS = (
    *("processRemoteImage", "processImage", "submitImage", "processDocument", "getTaskStatus"),
    *("listTasks", "listFinishedTasks", "deleteTask", "getApplicationInfo", "processFields"),
)
VALUES = {
    "source": ("http://example.com/x.png", "https://[::1", "ftp://h/x", "http://h:99999/"),
    "taskId": ("TASK", "00000000-0000-0000-0000-000000000000", "' or 1=1 --"),
    "language": ("English", "German,English", "Klingon"),
    "profile": ("documentConversion", "x"),
    "textType": ("normal", "gothic"),
    "imageSource": ("auto", "photo"),
    "correctOrientation": ("true", "yes"),
    "correctSkew": ("false", "2"),
    "readBarcodes": ("true", ""),
    "exportFormat": ("txt", "txt,xml,pdfSearchable", "rtf", "txt,txt"),
    "xml:writeRecognitionVariants": ("false", "true"),
    "pdf:writeTags": ("auto", "write"),
    "description": ("a & b", "x" * 300, "\x00"),
    "pdfPassword": ("", "x"),
    "fromDate": ("2026-11-01T00:00:00Z", "never"),
    "toDate": ("2999-11-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    "excludeDeleted": ("true", "1"),
    "region": ("", "x"),
}
ANY_TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
PARAMETERS = st.lists(
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from(VALUES[name]) | ANY_TEXT)
    )
    | st.tuples(ANY_TEXT, ANY_TEXT),
    max_size=5,
)
# What makes a request of each method succeed, so that not only refusals are seen.
NEEDED = {
    "processRemoteImage": [("source", "http://example.com/x.png"), ("exportFormat", "txt")],
    "processImage": [("exportFormat", "txt")],
    "processDocument": [("taskId", "TASK"), ("exportFormat", "txt")],
    "getTaskStatus": [("taskId", "TASK")],
    "deleteTask": [("taskId", "TASK")],
}
ENCODINGS = (
    lambda text: quote(text, safe=""),
    lambda text: quote(text, safe=":/,"),
    lambda text: quote_plus(text, safe=":"),
    lambda text: "".join(f"%{byte:02x}" for byte in text.encode()),
)
CASES = (str, str.lower, str.upper, str.swapcase)
BODIES = st.sampled_from([b"", PNG, b"<html>", b"taskId=x&exportFormat=txt"]) | st.binary(max_size=200)
KINDS = st.sampled_from(
    [
        *(None, "image/png", "application/x-www-form-urlencoded", "multipart/form-data"),
        *("multipart/form-data; boundary=B", 'multipart/form-data; boundary=""', ";;", "text/xml; charset=x"),
    ]
)
# None most of the time: a key that has come before is answered with the task that it made.
KEYS = st.sampled_from([*[None] * 6, "", "k" * 300, "a key ", "\u00e9\u00fc"]) | st.text(
    st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40
)


ANY_REQUEST = given(
    method=st.sampled_from(METHODS),
    needed=st.booleans(),
    parameters=PARAMETERS,
    encode=st.sampled_from(ENCODINGS),
    case=st.sampled_from(CASES),
    verb=st.sampled_from(["GET", "POST"]),
    body=BODIES,
    kind=KINDS,
    key=KEYS,
)
ONE_SERVER = [HealthCheck.function_scoped_fixture]


@settings(max_examples=100, suppress_health_check=ONE_SERVER)
@ANY_REQUEST
def test_no_request_is_a_failure_of_the_server(site: Site, **request: Any) -> None:
    check_that_it_is_answered(site=site, **request)


@pytest.mark.long
@settings(max_examples=2000, deadline=None, suppress_health_check=ONE_SERVER)
@ANY_REQUEST
def test_not_one_of_very_many_requests_is_a_failure_of_the_server(site: Site, **request: Any) -> None:
    check_that_it_is_answered(site=site, **request)


def check_that_it_is_answered(
    *,
    method: str,
    needed: bool,
    parameters: list[tuple[str, str]],
    encode: Callable[[str], str],
    case: Callable[[str], str],
    verb: str,
    body: bytes,
    kind: str | None,
    key: str | None,
    site: Site,
) -> None:
    ocr_task_id = site.upload()
    given_parameters = [*(NEEDED.get(method, []) if needed else []), *parameters]
    query = "&".join(
        f"{encode(case(name))}={encode(case(ocr_task_id if value == 'TASK' else value))}"
        for name, value in given_parameters
    )
    answer = requests.request(
        verb,
        f"{site.url}/{encode(case(method))}?{query}",
        auth=AUTH,
        data=body if verb == "POST" else None,
        headers=({"Content-Type": kind} if kind else {})
        | ({"Idempotency-Key": key.encode("latin-1")} if key is not None else {}),
        timeout=20,
    )
    assert answer.status_code in (200, 404, 450, 551), answer.text
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    if answer.status_code != 200:
        assert parse_error(answer.content)
    elif method == "getApplicationInfo":
        assert parse_application_info(answer.content).name == "my app"
    else:
        tasks = parse_tasks(answer.content)
        assert len(tasks) == 1 or method in ("listTasks", "listFinishedTasks")


@settings(max_examples=60, suppress_health_check=ONE_SERVER)
@given(method=st.sampled_from(sorted(NEEDED)), encode=st.sampled_from(ENCODINGS), seed=st.integers(0, 999))
def test_a_good_request_is_good_in_any_case_order_and_encoding(
    method: str, encode: Callable[[str], str], seed: int, site: Site
) -> None:
    mix = random.Random(seed)
    ocr_task_id = site.upload()
    parameters = [(name, ocr_task_id if value == "TASK" else value) for name, value in NEEDED[method]]
    if method.startswith("process"):
        parameters += [("xml:writeRecognitionVariants", "false"), ("Language", "German,English")]
    mix.shuffle(parameters)

    def any_case(text: str) -> str:
        return "".join(mix.choice((character.lower(), character.upper())) for character in text)

    query = "&".join(
        f"{encode(any_case(name))}={encode(value if name == 'source' else any_case(value))}"
        for name, value in parameters
    )
    post = method == "processImage" or mix.random() < 0.5
    answer = requests.request(
        "POST" if post else "GET",
        f"{site.url}/{any_case(method)}?{query}",
        auth=AUTH,
        data=PNG if method == "processImage" else None,
        timeout=20,
    )
    assert answer.status_code == 200, answer.text
    (task,) = parse_tasks(answer.content)
    assert (task.id == ocr_task_id) == (method in ("processDocument", "getTaskStatus", "deleteTask"))
