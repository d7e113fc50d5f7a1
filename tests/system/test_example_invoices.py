# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import openpyxl
import pikepdf
from lxml import etree

from demo.local_airflow import LocalAirflow
from demo.ocr_server import ScanServer

DAG_ID = "example_invoices"
RUN_ID = "system-test"


def test_an_invoice_lands_as_workbook_archive_file_and_coordinates(
    airflow: LocalAirflow, scans: ScanServer, tmp_path: Path
) -> None:
    conf = {
        "invoices": [{"source": f"{scans.url}/rechnung.pdf", "name": "rechnung", "language": "German"}],
        "destination": tmp_path.as_uri(),
    }
    airflow.run_dag(DAG_ID, RUN_ID, conf)
    assert airflow.wait_for_run(DAG_ID, RUN_ID, seconds=300) == "success"
    sheet = openpyxl.load_workbook(tmp_path / "rechnung.xlsx").worksheets[0]
    numbers = [
        value for row in sheet.iter_rows(values_only=True) for value in row if isinstance(value, float)
    ]
    assert {249.9, 1249.5, 5442.82} <= set(numbers)
    with pikepdf.open(tmp_path / "rechnung.pdf") as pdf:
        assert "/StructTreeRoot" in pdf.Root
        assert pdf.open_metadata()["pdfaid:part"] == "1"
    tables = etree.parse(tmp_path / "rechnung.xml").findall(".//{*}block[@blockType='Table']")
    assert len(tables) == 2
