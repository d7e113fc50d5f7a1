# SPDX-License-Identifier: Apache-2.0
"""Whoever proves to know an application's password is that application; everything else is nobody."""

from __future__ import annotations

import asyncio
import base64
import statistics
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import Any

import pytest

from airflow_provider_ocr.server.accounts import accounts as accounts_module
from airflow_provider_ocr.server.accounts import login_delay
from airflow_provider_ocr.server.accounts.accounts import Accounts
from airflow_provider_ocr.server.accounts.failure_memory import FailureMemory
from airflow_provider_ocr.server.accounts.login_delay import LoginDelay, TooManyAttemptsError
from airflow_provider_ocr.server.accounts.passwords import hash_password, verify_password

PASSWORDS = {"my app": "pass:word/ü", "other": "password"}
HASHES = {name: hash_password(password) for name, password in PASSWORDS.items()}


@dataclass(frozen=True)
class Application:
    name: str
    password_hash: str
    disabled: bool = False


class Database:
    """Applications that can be changed."""

    def __init__(self) -> None:
        self._applications = {name: Application(name, stored) for name, stored in HASHES.items()}

    def find(self, name: str) -> Application | None:
        return self._applications.get(name)

    def change(self, name: str, **values: Any) -> None:
        self._applications[name] = replace(self._applications[name], **values)


class Verifications:
    """Counts the verifications, and how many of them ran at the same time."""

    def __init__(self) -> None:
        self.count = self.most_at_once = self._running = 0
        self._lock = threading.Lock()

    def verify(self, password: str, password_hash: str) -> bool:
        with self._lock:
            self.count += 1
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        try:
            return verify_password(password, password_hash)
        finally:
            with self._lock:
                self._running -= 1


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def accounts(database: Database) -> Accounts:
    """Accounts whose failures slow down next to nothing."""
    quick = FailureMemory(first_seconds=0.001, longest_seconds=0.001, forget_seconds=60.0)
    return Accounts(
        database.find, delay=LoginDelay(first_seconds=0.001, longest_seconds=0.001, of_addresses=quick)
    )


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> Verifications:
    counted = Verifications()
    monkeypatch.setattr(accounts_module, "verify_password", counted.verify)
    return counted


def basic(credentials: str, encoding: str = "utf-8") -> str:
    return "Basic " + base64.b64encode(credentials.encode(encoding)).decode()


RIGHT = basic("my app:pass:word/ü")
WRONG = basic("my app:wrong")


async def log_in(accounts: Accounts, header: str | None, client: str = "10.0.0.1") -> str | None:
    return await accounts.authenticate(header, client=client)


async def all_at_once(*attempts: Coroutine[Any, Any, str | None]) -> list[str | BaseException | None]:
    return list(await asyncio.gather(*attempts, return_exceptions=True))


@pytest.mark.parametrize(
    "header",
    [
        RIGHT,
        basic("my app:pass:word/ü", "iso-8859-1"),
        RIGHT.replace("Basic", "bAsIc"),
        RIGHT.replace("Basic ", "Basic   ") + "  ",
    ],
)
def test_name_and_password_prove_the_application(accounts: Accounts, header: str) -> None:
    assert asyncio.run(log_in(accounts, header)) == "my app"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ",
        basic("my app"),
        basic("my app:"),
        basic(":pass:word/ü"),
        basic("my app:pass:word/Ü"),
        basic("my app:password"),
        basic("other:pass:word/ü"),
        basic("My App:pass:word/ü"),
        basic("my app\0:pass:word/ü"),
        basic("nobody:password"),
        basic(f"my app:{HASHES['my app']}"),
        basic("other:password") + "!",
        basic("other:password").replace("Basic", "Bearer"),
        basic("other:password").replace("Basic ", ""),
        "Basic other:password",
        "Basic \xe9\xe8",
        "Basic " + base64.b64encode(b"\xff\xfe\x00").decode(),
    ],
)
def test_everything_else_proves_nothing(accounts: Accounts, header: str | None) -> None:
    assert asyncio.run(log_in(accounts, header)) is None


def test_verified_credentials_cost_nothing_in_whatever_encoding_they_come_again(
    accounts: Accounts, verifications: Verifications
) -> None:
    async def log_in_often() -> None:
        headers = [RIGHT, basic("my app:pass:word/ü", "iso-8859-1")] * 50
        assert [await log_in(accounts, header) for header in headers] == ["my app"] * 100

    asyncio.run(log_in_often())
    assert verifications.count == 1


def test_clients_that_all_come_at_once_after_a_start_are_verified_once(
    accounts: Accounts, verifications: Verifications
) -> None:
    assert asyncio.run(all_at_once(*[log_in(accounts, RIGHT) for _ in range(50)])) == ["my app"] * 50
    assert verifications.count == 1


