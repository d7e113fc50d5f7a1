# SPDX-License-Identifier: Apache-2.0
"""A whole Airflow on this machine: API server, scheduler, DAG processor and triggerer, each its own process.

It has a home and ports of its own and touches no other Airflow. Talk to it as anybody would, by REST.
"""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from demo.processes import LOOPBACK, Program, clean_environment, direct_session, free_port

USER = "admin"
PASSWORD = "admin"  # noqa: S105 - opens an Airflow on the loopback address

_SECONDS_TO_MIGRATE = 300.0
_SECONDS_TO_START = 180.0
_SECONDS_OF_A_LOCK = 60.0
_SERVER_ERROR = 500
_COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")
_JOBS = ("scheduler", "dag_processor", "triggerer")
_ENDED = frozenset({"success", "failed"})


@dataclass(frozen=True, slots=True)
class TaskInstance:
    """A task instance of a run, as the REST API tells it; each try has an ID of its own."""

    id: str
    task_id: str
    map_index: int
    state: str | None
    try_number: int


class LocalAirflow:
    """Airflow with SQLite and LocalExecutor, running within a ``with`` block.

    :param home: its AIRFLOW_HOME; the database there is made once and used again.
    :param dags: folder with DAG files.
    :param connections: connection ID to connection, in Airflow's JSON form.
    :param port: of the UI and the REST API, a free one by default.
    :param python: the interpreter of the environment that has Airflow, by default the one that runs this.
    """

    def __init__(
        self,
        *,
        home: Path,
        dags: Path,
        connections: Mapping[str, Mapping[str, Any]],
        port: int | None = None,
        python: str = sys.executable,
    ) -> None:
        self.home = home
        self.logs = home / "components"
        self.port = port or free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.programs: dict[str, Program] = {}
        self._command = (python, "-m", "airflow")
        self.environment = self._environment(dags, connections)
        self._running = ExitStack()
        self._session = direct_session()

    def __enter__(self) -> Self:
        try:
            self._migrate_once()
            for component in _COMPONENTS:
                self.start(component)
            self.programs["api-server"].wait_until(self._is_healthy, seconds=_SECONDS_TO_START)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def start(self, component: str, *, name: str | None = None) -> Program:
        """Start a component, for example ``triggerer``; one that ran before must have ended.

        :param component: what Airflow calls it.
        :param name: what it is called here, if there is to be another one beside it.
        """
        serves_logs = component in ("scheduler", "triggerer")
        program = Program(
            name=name or component,
            command=[*self._command, component, *(["--skip-serve-logs"] if serves_logs else [])],
            environment=self.environment,
            logs=self.logs,
        )
        self.programs[program.name] = self._running.enter_context(program)
        return program

    def create(self, collection: str, item: Mapping[str, Any]) -> None:
        """Add an item to a collection of the REST API, for example to ``variables``."""
        self._call("POST", f"/api/v2/{collection}", item)

    def run_dag(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> None:
        """Unpause a DAG and start a run of it, waiting for the DAG to be found first."""
        deadline = time.monotonic() + _SECONDS_TO_START
        while self._call("GET", f"/api/v2/dags/{dag_id}", accept=(200, 404)) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"Airflow did not find the DAG {dag_id}; see {self.logs}/dag-processor.log."
                )
            time.sleep(0.5)
        self._call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})
        self._call(
            "POST",
            f"/api/v2/dags/{dag_id}/dagRuns",
            {"dag_run_id": run_id, "conf": dict(conf), "logical_date": None},
        )

    def clear(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Clear one task of a run, so that it runs again."""
        body = {"dry_run": False, "dag_run_id": run_id, "task_ids": [task_id], "only_failed": False}
        self._call("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", body)

    def mark(self, dag_id: str, run_id: str, task_id: str, state: str) -> None:
        """Do what a user does who marks a task as ``failed`` or ``success``."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        self._call("PATCH", path, {"new_state": state})

    def run_state(self, dag_id: str, run_id: str) -> str:
        """The state of a run, for example ``running``."""
        return str(self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def wait_for_run(self, dag_id: str, run_id: str, *, seconds: float) -> str:
        """The final state of a run: ``success`` or ``failed``."""
        deadline = time.monotonic() + seconds
        while (state := self.run_state(dag_id, run_id)) not in _ENDED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{dag_id} {run_id} is still {state} after {seconds:.0f} seconds.")
            time.sleep(0.5)
        return state

    def test_connection(self, fields: Mapping[str, Any]) -> tuple[bool, str]:
        """What the *Test* button says to a connection with these fields of the REST API."""
        answer = self._call("POST", "/api/v2/connections/test", fields)
        return answer["status"], answer["message"]

    def test_connection_on_worker(self, fields: Mapping[str, Any], *, seconds: float) -> tuple[bool, str]:
        """The same where tasks run, as Airflow 3.3 and newer can."""
        token = self._call("POST", "/api/v2/connections/enqueue-test", fields, accept=(202,))["token"]
        self._session.headers["Airflow-Connection-Test-Token"] = token  # only this question reads it
        deadline = time.monotonic() + seconds
        while (found := self._call("GET", "/api/v2/connections/enqueue-test"))["state"] not in _ENDED:
            if time.monotonic() > deadline:
                raise TimeoutError(f"The test of the connection is still {found['state']}.")
            time.sleep(0.2)
        return found["state"] == "success", found["result_message"]

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """All task instances of a run."""
        found = self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=1000")
        return [
            TaskInstance(item["id"], item["task_id"], item["map_index"], item["state"], item["try_number"])
            for item in found["task_instances"]
        ]

    def xcom(
        self, dag_id: str, run_id: str, task_id: str, map_index: int = -1, *, key: str = "return_value"
    ) -> Any:
        """What a task returned, or pushed under another key; None if that is nothing."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        found = self._call("GET", f"{path}?map_index={map_index}", accept=(200, 404))
        return None if found is None else found["value"]

    def asset_events(self, dag_id: str, run_id: str, task_id: str) -> list[dict[str, Any]]:
        """The asset events of a task's map indexes, in their order of time."""
        query = f"source_dag_id={dag_id}&source_run_id={run_id}&source_task_id={task_id}&order_by=timestamp"
        found: list[dict[str, Any]] = self._call("GET", f"/api/v2/assets/events?{query}")["asset_events"]
        return found

    def asset(self, asset_id: int) -> dict[str, Any]:
        """An asset, with its name, its URI and its aliases."""
        found: dict[str, Any] = self._call("GET", f"/api/v2/assets/{asset_id}")
        return found

    def extra_links(self, dag_id: str, run_id: str, task_id: str) -> dict[str, str | None]:
        """The addresses of the buttons beside a task."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/links"
        found: dict[str, str | None] = self._call("GET", path)["extra_links"]
        return found

    def task_log(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> str:
        """The log of the last try, the triggerer's part included, one event a line."""
        [last_try] = (
            instance.try_number
            for instance in self.task_instances(dag_id, run_id)
            if (instance.task_id, instance.map_index) == (task_id, map_index)
        )
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{last_try}"
        found = self._call("GET", f"{path}?map_index={map_index}&full_content=true")
        return "\n".join(_log_line(entry) for entry in found["content"])

    def _environment(self, dags: Path, connections: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        settings = {
            "CORE__DAGS_FOLDER": str(dags),
            "CORE__LOAD_EXAMPLES": "False",
            "CORE__EXECUTOR": "LocalExecutor",
            "CORE__PARALLELISM": "8",
            "CORE__TEST_CONNECTION": "Enabled",
            "CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
            "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home / 'airflow.db'}",
            "API__HOST": LOOPBACK,
            "API__PORT": str(self.port),
            "API__BASE_URL": self.url,
            "API__WORKERS": "1",
            "API__MAXIMUM_PAGE_LIMIT": "1000",  # more is not answered, whatever is asked for
            "API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
            "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
            "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
            "USAGE_DATA_COLLECTION__ENABLED": "False",
        }
        return {
            **clean_environment(),
            "AIRFLOW_HOME": str(self.home),
            **{f"AIRFLOW__{name}": value for name, value in settings.items()},
            **{f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in connections.items()},
        }

    def _migrate_once(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "passwords.json").write_text(json.dumps({USER: PASSWORD}))
        stamp, current = self.home / "migrated", version("apache-airflow")
        if stamp.exists() and stamp.read_text() == current:
            return
        program = Program(
            name="db-migrate",
            command=[*self._command, "db", "migrate"],
            environment=self.environment,
            logs=self.logs,
        )
        with program:
            program.finish(seconds=_SECONDS_TO_MIGRATE)
        stamp.write_text(current)

    def ensure_running(self) -> None:
        """Return if every component still runs.

        :raises StartError: if one has ended.
        """
        for program in self.programs.values():
            program.ensure_running()

    def _is_healthy(self) -> bool:
        """Whether the API server answers and has fresh heartbeats of the others."""
        self.ensure_running()
        try:
            answer = self._session.get(f"{self.url}/api/v2/monitor/health", timeout=10)
        except requests.RequestException:
            return False
        return answer.ok and all(answer.json()[job]["status"] == "healthy" for job in _JOBS)

    def _stop(self) -> None:
        for program in self.programs.values():
            program.ask_to_stop()
        self._running.close()
        self._session.close()

    def _call(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        accept: tuple[int, ...] = (200, 201),
    ) -> Any:
        """The JSON that the REST API answers; None for an accepted 404."""
        if "Authorization" not in self._session.headers:
            token = self._session.post(
                f"{self.url}/auth/token", json={"username": USER, "password": PASSWORD}, timeout=30
            )
            token.raise_for_status()
            self._session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        answer = self._session.request(verb, self.url + path, json=body, timeout=60)
        deadline = time.monotonic() + _SECONDS_OF_A_LOCK
        while verb == "GET" and answer.status_code >= _SERVER_ERROR and time.monotonic() < deadline:
            # Under load SQLite keeps a reader out for longer than Airflow waits.
            time.sleep(1)
            answer = self._session.request(verb, self.url + path, timeout=60)
        if answer.status_code not in accept:
            raise RuntimeError(f"Airflow: {verb} {path}: HTTP {answer.status_code}: {answer.text[:300]}")
        return None if answer.status_code == requests.codes.not_found else answer.json()


def _log_line(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    detail = entry.get("error_detail") or []
    errors = (f"{item.get('exc_type')}: {item.get('exc_value')}" for item in detail)
    return " ".join([str(entry.get("event", "")), *errors])
