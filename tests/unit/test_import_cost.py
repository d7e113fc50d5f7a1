# SPDX-License-Identifier: Apache-2.0
"""DAG files are parsed all the time, so what they import may load nothing that the SDK has not loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

MODULES = {
    "ProcessRemoteImageOperator": "airflow_provider_ocr.operators.cloud_ocr",
    "CloudOcrTaskSensor": "airflow_provider_ocr.sensors.cloud_ocr",
    "CloudOcrToObjectStorageOperator": "airflow_provider_ocr.transfers.cloud_ocr_to_object_storage",
}

PROBE = """
import sys
from airflow.sdk import DAG
before = {name.partition(".")[0] for name in sys.modules}
import MODULE
after = {name.partition(".")[0] for name in sys.modules}
assert MODULE.__name__ == "MODULE"
assert "airflow.triggers.base" not in sys.modules, "triggers are for the triggerer"
print(*sorted(after - before - set(sys.stdlib_module_names) - {"airflow_provider_ocr"}))
"""


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES)
def test_importing_it_loads_no_other_package(module: str) -> None:
    probe = PROBE.replace("MODULE", module)
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []
