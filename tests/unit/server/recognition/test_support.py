# SPDX-License-Identifier: Apache-2.0
"""What is not carried out is refused by name, without loading an engine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.recognition.support import supported
from airflow_provider_ocr.server.recognition.tessdata import Tessdata

ENGLISH = Tessdata(Path(), frozenset({"eng"}))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"export_format": "txt,pdfSearchable,xml"},
        {"export_format": "docx,xlsx,pptx"},
        {"export_format": None},
        {"text_type": "typewriter,matrix,index,ocrA,ocrB"},
        {"text_type": "index", "language": "Digits"},
        {"image_source": "scanner", "correct_orientation": False, "correct_skew": False},
        {"pdf_password": "secret"},
        {"read_barcodes": True, "write_tags": "dontWrite", "description": "any"},
        {"export_format": "pdfa,pdfTextAndImages", "write_tags": "write"},
        {"export_format": "xml", "write_recognition_variants": True},
    ],
)
def test_what_is_carried_out_passes(values: dict[str, Any]) -> None:
    supported(ProcessingSettings.parse(**{"export_format": "txt", **values}), ENGLISH)


@pytest.mark.parametrize(
    ("values", "parameter"),
    [
        ({"language": "English,Polish"}, "language"),
        ({"language": "Digits"}, "language"),
        ({"language": "E13B", "text_type": "e13b"}, "textType"),
        ({"profile": "fieldLevelRecognition"}, "profile"),
        ({"text_type": "normal,gothic"}, "textType"),
    ],
)
def test_what_is_not_carried_out_is_refused_by_name(values: dict[str, Any], parameter: str) -> None:
    settings = ProcessingSettings.parse(**{"export_format": "txt", **values})
    with pytest.raises(InvalidParameterError) as refused:
        supported(settings, ENGLISH)
    assert refused.value.parameter == parameter


NO_DATA = (
    "this server has no data to read {0}; it reads {1}. `cloud-ocr-server languages add {0}` adds it, "
    "from the server's next start on."
)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"language": "English,Polish"},
            NO_DATA.format("Polish", ", ".join(sorted(ENGLISH.languages))),
        ),
        (
            {"language": "Polish,Zulu,English"},
            "no data is known with which this server could read Zulu.",
        ),
        (
            {"profile": "fieldLevelRecognition"},
            "this server does not carry out 'fieldLevelRecognition'; use textExtraction.",
        ),
        (
            {"text_type": "matrix,gothic"},
            "this server has no data to read 'gothic'; install Debian's tesseract-ocr-frk or "
            "tesseract-ocr-script-frak, or put one of frk.traineddata, deu_latf.traineddata, "
            "Fraktur.traineddata, frak2021.traineddata, GT4HistOCR.traineddata into its folder --tessdata, "
            "and start it again.",
        ),
        ({"language": "Digits"}, "Digits is read with textType=index only; add that."),
    ],
)
def test_a_refusal_says_in_the_callers_words_what_to_use_instead(
    values: dict[str, Any], message: str
) -> None:
    settings = ProcessingSettings.parse(**{"export_format": "txt", **values})
    with pytest.raises(InvalidParameterError) as refused:
        supported(settings, ENGLISH)
    assert str(refused.value) == f"{refused.value.parameter}: {message}"


def test_asking_loads_no_engine() -> None:
    heavy = "tesserocr cv2 numpy PIL pypdfium2 pikepdf lxml zxingcpp fontTools"
    code = (
        "import sys; import airflow_provider_ocr.server.recognition.support; "
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "[]"
