# SPDX-License-Identifier: Apache-2.0
"""A signed URL opens one file of one run for ten hours, and nothing else."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.server.api.signing import UrlSigner

NOW = pendulum.datetime(2026, 11, 22, 12)
TASK = "0b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4"
OTHER = "1b98b9a9-9f5f-4288-b3b1-bf2099dcdbc4"
RUN = "4f1c"
SIGNER = UrlSigner(b"k" * 32)


def signed(position: int = 1) -> tuple[str, str]:
    """Expiry time and signature of a URL made at noon."""
    query = parse_qs(urlsplit(SIGNER.sign(TASK, RUN, position, now=NOW)).query)
    return query["expires"][0], query["signature"][0]


def opens(
    expires: str,
    signature: str,
    *,
    signer: UrlSigner = SIGNER,
    task: str = TASK,
    run: str = RUN,
    position: str = "1",
    hours: float = 0,
) -> bool:
    now = NOW.add(seconds=int(hours * 3600))
    return signer.verify(task, position, run=run, expires=expires, signature=signature, now=now)


def test_a_signed_url_names_task_position_and_run() -> None:
    url = urlsplit(SIGNER.sign(TASK, RUN, 2, now=NOW))
    assert url.path == f"/results/{TASK}/2"
    query = parse_qs(url.query)
    assert list(query) == ["run", "expires", "signature"]
    assert query["run"] == [RUN]
    assert query["expires"] == [str(NOW.add(hours=10).int_timestamp)]


@pytest.mark.parametrize(
    ("hours", "expected"), [(0, True), (9.99, True), (10, True), (10.001, False), (999, False)]
)
def test_a_signature_is_good_for_ten_hours(hours: float, expected: bool) -> None:
    assert opens(*signed(), hours=hours) is expected


def test_a_signature_opens_no_other_task_run_or_position() -> None:
    expires, signature = signed()
    assert opens(expires, signature)
    assert not opens(expires, signature, task=OTHER)
    assert not opens(expires, signature, task=TASK.upper())
    for run in ("", RUN.upper(), "4f1d", RUN + "0"):
        assert not opens(expires, signature, run=run)
    for position in ("2", "0", "-1", "01", "1.0", "", "x", "9" * 5000):
        assert not opens(expires, signature, position=position)


@pytest.mark.parametrize(
    "expires", ["", "0", "-1", "later", "1e99", "\u0661", "9" * 10, "9" * 5000, "1795384800 "]
)
def test_the_expiry_time_cannot_be_changed(expires: str) -> None:
    assert not opens(expires, signed()[1])


def test_a_changed_signature_opens_nothing() -> None:
    expires, signature = signed()
    changed = [signature[:-1], signature + "0", signature.upper(), "", "\xe9", "\ufffd", "0" * 64]
    for place in range(0, 64, 9):
        other = "1" if signature[place] == "0" else "0"
        changed.append(signature[:place] + other + signature[place + 1 :])
    assert not any(opens(expires, text) for text in changed)


@given(st.text(), st.text(), st.text(), st.text())
def test_nothing_but_what_was_signed_opens_anything(task: str, position: str, run: str, expires: str) -> None:
    signature = signed()[1]
    same = (task, position, run, expires) == (TASK, "1", RUN, signed()[0])
    assert opens(expires, signature, task=task, position=position, run=run) is same


@pytest.mark.parametrize("mark", ["/", '"', '", "', "\x00", "\n", ","])
def test_the_parts_of_a_url_do_not_run_into_each_other(mark: str) -> None:
    expires = signed()[0]
    url = SIGNER.sign(f"{TASK}{mark}{RUN}", "x", 1, now=NOW)
    signature = parse_qs(urlsplit(url.replace("\n", "")).query)["signature"][0]
    assert not opens(expires, signature, run=f"{RUN}{mark}x")
    assert not opens(expires, signature, run="x", position=f"{RUN}{mark}1")