def test_no_more_than_two_verifications_run_at_once_and_the_event_loop_goes_on(
    accounts: Accounts, verifications: Verifications
) -> None:
    async def crowd() -> float:
        guesses = asyncio.gather(*[log_in(accounts, basic(f"app {number}:x")) for number in range(6)])
        longest, last = 0.0, time.monotonic()
        while not guesses.done():
            await asyncio.sleep(0.005)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        assert guesses.result() == [None] * 6
        return longest

    assert asyncio.run(crowd()) < 0.08
    assert (verifications.count, verifications.most_at_once) == (6, 2)


def test_a_changed_password_counts_at_once(accounts: Accounts, database: Database) -> None:
    async def change() -> list[str | None]:
        before = await log_in(accounts, RIGHT)
        database.change("my app", password_hash=hash_password("new"))
        return [before, await log_in(accounts, RIGHT), await log_in(accounts, basic("my app:new"))]

    assert asyncio.run(change()) == ["my app", None, "my app"]


def test_a_disabled_application_is_out_at_once_and_in_again_when_enabled(
    accounts: Accounts, database: Database
) -> None:
    async def disable() -> list[str | None]:
        found = [await log_in(accounts, RIGHT)]
        for disabled in (True, False):
            database.change("my app", disabled=disabled)
            found.append(await log_in(accounts, RIGHT))
        return found

    assert asyncio.run(disable()) == ["my app", None, "my app"]


def test_an_application_that_is_disabled_while_it_waits_in_line_is_out(database: Database) -> None:
    accounts = Accounts(database.find, delay=LoginDelay(first_seconds=0.3))

    async def disable() -> str | None:
        await log_in(accounts, WRONG)
        waiting = asyncio.create_task(log_in(accounts, RIGHT))
        await asyncio.sleep(0.1)
        database.change("my app", disabled=True)
        return await waiting

    assert asyncio.run(disable()) is None


def test_wrong_passwords_unknown_names_and_disabled_applications_cost_the_same(
    accounts: Accounts, database: Database, verifications: Verifications
) -> None:
    database.change("other", disabled=True)
    headers = (WRONG, basic("nobody:wrong"), basic("other:password"))

    async def measure() -> list[float]:
        times: list[list[float]] = [[], [], []]
        for _ in range(5):
            for place, header in enumerate(headers):
                begin = time.process_time()
                assert await log_in(accounts, header) is None
                times[place].append(time.process_time() - begin)
        return [statistics.median(taken) for taken in times]

    medians = asyncio.run(measure())
    assert verifications.count == 15
    assert max(medians) < 1.5 * min(medians)


def test_right_credentials_that_are_known_are_never_delayed_by_who_guesses(database: Database) -> None:
    accounts = Accounts(database.find, delay=LoginDelay(first_seconds=30, longest_seconds=30))

    async def guess_and_work() -> float:
        assert await log_in(accounts, RIGHT) == "my app"
        assert await log_in(accounts, WRONG) is None
        guess = asyncio.create_task(log_in(accounts, WRONG))
        await asyncio.sleep(0.05)
        begin = time.monotonic()
        assert await log_in(accounts, RIGHT) == "my app"
        guess.cancel()
        return time.monotonic() - begin

    assert asyncio.run(guess_and_work()) < 1


def test_each_wrong_guess_slows_the_next_down_even_the_right_one(database: Database) -> None:
    accounts = Accounts(database.find, delay=LoginDelay(first_seconds=0.3))

    async def guess() -> tuple[float, list[str | None]]:
        begin = time.monotonic()
        found = [await log_in(accounts, header) for header in (WRONG, WRONG, RIGHT)]
        return time.monotonic() - begin, found

    seconds, found = asyncio.run(guess())
    assert found == [None, None, "my app"]
    assert seconds > 0.3 + 0.6


def test_more_guesses_than_may_wait_are_refused_unverified(
    accounts: Accounts, verifications: Verifications, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(login_delay, "_MOST_IN_LINE", 3)
    found = asyncio.run(all_at_once(*[log_in(accounts, WRONG) for _ in range(5)]))
    assert found.count(None) == verifications.count == 3
    assert sum(isinstance(refusal, TooManyAttemptsError) for refusal in found) == 2


def test_no_password_stays_in_memory_as_it_was_given(accounts: Accounts) -> None:
    asyncio.run(log_in(accounts, RIGHT))
    assert "pass:word/ü" not in repr([vars(accounts), vars(accounts._cache), vars(accounts._delay)])
