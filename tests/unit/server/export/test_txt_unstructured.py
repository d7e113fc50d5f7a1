# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from airflow_provider_ocr.server.document import Barcode, Block, BlockType, Box, Line, Page
from airflow_provider_ocr.server.export.txt_unstructured import TxtUnstructuredExporter

MakeLine = Callable[..., Line]
MakePage = Callable[..., Page]


def test_blocks_stand_one_after_the_other_line_for_line(
    tmp_path: Path, make_line: MakeLine, make_page: MakePage, export: Callable[..., None]
) -> None:
    left = [make_line(("Tea", 0), top=100), make_line(("Coffee", 0), top=150)]
    right = [make_line(("3.20", 600), top=100)]
    export(TxtUnstructuredExporter(tmp_path / "a.txt"), [make_page(left, right)])
    assert (tmp_path / "a.txt").read_text(encoding="utf-8-sig") == "Tea\nCoffee\n\n3.20\n"


def test_a_table_has_a_line_for_each_row_and_a_barcode_its_value(
    tmp_path: Path, make_page: MakePage, make_table: Callable[..., Block], export: Callable[..., None]
) -> None:
    barcode = Block(BlockType.BARCODE, Box(0, 0, 9, 9), barcode=Barcode("QRCODE", "A-1"))
    page = replace(make_page(), blocks=(make_table(["Tea", "3.20"], ["Milk", ""]), barcode))
    export(TxtUnstructuredExporter(tmp_path / "a.txt"), [page])
    assert (tmp_path / "a.txt").read_text(encoding="utf-8-sig") == "Tea\t3.20\nMilk\t\n\nA-1\n"


def test_nothing_read_is_three_bytes(
    tmp_path: Path, make_page: MakePage, export: Callable[..., None]
) -> None:
    export(TxtUnstructuredExporter(tmp_path / "a.txt"), [make_page(), make_page(number=2)])
    assert (tmp_path / "a.txt").read_bytes() == b"\xef\xbb\xbf"
