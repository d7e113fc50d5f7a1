# SPDX-License-Identifier: Apache-2.0
"""What a page image is worked on as."""

from __future__ import annotations

import pytest

from airflow_provider_ocr.server.recognition.page_image import believable_dpi


@pytest.mark.parametrize(
    ("declared", "size", "expected"),
    [
        (300.0, (2480, 3508), 300.0),
        (None, (2480, 3508), 300.0),
        (0.0, (2480, 3508), 300.0),
        (1.0, (1240, 1754), 150.0),
        (72.0, (4000, 3000), 342.2),
        (72.0, (595, 842), 72.0),
        (None, (100, 100), 50.0),
    ],
)
def test_a_resolution_is_believed_unless_absurd(
    declared: float | None, size: tuple[int, int], expected: float
) -> None:
    assert believable_dpi(declared, width=size[0], height=size[1]) == pytest.approx(expected, abs=0.2)
