# SPDX-License-Identifier: Apache-2.0
"""What DAG authors test their own DAGs with: a Cloud OCR server that recognises nothing and charges nothing.

With ``pytest_plugins = ["airflow_provider_ocr.testing"]`` in the ``conftest.py`` beside ``pyproject.toml``, a
test that takes the fixture ``cloud_ocr`` has a server to itself, and ``cloud_ocr_default`` leads to it. It is
the real server in everything but recognition: the same API, states, accounts and result downloads. It fetches
no source, and its results say that nothing was recognised, or what the test wants them to say.

Needs pytest and the packages of ``pip install 'airflow-provider-ocr[testing]'``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ServiceStatus, TaskStatus

if TYPE_CHECKING:
    from airflow_provider_ocr.server.operations.rehearsing import RehearsalServer
    from airflow_provider_ocr.server.rehearsal.interference import ReceivedRequest

__all__ = ["CloudOcrRehearsal", "RehearsedTask", "cloud_ocr", "cloud_ocr_session"]

APPLICATION_ID = "rehearsal"
PASSWORD = "nobody pays for this"  # noqa: S105 - opens a server on the loopback address while tests run

_CONNECTION = "AIRFLOW_CONN_CLOUD_OCR_DEFAULT"
_NEEDED = ("processRemoteImage", "processImage", "submitImage")


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsedTask:
    """An OCR task as the server has it.

    :param id: the OCR task's ID.
    :param status: where it is in its life.
    :param source: the URL that it was submitted with; None for an image that was sent.
    :param settings: all parameters, with the API's defaults.
    :param credits: what it cost, or will; 5 a page.
    :param error: why it failed.
    """

    id: str
    status: TaskStatus
    source: str | None
    settings: ProcessingSettings
    credits: int
    error: str | None


class CloudOcrRehearsal:
    """A running server: what becomes of tasks, what goes wrong, and what was asked of it.

    :param server: the server that it speaks for.
    """

    def __init__(self, server: RehearsalServer) -> None:
        self._server = server

    @property
    def url(self) -> str:
        """The server's base URL."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def connection(self) -> str:
        """An Airflow connection that leads to the server, in Airflow's JSON form."""
        return json.dumps(
            {"conn_type": "cloud_ocr", "host": self.url, "login": APPLICATION_ID, "password": PASSWORD}
        )

    # What becomes of tasks

    def recognise_as(self, text: str, *, source: str = "*", seconds: float = 0.0) -> None:
        r"""Have results say something.

        :param text: what they say; a form feed (``\f``) begins a new page, and each page costs 5 credits.
        :param source: a shell pattern for the URLs of sources, without user, query and fragment. What is said
            later counts more.
        :param seconds: how long the tasks are InProgress.
        """
        from airflow_provider_ocr.server.rehearsal.script import Outcome

        self._server.script.add(Outcome(text=text, seconds=seconds), source=source)

    def fail(self, reason: str = "The rehearsal wants it to fail.", *, source: str = "*") -> None:
        """Have tasks end as ProcessingFailed.

        :param reason: the task's ``error``.
        :param source: as for ``recognise_as``.
        """
        from airflow_provider_ocr.server.rehearsal.script import Outcome

        self._server.script.add(Outcome(error=reason), source=source)

    def hold(self, status: str = TaskStatus.IN_PROGRESS) -> None:
        """Let no task go on from a state, until ``release``.

        :param status: Submitted, Queued or InProgress.
        :raises ValueError: for another one.
        """
        self._server.script.hold(TaskStatus(status))

    def release(self) -> None:
        """Let all held tasks go on."""
        self._server.release()

    # Money

    def limit_credits(self, credits: int) -> None:  # noqa: A002 - the API's word
        """Leave the account, which is not limited by default, so many credits: tasks that cost more are
        suspended as NotEnoughCredits.

        :param credits: how many are left; five to a page, as the service charges.
        """
        self._server.credit(credits - (self._server.application.credits or 0))

    def top_up(self, credits: int) -> None:  # noqa: A002 - the API's word
        """Add credits; suspended tasks go on when ``processDocument`` starts them again.

        :param credits: how many more there are.
        """
        self._server.credit(credits)

    def exceed_quota(self, *, times: int | None = None) -> None:
        """Refuse new images by HTTP 450, as the service does while too many are waiting.

        :param times: how many; None for all from now on.
        """
        self.answer(
            ServiceStatus.BAD_PARAMETERS,
            message="The quota of images is exceeded. Delete tasks that wait, or have credits added.",
            methods=_NEEDED,
            times=times,
        )

    @property
    def credits_left(self) -> int | None:
        """What the account has left; None if it is not limited."""
        return self._server.application.credits

    @property
    def credits_charged(self) -> int:
        """What was charged since the test began, limited account or not."""
        return self._server.application.used

    # What goes wrong on the way

    def answer(
        self,
        status: int,
        *,
        methods: tuple[str, ...] = (),
        times: int | None = 1,
        message: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer requests by an error, and do not carry them out.

        :param status: the HTTP status, for example 401, 503 or 550.
        :param methods: the API's methods that are concerned, and ``results`` for downloads; empty for all.
        :param times: how many requests; None for all from now on.
        :param message: what the error says.
        :param headers: for example ``{"Retry-After": "1"}``.
        :raises ValueError: for a method that there is not, or a number that is no HTTP status.
        """
        from airflow_provider_ocr.server.rehearsal.interference import Fault

        fault = Fault(methods=methods, times=times, status=status, message=message, headers=headers or {})
        self._server.interference.add(fault)

    def break_connection(
        self, *, methods: tuple[str, ...] = (), times: int | None = 1, carried_out: bool = False
    ) -> None:
        """Break connections in the place of an answer.

        :param methods: as for ``answer``.
        :param times: as for ``answer``.
        :param carried_out: whether the server has done what was asked before that. A task that was submitted
            so was paid for, and nobody knows.
        """
        from airflow_provider_ocr.server.rehearsal.interference import Fault

        fault = Fault(methods=methods, times=times, breaks=True, carried_out=carried_out)
        self._server.interference.add(fault)

    def slow_down(self, seconds: float, *, methods: tuple[str, ...] = (), times: int | None = None) -> None:
        """Have requests wait before they are carried out.

        :param seconds: how long each.
        :param methods: as for ``answer``.
        :param times: how many requests; None for all from now on.
        """
        from airflow_provider_ocr.server.rehearsal.interference import Fault

        self._server.interference.add(Fault(methods=methods, times=times, seconds=seconds))

    # What was asked

    def tasks(self, status: str | None = None) -> list[RehearsedTask]:
        """All tasks of the test, the oldest first.

        :param status: only those in this state.
        """
        sources = {
            request.ocr_task_id: request.parameters.get("source")
            for request in reversed(self.requests("processRemoteImage"))
        }
        return [
            RehearsedTask(
                id=task.id,
                status=task.status,
                source=sources.get(task.id),
                settings=task.settings,
                credits=task.credits,
                error=task.error,
            )
            for task in self._server.tasks()
            if status is None or task.status == status
        ]

    def requests(self, method: str | None = None) -> list[ReceivedRequest]:
        """What was asked since the test began, in the order of the answers.

        :param method: only requests to this method of the API, or ``results`` for downloads.
        """
        received = self._server.interference.received()
        return [request for request in received if method is None or request.method == method]

    def reset(self) -> None:
        """Begin anew: no tasks, no rules, no faults, an account without limit. The fixture does it for each
        test.
        """
        self._server.begin_anew()


@pytest.fixture(scope="session")
def cloud_ocr_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudOcrRehearsal]:
    """The server that all tests of a session take turns with; a test takes ``cloud_ocr``."""
    server_class = _server_class()
    folder = tmp_path_factory.mktemp("cloud-ocr")
    with server_class(folder, application=APPLICATION_ID, password=PASSWORD) as server:
        yield CloudOcrRehearsal(server)


@pytest.fixture
def cloud_ocr(
    cloud_ocr_session: CloudOcrRehearsal, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CloudOcrRehearsal]:
    """A server as new, that the connection ``cloud_ocr_default`` leads to while the test runs."""
    cloud_ocr_session.reset()
    monkeypatch.setenv(_CONNECTION, cloud_ocr_session.connection)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, ",".join(filter(None, (os.environ.get(name), "127.0.0.1"))))
    yield cloud_ocr_session
    cloud_ocr_session.reset()


def _server_class() -> type[RehearsalServer]:
    """The server, if what it needs is installed.

    :raises UsageError: if it is not.
    """
    try:
        from airflow_provider_ocr.server.operations.rehearsing import RehearsalServer
    except ModuleNotFoundError as error:
        raise pytest.UsageError(
            f"The fixture cloud_ocr needs the package {error.name}: "
            "pip install 'airflow-provider-ocr[testing]'"
        ) from None
    return RehearsalServer
