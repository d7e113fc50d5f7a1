# SPDX-License-Identifier: Apache-2.0
"""The key names one request whatever its signature, and leaves the author's description in front."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_provider_ocr.lifecycle.submission import idempotency_key, with_key
from airflow_provider_ocr.protocol import errors
from airflow_provider_ocr.protocol.characters import is_xml_text
from airflow_provider_ocr.protocol.settings import MAX_DESCRIPTION_LENGTH, ProcessingSettings

SOURCE = "https://images.example/scan.png?sig=SECRET"
SETTINGS = ProcessingSettings.parse(export_format="txt", description="Invoice 7")
KEY = "0123456789abcdef0123"
MARKER = f"[airflow:{KEY}]"

IDENTITY = ("dag", "run", "task", -1)
KEY_OF_REFERENCE = idempotency_key(*IDENTITY, source=SOURCE, settings=SETTINGS)


@pytest.mark.parametrize(
    "source",
    [
        "https://images.example/scan.png",
        "https://images.example/scan.png?sig=OTHER&se=2026&sp=r&sv=2012-02-12&sr=b",
        "https://images.example/scan.png?X-Amz-Signature=OTHER&X-Amz-Date=20261122T000000Z&X-Amz-Expires=60",
        "https://images.example/scan.png?Expires=1&Signature=OTHER&Key-Pair-Id=K",
        "https://images.example/scan.png#page",
        "https://user:secret@images.example/scan.png",
    ],
)
def test_the_key_does_not_depend_on_how_the_url_is_signed(source: str) -> None:
    assert idempotency_key(*IDENTITY, source=source, settings=SETTINGS) == KEY_OF_REFERENCE


def test_the_key_does_not_depend_on_the_password() -> None:
    settings = ProcessingSettings.parse(export_format="txt", description="Invoice 7", pdf_password="p")
    assert idempotency_key(*IDENTITY, source=SOURCE, settings=settings) == KEY_OF_REFERENCE


@pytest.mark.parametrize(
    ("identity", "source", "settings"),
    [
        (("dag", "run", "task", 0), SOURCE, SETTINGS),
        (("dag", "run2", "task", -1), SOURCE, SETTINGS),
        (("dagrun", "", "task", -1), SOURCE, SETTINGS),
        (IDENTITY, "https://images.example/scan2.png?sig=SECRET", SETTINGS),
        (IDENTITY, "http://images.example/scan.png?sig=SECRET", SETTINGS),
        (IDENTITY, "https://images.example/scan.png?page=2&sig=SECRET", SETTINGS),
        (IDENTITY, "https://images.example/scan.png?st=2", SETTINGS),
        (IDENTITY, SOURCE, ProcessingSettings.parse(export_format="xml", description="Invoice 7")),
        (IDENTITY, SOURCE, ProcessingSettings.parse(export_format="txt", description="Invoice 8")),
        (
            IDENTITY,
            SOURCE,
            ProcessingSettings.parse(export_format="txt", description="Invoice 7", language="German"),
        ),
    ],
)
def test_another_request_has_another_key(
    identity: tuple[str | int, ...], source: str, settings: ProcessingSettings
) -> None:
    assert idempotency_key(*identity, source=source, settings=settings) != KEY_OF_REFERENCE


@given(st.text(max_size=300))
@example(" ")
def test_the_authors_description_stays_in_front_or_is_refused(description: str) -> None:
    is_blank = bool(description) and not description.strip()  # as nothing is what the API's form of it is
    fits = len(description) <= 224 and is_xml_text(description) and not is_blank
    try:
        settings = with_key(ProcessingSettings(description=description), KEY)
    except errors.InvalidParameterError:
        assert not fits
        return
    assert fits
    assert settings.description.startswith(description.lstrip())
    assert settings.description.endswith(MARKER)
    assert len(settings.description) <= MAX_DESCRIPTION_LENGTH


@pytest.mark.parametrize(("length", "fits"), [(0, True), (224, True), (225, False), (255, False)])
def test_the_description_has_room_for_224_characters(length: int, fits: bool) -> None:
    settings = ProcessingSettings(description="x" * length)
    if fits:
        assert with_key(settings, KEY).description == f"{'x' * length} {MARKER}".strip()
    else:
        with pytest.raises(errors.InvalidParameterError, match="at most 224"):
            with_key(settings, KEY)


def test_a_source_that_is_no_url_is_refused() -> None:
    with pytest.raises(errors.InvalidParameterError, match="source: it is no URL"):
        idempotency_key(*IDENTITY, source="http://[x", settings=SETTINGS)


def test_a_path_of_object_storage_counts_as_it_is() -> None:
    paths = [
        "s3://conn@bucket/a.tif",
        "s3://other@bucket/a.tif",
        "s3://conn@bucket/a.tif#2",
        "s3://conn@bucket/a.tif?Signature=2&Expires=3",
    ]
    keys = {idempotency_key("dag", source=path, settings=ProcessingSettings()) for path in paths}
    assert len(keys) == len(paths)
