# SPDX-License-Identifier: Apache-2.0
"""`make demo`: sample scans become text and searchable PDFs by a real Airflow and a real OCR server.

The exit status is 0 only if every document landed whole. With --keep-running everything stays up for a
look at Airflow's UI until Ctrl-C.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import local_airflow
from demo.local_airflow import LocalAirflow
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer, ScanServer
from demo.processes import StartError, is_taken

HERE = Path(__file__).resolve().parent
SAMPLES = HERE / "samples"
DAGS = HERE.parent / "dags"
DAG_ID = "example_process_remote_image"

_LONGEST_RUN = 600.0
_LINES_SHOWN = 4
_SHOWN = {"submit": "submitted", "wait": "recognised", "land": "landed"}


@dataclass(frozen=True, slots=True)
class Sample:
    """A scan of the demonstration."""

    file: str
    language: str

    @property
    def name(self) -> str:
        """Its file name without extension."""
        return Path(self.file).stem


DOCUMENTS = (
    Sample("letter.jpg", "English"),
    Sample("rechnung.pdf", "German"),
    Sample("minutes.tif", "English"),
    Sample("receipt.png", "English"),
)


@dataclass(frozen=True, slots=True)
class Places:
    """Where the demonstration keeps what it makes."""

    folder: Path

    @property
    def results(self) -> Path:
        """The landed files; emptied at each start."""
        return self.folder / "results"

    @property
    def state(self) -> Path:
        """Airflow's home, the OCR server's data, and all logs."""
        return self.folder / "state"


def main() -> int:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--keep-running", action="store_true", help="leave everything up until Ctrl-C")
    parser.add_argument("--ui-port", type=int, help="port of Airflow's UI; a free one by default")
    parser.add_argument("--folder", type=Path, default=HERE, help="where results, state and logs go")
    options = parser.parse_args()
    # Also where Ctrl-C is ignored by inheritance, and when the terminal is closed, everything has to stop.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("Stopped."))
    places = Places(options.folder.resolve())
    try:
        with _alone(places):
            return _demonstrate(places, ui_port=options.ui_port, keep_running=options.keep_running)
    except StartError as error:
        print(f"\n{error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
    return 1


def _demonstrate(places: Places, *, ui_port: int | None, keep_running: bool) -> int:
    if ui_port and is_taken(ui_port):
        raise StartError(f"Port {ui_port} is taken; name another one, as in: make ui UI_PORT=28080")
    say = _Progress()
    # The tasks of earlier demonstrations are of no use, and another version may have kept them otherwise.
    shutil.rmtree(places.state / "ocr-server", ignore_errors=True)
    with ExitStack() as running:
        scans = running.enter_context(ScanServer(SAMPLES))
        say(f"the sample scans are at {scans.url}")
        server = running.enter_context(
            OcrServer(data=places.state / "ocr-server", logs=places.state / "logs")
        )
        say(f"the OCR server listens on {server.url}")
        say("Airflow is starting (API server, scheduler, DAG processor, triggerer) ...")
        airflow = running.enter_context(_airflow(places, server, ui_port))
        say(f"Airflow is up at {airflow.url}")
        run_id = time.strftime("demo-%Y%m%dT%H%M%S")
        airflow.run_dag(DAG_ID, run_id, _conf(places, scans))
        state = _follow(airflow, server, run_id, say)
        landed = _report(airflow, run_id)
        say(f"{landed} of {len(DOCUMENTS)} documents landed in {_short(places.results)}")
        if keep_running:
            _wait_for_ctrl_c(airflow)
        say("stopping everything ...")
    say("stopped")
    if state == "success" and landed == len(DOCUMENTS):
        return 0
    print(f"The run {run_id} is {state}; the logs are under {_short(places.state)}.", file=sys.stderr)
    return 1


def _airflow(places: Places, server: OcrServer, port: int | None) -> LocalAirflow:
    connection = {
        "conn_type": "cloud_ocr",
        "host": server.url,
        "login": APPLICATION_ID,
        "password": PASSWORD,
    }
    return LocalAirflow(
        home=places.state / "airflow", dags=DAGS, connections={"cloud_ocr_default": connection}, port=port
    )


def _conf(places: Places, scans: ScanServer) -> dict[str, Any]:
    shutil.rmtree(places.results, ignore_errors=True)
    return {
        "documents": [
            {"source": f"{scans.url}/{sample.file}", "name": sample.name, "language": sample.language}
            for sample in DOCUMENTS
        ],
        "destination": f"file://{places.results}",
    }


def _follow(airflow: LocalAirflow, server: OcrServer, run_id: str, say: _Progress) -> str:
    """Tell each step of each document until the run has ended; its state."""
    told: dict[tuple[str, int], str | None] = {}
    deadline = time.monotonic() + _LONGEST_RUN
    while time.monotonic() < deadline:
        server.ensure_running()
        airflow.ensure_running()
        state = airflow.run_state(DAG_ID, run_id)
        for instance in airflow.task_instances(DAG_ID, run_id):
            place = (instance.task_id, instance.map_index)
            if instance.map_index >= 0 and told.get(place) != instance.state:
                told[place] = instance.state
                _tell(instance, say)
        if state in ("success", "failed"):
            return state
        time.sleep(1)
    return "still running"


def _tell(instance: local_airflow.TaskInstance, say: _Progress) -> None:
    step = instance.task_id.rpartition(".")[2]
    words = {
        "success": _SHOWN.get(step, step),
        "deferred": "waiting in the triggerer, no worker slot held",
        "failed": f"{step} failed",
        "upstream_failed": f"no {step}: an earlier step failed",
    }.get(instance.state or "")
    if words:
        say(f"{DOCUMENTS[instance.map_index].file:<14} {words}")


def _report(airflow: LocalAirflow, run_id: str) -> int:
    """Print what each document became; the number of documents whose files are all there and whole."""
    landed = 0
    for index, sample in enumerate(DOCUMENTS):
        manifest = airflow.xcom(DAG_ID, run_id, "document.land", index)
        files = [Path(item["uri"].removeprefix("file://")) for item in manifest["files"]] if manifest else []
        whole = bool(files) and all(map(_is_whole, files, manifest["files"]))
        landed += whole
        print(f"\n  {sample.file}")
        for line in _first_lines(files) if whole else ["did not land"]:
            print(f"    | {line}")
        for path in files:
            print(f"    {_short(path)}")
    print()
    return landed


def _is_whole(path: Path, entry: dict[str, Any]) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]


def _first_lines(files: list[Path]) -> list[str]:
    text = next(path for path in files if path.suffix == ".txt").read_text(encoding="utf-8-sig")
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()][:_LINES_SHOWN]


def _short(path: Path) -> Path:
    """A path as one would type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _wait_for_ctrl_c(airflow: LocalAirflow) -> None:
    print(f"  Airflow's UI:  {airflow.url}/dags/{DAG_ID}")
    print(f"  log in as:     {local_airflow.USER}, password {local_airflow.PASSWORD}")
    print("  Ctrl-C stops everything.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


@contextmanager
def _alone(places: Places) -> Iterator[None]:
    """Two demonstrations in one checkout would share a database; the second one is told so."""
    places.state.mkdir(parents=True, exist_ok=True)
    with (places.state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                "Another make demo or make ui is running in this checkout; stop it first."
            ) from None
        yield


class _Progress:
    """Prints lines that begin with the seconds since the start."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"[{time.monotonic() - self._begin:4.0f} s] {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
