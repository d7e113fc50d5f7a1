# SPDX-License-Identifier: Apache-2.0
"""The types of barcodes in both vocabularies of the service."""

from __future__ import annotations

import pytest

from airflow_provider_ocr.protocol.barcodes import BarcodeType


@pytest.mark.parametrize(
    ("kind", "parameter"),
    [
        (BarcodeType.CODE_128, "code128"),
        (BarcodeType.DATA_MATRIX, "dataMatrix"),
        (BarcodeType.QR_CODE, "qrCode"),
        (BarcodeType.MAXICODE, None),
        (BarcodeType.UNKNOWN, None),
    ],
)
def test_a_type_has_a_name_in_parameters_where_they_can_ask_for_it(
    kind: BarcodeType, parameter: str | None
) -> None:
    assert kind.parameter == parameter


def test_a_parameter_differs_from_the_result_only_in_case() -> None:
    for kind in BarcodeType:
        assert kind.parameter is None or kind.parameter.upper() == kind.value
