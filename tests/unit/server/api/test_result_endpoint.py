# SPDX-License-Identifier: Apache-2.0
"""A signed URL is all that it takes to download one result, whole or in part, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pendulum
import pytest
import requests

if TYPE_CHECKING:
    from tests.unit.server.conftest import Site

TEXT = "\ufeffDear reader,\nthis is a result.\n" * 100


def test_a_result_needs_no_credentials_and_has_type_length_and_quality(site: Site) -> None:
    urls = site.result_urls(site.complete(exportFormat="txt,pdfSearchable,xml"))
    answers = [requests.get(url, timeout=10) for url in urls]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    types = ["text/plain; charset=utf-8", "application/pdf", "text/xml"]
    assert [answer.headers["Content-Type"] for answer in answers] == types
    for answer in answers:
        assert answer.content.decode() == TEXT
        assert int(answer.headers["Content-Length"]) == len(TEXT.encode())
        assert answer.headers["X-Ocr-Pages"] == "3"
        assert "Last-Modified" in answer.headers


def test_a_result_is_never_compressed(site: Site) -> None:
    (url,) = site.result_urls(site.complete())
    with requests.get(
        url, headers={"Accept-Encoding": "gzip, deflate, br"}, stream=True, timeout=10
    ) as answer:
        assert "Content-Encoding" not in answer.headers
        assert answer.raw.read(decode_content=False).decode() == TEXT


def test_the_head_of_a_result_is_that_of_its_get_without_a_body(site: Site) -> None:
    (url,) = site.result_urls(site.complete())
    head, get = requests.head(url, timeout=10), requests.get(url, timeout=10)
    assert head.status_code == 200
    assert head.content == b""
    for name in ("Content-Length", "Content-Type", "Last-Modified", "ETag", "X-Ocr-Pages"):
        assert head.headers[name] == get.headers[name]


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-9", 0, 9), ("bytes=100-", 100, None), ("bytes=-7", -7, None), ("bytes=5-5", 5, 5)],
)
def test_a_range_of_a_result_is_sent(asked: str, first: int, last: int | None, site: Site) -> None:
    (url,) = site.result_urls(site.complete())
    answer = requests.get(url, headers={"Range": asked}, timeout=10)
    whole = TEXT.encode()
    assert answer.status_code == 206
    assert answer.content == (whole[first:] if last is None else whole[first : last + 1])
    start = first % len(whole)
    assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(answer.content) - 1}/{len(whole)}"


def test_a_range_behind_the_end_is_416(site: Site) -> None:
    (url,) = site.result_urls(site.complete())
    assert requests.get(url, headers={"Range": "bytes=999999-"}, timeout=10).status_code == 416


def test_a_url_opens_its_own_result_only_and_only_as_it_was_given(site: Site) -> None:
    ocr_task_id, other = site.complete(exportFormat="txt,xml"), site.complete()
    url, _ = site.result_urls(ocr_task_id)
    assert requests.get(url, timeout=10).status_code == 200
    query = url.partition("?")[2]
    expires = re.findall(r"expires=(\d+)", url)[0]
    tampered = [
        url.replace(f"{ocr_task_id}/1", f"{ocr_task_id}/2"),
        url.replace(f"{ocr_task_id}/1", f"{ocr_task_id}/0"),
        url.replace(f"{ocr_task_id}/1", f"{ocr_task_id}/x"),
        url.replace(f"{ocr_task_id}/1", f"{ocr_task_id}/{'1' * 5000}"),
        url.replace(ocr_task_id, other),
        url.replace(ocr_task_id, ocr_task_id.upper()),
        url.replace("run=run-1", "run=run-2"),
        url.replace("run=run-1&", ""),
        url.replace("run=run-1", "run="),
        url.replace("run=run-1", "run=../../x"),
        url.replace(expires, str(int(expires) + 1)),
        url.replace(expires, "1" * 5000),
        url.replace(expires, ""),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
        url[:-1],
        url.replace("signature=", "signature=%C3%A9"),
        url.partition("?")[0],
        url.partition("&")[0],
        f"{url}&{query.replace(expires, '1')}",
    ]
    for changed in tampered:
        site.check_error(requests.get(changed, timeout=10), 403, "not valid")
    site.check_error(requests.get(url.replace("/1?", "/1/../2?"), timeout=10), 403)


def test_an_expired_url_is_403_and_gettaskstatus_gives_a_fresh_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ocr_task_id = site.complete()
    with monkeypatch.context() as patch:
        patch.setattr("airflow_provider_ocr.server.api.signing.URL_LIFETIME_HOURS", -1)
        (expired,) = site.result_urls(ocr_task_id)
    site.check_error(requests.get(expired, timeout=10), 403, "expired", "getTaskStatus")
    (fresh,) = site.result_urls(ocr_task_id)
    assert requests.get(fresh, timeout=10).status_code == 200


def test_credentials_are_neither_needed_nor_accepted(site: Site) -> None:
    (url,) = site.result_urls(site.complete())
    for authorization in ("Basic bXkgYXBwOnBhc3M6d29yZA==", "Bearer x", ""):
        answer = requests.get(url, headers={"Authorization": authorization}, timeout=10)
        site.check_error(answer, 403, "takes no credentials", "without Authorization")
    assert requests.get(url, timeout=10).status_code == 200


def test_a_result_is_gone_with_its_task_and_with_its_file(site: Site) -> None:
    ocr_task_id, other = site.complete(), site.complete()
    (url,), (missing,) = site.result_urls(ocr_task_id), site.result_urls(other)
    site.get("deleteTask", taskId=ocr_task_id)
    site.backend.files.delete(other)
    for gone in (url, missing):
        site.check_error(requests.get(gone, timeout=10), 404, "not there any more")
        assert requests.head(gone, timeout=10).status_code == 404


def test_a_result_that_was_published_and_not_named_in_the_database_is_nobodys(site: Site) -> None:
    ocr_task_id = site.complete()
    (url,) = site.result_urls(ocr_task_id)
    files = site.backend.files
    (files.new_run(ocr_task_id, "run-2") / "result1.txt").write_text("another's")
    files.publish(ocr_task_id, "run-2")
    signed = site.backend.signer.sign(ocr_task_id, "run-2", 1, now=pendulum.now("UTC"))
    site.check_error(requests.get(site.url + signed, timeout=10), 404, "earlier run")
    assert requests.get(url, timeout=10).content.decode() == TEXT
