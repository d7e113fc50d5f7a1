# SPDX-License-Identifier: Apache-2.0
"""What a page image is worked on as."""

from __future__ import annotations

import pytest
from PIL import Image

from airflow_provider_ocr.server.recognition.page_image import working_page, working_size
from airflow_provider_ocr.server.recognition.resolution import Resolution


@pytest.mark.parametrize(
    ("size", "resolution", "worked_on"),
    [
        ((2480, 3508), None, (2480, 3508)),
        ((6000, 6000), None, (6000, 6000)),
        ((16000, 9000), None, (8000, 4500)),
        ((64000, 100), None, (32000, 50)),
        ((64000, 1), None, (32000, 1)),
        ((1728, 1145), Resolution(204, 98), (1728, 2383)),
        ((1728, 2291), Resolution(204, 196), (1728, 2291)),
        ((600, 2400), Resolution(300, 600), (1200, 2400)),
    ],
)
def test_a_page_is_worked_on_in_square_pixels_and_not_too_many(
    size: tuple[int, int], resolution: Resolution | None, worked_on: tuple[int, int]
) -> None:
    assert working_size(*size, resolution=resolution) == worked_on


def test_a_page_of_flat_pixels_knows_the_way_back() -> None:
    page = working_page(
        Image.new("1", (204, 98), 1), number=1, size=(204, 98), resolution=Resolution(204.0, 98.0)
    )
    assert page.image.size == (204, 204)
    assert (page.dpi, page.original_dpi) == (204, 204)
    assert page.to_original.point(102, 204) == (102, 98)


@pytest.mark.parametrize(("tint", "mode"), [(6, "L"), (7, "RGB")])
def test_colours_are_those_that_no_scanner_makes_up(tint: int, mode: str) -> None:
    image = Image.new("RGB", (700, 1100), (200, 200, 200))
    image.paste((200, 200, 200 - tint), (690, 1090, 700, 1100))
    page = working_page(image, number=1, size=image.size, resolution=None)
    assert page.image.mode == mode
