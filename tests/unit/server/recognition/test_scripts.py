# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from airflow_provider_ocr.server.recognition.scripts import in_one_script

MICRO, MU = "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"


@pytest.mark.parametrize(
    ("read", "meant"),
    [
        pytest.param(f"{MICRO}ήνας", f"{MU}ήνας", id="a Greek word"),
        pytest.param(f"{MICRO}m", f"{MICRO}m", id="a unit"),
        pytest.param(MICRO, MICRO, id="alone"),
        pytest.param("moon", "moon", id="another script"),
    ],
)
def test_a_micro_sign_among_greek_letters_is_a_letter(read: str, meant: str) -> None:
    assert in_one_script(list(read)) == list(meant)
