# SPDX-License-Identifier: Apache-2.0
"""The package without its extras, and its server without Airflow: every day where imports of what is missing
fail, and now and then as a wheel in environments that have nothing else.
"""

from __future__ import annotations

import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

import pytest

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from demo.ocr_server import APPLICATION_ID, PASSWORD, OcrServer, ScanServer
from demo.processes import clean_environment

PROJECT = Path(__file__).resolve().parents[2]
CONSTRAINTS = PROJECT / "constraints.txt"

IMPORT_ALL = """
import importlib, pkgutil
import airflow_provider_ocr
for name in ("hooks", "operators", "sensors", "triggers", "transfers"):
    package = importlib.import_module(f"airflow_provider_ocr.{name}")
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
        print(module.name)
"""

IN_ORDER = [
    "airflow_provider_ocr.hooks.cloud_ocr",
    "airflow_provider_ocr.hooks.connection_check",
    "airflow_provider_ocr.hooks.connection_fields",
    "airflow_provider_ocr.hooks.connection_form",
    "airflow_provider_ocr.operators.cancelling",
    "airflow_provider_ocr.operators.cloud_ocr",
    "airflow_provider_ocr.operators.parse_time_checks",
    "airflow_provider_ocr.operators.source_access",
    "airflow_provider_ocr.sensors.cloud_ocr",
    "airflow_provider_ocr.triggers.cloud_ocr",
    "airflow_provider_ocr.triggers.submission_gate",
    "airflow_provider_ocr.transfers.cloud_ocr_to_object_storage",
    "airflow_provider_ocr.transfers.landed_before",
    "airflow_provider_ocr.transfers.landed_news",
    "airflow_provider_ocr.transfers.landed_places",
    "airflow_provider_ocr.transfers.landing_arguments",
    "airflow_provider_ocr.transfers.mapped_landings",
]
OF_THE_EXTRAS = (
    *("tesserocr", "cv2", "numpy", "PIL", "pypdfium2", "pikepdf", "lxml", "zxingcpp", "fontTools"),
    *("psycopg2", "prometheus_client"),
)


def without(*modules: str) -> str:
    """A program's beginning after which these modules cannot be imported, as if they were not installed."""
    return f"""
import sys

class Absent:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {modules!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent)
"""


def run(*command: str | Path) -> str:
    """The output of a command that has to succeed."""
    done = subprocess.run(
        [str(part) for part in command],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, PROJECT)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture
def empty_environment(tmp_path: Path) -> Path:
    folder = tmp_path / "environment"
    venv.create(folder, with_pip=True)
    return folder


def has_module(environment: Path, module: str) -> bool:
    probe = f"import importlib.util; print(importlib.util.find_spec({module!r}) is not None)"
    return run(environment / "bin" / "python", "-c", probe).strip() == "True"


def recognised(server: OcrServer, scans: ScanServer) -> bytes:
    """The text of a scan, from a server that is started for it."""
    client = CloudOcrClient(base_url=server.url, application_id=APPLICATION_ID, password=PASSWORD)
    with server, client:
        settings = ProcessingSettings.parse(export_format="txt")
        task = client.process_remote_image(f"{scans.url}/receipt.png", settings)
        deadline = time.monotonic() + 60
        while (task := client.get_task_status(task.id)).is_running:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return b"".join(client.download_result(task.result_urls[0]))


def test_what_the_extras_bring_no_operator_sensor_or_transfer_imports() -> None:
    assert run(sys.executable, "-c", without(*OF_THE_EXTRAS) + IMPORT_ALL).split() == IN_ORDER


def test_the_server_recognises_where_airflow_cannot_be_imported(tmp_path: Path, scans: ScanServer) -> None:
    folder = tmp_path / "started-first"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(without("airflow"))
    environment = {"PYTHONPATH": str(folder)}
    probe = [sys.executable, "-c", "import airflow"]
    assert subprocess.run(probe, env={**clean_environment(), **environment}, check=False).returncode == 1
    server = OcrServer(data=tmp_path / "data", logs=tmp_path / "logs", environment=environment)
    assert b"Corner Grocer" in recognised(server, scans)


@pytest.mark.long
def test_its_types_are_announced_to_type_checkers(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as files:
        assert "airflow_provider_ocr/py.typed" in files.namelist()


@pytest.mark.long
def test_without_extras_every_operator_sensor_and_transfer_imports(
    wheel: Path, empty_environment: Path
) -> None:
    run(empty_environment / "bin" / "pip", "install", wheel, "--constraint", CONSTRAINTS)
    assert not has_module(empty_environment, "tesserocr")
    assert run(empty_environment / "bin" / "python", "-c", IMPORT_ALL).split() == IN_ORDER


@pytest.mark.long
def test_the_server_recognises_where_airflow_is_not_installed(
    wheel: Path,
    empty_environment: Path,
    tmp_path: Path,
    scans: ScanServer,
) -> None:
    pip = empty_environment / "bin" / "pip"
    run(pip, "install", "--no-deps", wheel)
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(run(empty_environment / "bin" / "cloud-ocr-server", "requirements"))
    run(pip, "install", "--requirement", requirements, "--constraint", CONSTRAINTS)
    assert not has_module(empty_environment, "airflow")
    server = OcrServer(data=tmp_path / "data", logs=tmp_path / "logs", environment_folder=empty_environment)
    assert b"Corner Grocer" in recognised(server, scans)
