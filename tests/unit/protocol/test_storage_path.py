# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import ClassVar

import pytest

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.source_url import SourceAccess, require_image
from airflow_provider_ocr.protocol.storage_path import (
    is_storage_path,
    secrets_of_storage_path,
    shown_storage_path,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://conn@bucket/a.tif", True),
        ("GS://bucket/a.tif", True),
        ("abfs://conn@container/a.tif", True),
        ("file:///scans/a.tif", True),
        ("https://s3.example/a.tif", False),
        ("s3:bucket", False),
        ("bucket/s3://a", False),
        ("", False),
    ],
)
def test_the_scheme_tells_a_path_of_object_storage(text: str, expected: bool) -> None:
    assert is_storage_path(text) is expected


@pytest.mark.parametrize(
    ("path", "shown", "has_secrets"),
    [
        ("s3://conn@bucket/a.tif", "s3://conn@bucket/a.tif", False),
        ("s3://bucket/a.tif", "s3://bucket/a.tif", False),
        ("s3://key:SECRET@bucket/a.tif", "s3://bucket/a.tif", True),
        ("s3://conn@bucket/a.tif?X-Amz-Signature=SECRET", "s3://conn@bucket/a.tif?X-Amz-Signature=***", True),
    ],
)
def test_of_a_path_everything_is_shown_but_passwords_and_signatures(
    path: str, shown: str, has_secrets: bool
) -> None:
    assert (shown_storage_path(path), bool(secrets_of_storage_path(path))) == (shown, has_secrets)


class Path:
    """An ObjectStoragePath, as far as it is looked at."""

    storage_options: ClassVar[dict[str, str]] = {}

    def __str__(self) -> str:
        return "s3://conn@bucket/a.tif"


@pytest.mark.parametrize("source", ["s3://conn@bucket/a.tif", Path()], ids=["text", "object"])
def test_a_path_is_the_place_of_an_image(source: object) -> None:
    assert require_image(source) == "s3://conn@bucket/a.tif"


@pytest.mark.parametrize(
    "source", ["s3://key:SECRET@bucket/a.tif", "s3://b/a.tif?sig=SECRET", "s3://b", "s3://b/c/"]
)
def test_a_path_with_a_secret_or_without_a_file_is_refused_without_showing_the_secret(source: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        require_image(source)
    assert "SECRET" not in str(caught.value)


def test_signing_is_what_is_done_unless_something_else_is_said() -> None:
    assert [SourceAccess.parse(value) for value in (None, "", "Sign", "upload")] == [
        *(SourceAccess.SIGN,) * 3,
        SourceAccess.UPLOAD,
    ]
