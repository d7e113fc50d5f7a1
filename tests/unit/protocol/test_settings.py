# SPDX-License-Identifier: Apache-2.0
"""Settings read what people and clients write, and send what the API spells."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.protocol.characters import is_xml_text
from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.languages import LANGUAGES, one_spelling
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, ImageSource, Profile, TextType, WriteTags

LATER = "{{ later }}"
ALWAYS_SENT = {"language": "English", "exportFormat": "rtf"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"language": "english"}, {"language": "English"}),
        ({"language": "GERMAN, french"}, {"language": "German,French"}),
        ({"language": ["Spanish", "italian"]}, {"language": "Spanish,Italian"}),
        ({"language": ("chineseprc",)}, {"language": "ChinesePRC"}),
        ({"profile": "TEXTEXTRACTION"}, {"profile": "textExtraction"}),
        ({"profile": Profile.DOCUMENT_ARCHIVING}, {"profile": "documentArchiving"}),
        ({"text_type": "OCRA,Gothic"}, {"textType": "ocrA,gothic"}),
        ({"text_type": ["handPrinted"]}, {"textType": "handprinted"}),
        ({"image_source": "Photo"}, {"imageSource": "photo"}),
        ({"correct_orientation": False}, {"correctOrientation": "false"}),
        ({"correct_orientation": "FALSE"}, {"correctOrientation": "false"}),
        ({"correct_skew": "False"}, {"correctSkew": "false"}),
        ({"read_barcodes": True}, {"readBarcodes": "true"}),
        ({"read_barcodes": "false"}, {"readBarcodes": "false"}),
        ({"export_format": "PDFA"}, {"exportFormat": "pdfa"}),
        ({"export_format": "txt, PdfSearchable ,XML"}, {"exportFormat": "txt,pdfSearchable,xml"}),
        ({"export_format": [ExportFormat.XML, "docx"]}, {"exportFormat": "xml,docx"}),
        (
            {"export_format": "xml", "write_recognition_variants": "True"},
            {"exportFormat": "xml", "xml:writeRecognitionVariants": "true"},
        ),
        (
            {"export_format": "xmlForCorrectedImage", "write_recognition_variants": True},
            {"exportFormat": "xmlForCorrectedImage", "xml:writeRecognitionVariants": "true"},
        ),
        ({"write_tags": "DONTWRITE"}, {"pdf:writeTags": "dontWrite"}),
        ({"description": "Invoice 7, März"}, {"description": "Invoice 7, März"}),
        ({"pdf_password": "pass,word"}, {"pdfPassword": "pass,word"}),
    ],
)
def test_what_a_person_writes_is_sent_in_the_apis_spelling(
    given: dict[str, Any], sent: dict[str, str]
) -> None:
    assert ProcessingSettings.parse(**given).to_query() == {**ALWAYS_SENT, **sent}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {
            "profile": "documentConversion",
            "text_type": "normal",
            "image_source": "auto",
            "write_tags": "auto",
        },
        {"correct_orientation": True, "correct_skew": "true", "write_recognition_variants": "false"},
        {"language": None, "export_format": "", "text_type": [], "description": "", "pdf_password": None},
        {"description": " \t\n\N{NO-BREAK SPACE}"},
    ],
)
def test_defaults_are_not_sent_but_for_language_and_formats(given: dict[str, Any]) -> None:
    assert ProcessingSettings.parse(**given).to_query() == ALWAYS_SENT


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"language": "Klingon"}, "language"),
        ({"language": "English,"}, "language"),
        ({"language": "English,english"}, "language"),
        ({"profile": "fast"}, "profile"),
        ({"text_type": "cursive"}, "textType"),
        ({"text_type": ["normal", "NORMAL"]}, "textType"),
        ({"image_source": "fax"}, "imageSource"),
        ({"correct_orientation": "yes"}, "correctOrientation"),
        ({"correct_skew": "1"}, "correctSkew"),
        ({"correct_skew": 1}, "correctSkew"),
        ({"read_barcodes": "on"}, "readBarcodes"),
        ({"export_format": "pdf"}, "exportFormat"),
        ({"export_format": "txt,,xml"}, "exportFormat"),
        ({"export_format": "txt,TXT"}, "exportFormat"),
        ({"export_format": "txt,rtf,xml,docx"}, "exportFormat"),
        ({"export_format": "txt", "write_recognition_variants": True}, "xml:writeRecognitionVariants"),
        ({"write_recognition_variants": "maybe"}, "xml:writeRecognitionVariants"),
        ({"write_tags": "always"}, "pdf:writeTags"),
        ({"profile": 3}, "profile"),
        ({"description": "x" * 256}, "description"),
        ({"description": "bell\x07"}, "description"),
        ({"description": "zero\x00"}, "description"),
        ({"pdf_password": "\ud800"}, "pdfPassword"),
        ({"language": "Awar,Avar"}, "language"),
        ({"language": "Sioux,Sioux (Dakota)"}, "language"),
        ({"language": 5}, "language"),
        ({"language": b"English"}, "language"),
        ({"language": {"English"}}, "language"),
        ({"export_format": {"txt": 1}}, "exportFormat"),
        ({"export_format": "['txt', 'xml']"}, "exportFormat"),
    ],
)
def test_what_the_api_does_not_take_is_refused_by_name(given: dict[str, Any], parameter: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        ProcessingSettings.parse(**given)
    assert caught.value.parameter == parameter


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        ({"language": ()}, "language"),
        ({"text_type": ()}, "textType"),
        ({"export_format": ()}, "exportFormat"),
    ],
)
def test_a_list_needs_a_value(given: dict[str, Any], parameter: str) -> None:
    with pytest.raises(InvalidParameterError, match="at least one") as caught:
        ProcessingSettings(**given)
    assert caught.value.parameter == parameter


def test_255_characters_of_description_are_taken_whatever_their_bytes() -> None:
    assert ProcessingSettings.parse(description="ß" * 255).to_query()["description"] == "ß" * 255


def test_a_number_as_description_is_taken_as_its_text() -> None:
    assert ProcessingSettings.parse(description=2026).description == "2026"


def test_a_name_that_is_no_setting_is_a_programming_error() -> None:
    with pytest.raises(TypeError) as caught:
        ProcessingSettings.parse(langauge="English", exportformat="txt", source="https://a.example/")
    assert str(caught.value) == (
        "not a processing setting: exportformat (did you mean export_format?), "
        "langauge (did you mean language?), source"
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("exportFormats", "exportFormat"),
        ("EXPORT_FORMAT", "exportFormat"),
        ("lang", "language"),
        ("pdf_password", "pdfPassword"),
        ("writeTags", "pdf:writeTags"),
        ("xml:writeRecognitionVariant", "xml:writeRecognitionVariants"),
        ("region", None),
        ("xml:writeFormatting", None),
    ],
)
def test_the_parameter_that_was_meant_is_suggested(name: str, meant: str | None) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        ProcessingSettings.from_query({name: "x"})
    question = f" Did you mean {meant!r}?" if meant else ""
    assert str(caught.value) == f"{name}: the service knows no such parameter.{question}"


def test_a_parameter_in_two_spellings_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="language: the parameter is given more than once"):
        ProcessingSettings.from_query({"language": "English", "LANGUAGE": "German"})


@pytest.mark.parametrize("name", ["region", "source", "taskId", "pdf_password", ""])
def test_a_query_parameter_that_is_no_setting_is_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        ProcessingSettings.from_query({name: "x"})
    assert caught.value.parameter == name


def test_query_parameters_are_read_in_any_case() -> None:
    query = {"LANGUAGE": "german", "ExportFormat": "XML", "XML:WRITERECOGNITIONVARIANTS": "TRUE"}
    assert ProcessingSettings.from_query(query) == ProcessingSettings(
        language=("German",), export_format=(ExportFormat.XML,), write_recognition_variants=True
    )


@pytest.mark.parametrize(
    ("read_barcodes", "export_format", "reads"),
    [
        (None, "txt", False),
        (None, "txt,xml", True),
        (None, "xmlForCorrectedImage", True),
        (None, "alto", False),
        (None, "TXT", False),
        (True, "txt", True),
        (False, "xml", False),
    ],
)
def test_barcodes_are_read_with_xml_unless_the_author_says_otherwise(
    read_barcodes: bool | None, export_format: str, reads: bool
) -> None:
    settings = ProcessingSettings.parse(read_barcodes=read_barcodes, export_format=export_format)
    assert settings.reads_barcodes is reads


def test_barcodes_are_read_with_the_profile_that_reads_nothing_else() -> None:
    assert ProcessingSettings.parse(profile="barcodeRecognition").reads_barcodes
    assert not ProcessingSettings.parse(profile="barcodeRecognition", read_barcodes=False).reads_barcodes


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"profile": "textExtracton"},
            "profile: 'textExtracton' is not one of documentConversion, documentArchiving, textExtraction, "
            "barcodeRecognition, fieldLevelRecognition. Did you mean 'textExtraction'?",
        ),
        (
            {"export_format": "txt,rtf,xml,docx"},
            "exportFormat: 4 formats (txt, rtf, xml, docx) are too many, at most 3 are allowed.",
        ),
        (
            {"export_format": "txt,rtf", "write_recognition_variants": True},
            "xml:writeRecognitionVariants: true is allowed only where exportFormat has xml or "
            "xmlForCorrectedImage; it has txt, rtf.",
        ),
        ({"correct_skew": "ja"}, "correctSkew: 'ja' is not one of true, false."),
        ({"export_format": "txt,TXT"}, "exportFormat: given more than once: txt."),
        ({"language": "Avar,English,Awar"}, "language: given more than once: Avar, Awar."),
        ({"language": "English,,German"}, "language: the list has an empty entry."),
        ({"text_type": {"normal"}}, "textType: {'normal'} is neither text nor a list."),
        (
            {"text_type": "('normal', 'matrix')"},
            "textType: \"('normal', 'matrix')\" is a list that was turned into text; write the values with "
            "commas.",
        ),
        ({"description": "a\x07"}, "description: 'a\\x07' has control characters, which XML cannot carry."),
        (
            {"description": "x" * 256},
            f"description: 256 characters are too long, at most 255 are allowed: '{'x' * 98}…",
        ),
    ],
    ids=lambda value: None if isinstance(value, str) else ",".join(value),
)
def test_a_message_says_parameter_value_and_what_is_allowed(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        ProcessingSettings.parse(**given)
    assert str(caught.value) == message


def _is_later(value: Any) -> bool:
    return value == LATER


@pytest.mark.parametrize(
    ("later", "given"),
    [
        ((), {}),
        (("language",), {"profile": "textExtraction"}),
        (("export_format",), {"write_recognition_variants": True}),
        (("write_recognition_variants",), {"export_format": "txt"}),
        (("export_format", "write_recognition_variants"), {}),
        ((), {"export_format": [LATER, "txt", "rtf"], "write_recognition_variants": True}),
        ((), {"export_format": [LATER, "XML", "rtf"], "write_recognition_variants": True}),
        ((), {"export_format": (LATER, LATER, LATER), "language": [LATER], "text_type": ["matrix", LATER]}),
    ],
)
def test_what_may_still_become_right_is_not_refused(later: tuple[str, ...], given: dict[str, Any]) -> None:
    ProcessingSettings.check(is_later=_is_later, **given, **dict.fromkeys(later, LATER))


@pytest.mark.parametrize(
    ("later", "given", "parameter"),
    [
        ((), {"write_recognition_variants": True}, "xml:writeRecognitionVariants"),
        (("language",), {"write_recognition_variants": True}, "xml:writeRecognitionVariants"),
        (("export_format",), {"write_recognition_variants": "maybe"}, "xml:writeRecognitionVariants"),
        (("export_format",), {"profile": "fast"}, "profile"),
        (("language",), {"export_format": "txt,rtf,xml,docx"}, "exportFormat"),
        (("language",), {"description": "x" * 256}, "description"),
        ((), {"export_format": [LATER, "tx"]}, "exportFormat"),
        ((), {"export_format": [LATER, LATER, LATER, "txt"]}, "exportFormat"),
        ((), {"export_format": (LATER, "txt", "TXT")}, "exportFormat"),
        ((), {"export_format": {LATER, "txt"}}, "exportFormat"),
        ((), {"language": ["Germn", LATER]}, "language"),
        ((), {"text_type": [LATER, "normal", "normal"]}, "textType"),
        (
            (),
            {"export_format": [LATER, "txt"], "write_recognition_variants": 1},
            "xml:writeRecognitionVariants",
        ),
    ],
)
def test_what_cannot_become_right_any_more_is_refused_early(
    later: tuple[str, ...], given: dict[str, Any], parameter: str
) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        ProcessingSettings.check(is_later=_is_later, **given, **dict.fromkeys(later, LATER))
    assert caught.value.parameter == parameter


@pytest.mark.parametrize("password", ["SECRET\ud800", 20262026])
def test_no_message_shows_the_password(password: Any) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        ProcessingSettings(pdf_password=password)
    assert "SECRET" not in str(caught.value)
    assert "2026" not in str(caught.value)


def test_values_that_equal_the_apis_become_them() -> None:
    settings = ProcessingSettings(profile="textExtraction", export_format=("txt",))  # type: ignore[arg-type]  # what a careless caller passes
    assert type(settings.profile) is Profile
    assert settings.export_format[0].file_type.extension == "txt"


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_no_value_of_an_enumeration(value: Any) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        ProcessingSettings(profile=value)
    assert caught.value.parameter == "profile"


def test_the_password_is_sent_but_not_shown() -> None:
    settings = ProcessingSettings.parse(pdf_password="open sesame")
    assert settings.to_query()["pdfPassword"] == "open sesame"
    assert "sesame" not in repr(settings)


def _some(values: Any, most: int) -> st.SearchStrategy[tuple[Any, ...]]:
    one = st.sampled_from(sorted(values))
    return st.lists(one, min_size=1, max_size=most, unique_by=one_spelling).map(tuple)


@st.composite
def all_settings(draw: st.DrawFn) -> ProcessingSettings:
    export_format = draw(_some(ExportFormat, 3))
    has_xml = {ExportFormat.XML, ExportFormat.XML_FOR_CORRECTED_IMAGE}.intersection(export_format)
    return ProcessingSettings(
        language=draw(_some(LANGUAGES, 5)),
        profile=draw(st.sampled_from(Profile)),
        text_type=draw(_some(TextType, 10)),
        image_source=draw(st.sampled_from(ImageSource)),
        correct_orientation=draw(st.booleans()),
        correct_skew=draw(st.booleans()),
        read_barcodes=draw(st.none() | st.booleans()),
        export_format=export_format,
        write_recognition_variants=bool(has_xml) and draw(st.booleans()),
        write_tags=draw(st.sampled_from(WriteTags)),
        description=draw(
            st.text(max_size=255).filter(is_xml_text).filter(lambda text: text.strip() or not text)
        ),
        pdf_password=draw(st.text(max_size=30)),
    )


@given(all_settings())
def test_settings_survive_the_query(settings: ProcessingSettings) -> None:
    assert ProcessingSettings.from_query(settings.to_query()) == settings


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"language": ("Klingon",)}, "language: 'Klingon' is not"),
        ({"language": ("english",)}, "language: ('english',) is not in the API's form"),
        ({"profile": "nonsense"}, "profile: 'nonsense' is not one of"),
        ({"text_type": "normal"}, "textType: 'normal' is not in the API's form"),
        ({"correct_skew": "maybe"}, "correctSkew: 'maybe' is not one of"),
        ({"correct_skew": "true"}, "correctSkew: 'true' is not in the API's form"),
        ({"export_format": ("txt", "word")}, "exportFormat: 'word' is not one of"),
    ],
)
def test_values_are_checked_however_the_settings_are_made(values: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        ProcessingSettings(**values)
    assert str(caught.value).startswith(named)
