# SPDX-License-Identifier: Apache-2.0
"""``airflow providers ...`` shows this provider and has nothing to complain of."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import airflow_provider_ocr
from tests.provider_commands import assert_shown_without_a_warning, run_provider_commands


def test_airflow_shows_the_provider_without_a_warning(tmp_path: Path) -> None:
    assert_shown_without_a_warning(run_provider_commands(Path(sys.executable), tmp_path))


@pytest.mark.long
def test_a_provider_that_airflow_objects_to_would_be_noticed(tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "airflow_provider_ocr"
    shutil.copytree(Path(airflow_provider_ocr.__file__).parent, copy)
    info = copy / "get_provider_info.py"
    info.write_text(info.read_text().replace('"cloud_ocr"', '"another_type"'))
    commands = run_provider_commands(Path(sys.executable), tmp_path, package=copy.parent)
    with pytest.raises(AssertionError, match="Inconsistency"):
        assert_shown_without_a_warning(commands)
