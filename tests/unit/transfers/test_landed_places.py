# SPDX-License-Identifier: Apache-2.0
"""The filesystems are the real drivers' own, which nobody talks to: what they are called needs no store."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import fsspec
import pytest
from airflow.sdk import Asset, ObjectStoragePath
from airflow.sdk.io import attach
from openlineage.client.naming.dataset import ABFSS, GCS, S3, LocalFileSystem

from airflow_provider_ocr.transfers.landed_places import asset_uri, dataset_name, web_address

AMAZON = {"key": "a key", "secret": "SECRET"}
_NUMBERS = itertools.count()
AZURE_KEY = base64.b64encode(b"SECRET").decode()


def path_in(protocol: str, name: str, **options: Any) -> ObjectStoragePath:
    """A path in a store that is reached by a connection."""
    conn_id = f"store_{next(_NUMBERS)}"  # Airflow keeps the first filesystem of each connection
    attach(protocol, conn_id=conn_id, fs=fsspec.filesystem(protocol, skip_instance_cache=True, **options))
    return ObjectStoragePath(f"{protocol}://{conn_id}@{name}")


def in_s3(name: str, region: str = "us-east-1", **options: Any) -> ObjectStoragePath:
    return path_in("s3", name, **AMAZON, client_kwargs={"region_name": region}, **options)


def in_gcs(name: str, **options: Any) -> ObjectStoragePath:
    return path_in("gs", name, token="anon", **options)


def in_azure(name: str, endpoint: str = "") -> ObjectStoragePath:
    endpoint = f"BlobEndpoint={endpoint};" if endpoint else "EndpointSuffix=core.windows.net;"
    connection = f"DefaultEndpointsProtocol=https;AccountName=papers;AccountKey={AZURE_KEY};{endpoint}"
    return path_in("abfs", name, connection_string=connection)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("file:///data/a.txt", "file:///data/a.txt"),
        ("s3://the_store@bucket/texts/a.txt", "s3://bucket/texts/a.txt"),
        ("s3://bucket/a b.txt", "s3://bucket/a%20b.txt"),
        ("s3://bucket/50%#1?.txt", "s3://bucket/50%25%231%3F.txt"),
        ("s3://bucket/Zürich.txt", "s3://bucket/Z%C3%BCrich.txt"),
        ("abfs://container/a.txt", "abfs://container/a.txt"),
    ],
    ids=["file", "connection", "blank", "reserved", "not_ascii", "azure"],
)
def test_the_uri_of_an_asset_is_the_files_without_the_connection_and_survives_airflow(
    uri: str, expected: str
) -> None:
    protocol = uri.partition(":")[0]
    if protocol != "file":
        attach(protocol, conn_id="the_store", fs=fsspec.filesystem("memory"))
        attach(protocol, fs=fsspec.filesystem("memory"))
    found = asset_uri(ObjectStoragePath(uri))
    assert found == expected
    assert Asset(found).uri == Asset(found).name == expected


@pytest.mark.parametrize(
    ("path", "naming"),
    [
        (lambda: ObjectStoragePath("file:///data/a.txt"), LocalFileSystem("/data/a.txt")),
        (lambda: in_s3("bucket/texts/a.txt"), S3("bucket", "texts/a.txt")),
        (lambda: in_gcs("bucket/texts/a.txt"), GCS("bucket", "texts/a.txt")),
        (lambda: in_azure("container/texts/a.txt"), ABFSS("container", "papers", "texts/a.txt")),
    ],
    ids=["file", "s3", "gs", "azure"],
)
def test_a_dataset_is_named_as_openlineage_names_it(path: Any, naming: Any) -> None:
    assert dataset_name(path()) == (naming.get_namespace(), naming.get_name())


CONSOLE = "https://console.aws.amazon.com/s3"
GOOGLE = "https://console.cloud.google.com/storage/browser"


@pytest.mark.parametrize(
    ("path", "of_one", "of_several"),
    [
        (
            lambda name: in_s3(f"bucket/some texts/{name}"),
            f"{CONSOLE}/object/bucket?prefix=some%20texts%2Fa.txt",
            f"{CONSOLE}/buckets/bucket?prefix=some%20texts%2F",
        ),
        (
            lambda name: in_s3(f"bucket/{name}"),
            f"{CONSOLE}/object/bucket?prefix=a.txt",
            f"{CONSOLE}/buckets/bucket?prefix=",
        ),
        (
            lambda name: in_s3(f"bucket/{name}", "cn-north-1"),
            "https://console.amazonaws.cn/s3/object/bucket?prefix=a.txt",
            "https://console.amazonaws.cn/s3/buckets/bucket?prefix=",
        ),
        (lambda name: in_s3(f"bucket/{name}", endpoint_url="http://127.0.0.1:1"), None, None),
        (
            lambda name: in_gcs(f"bucket/some texts/{name}"),
            f"{GOOGLE}/_details/bucket/some%20texts/a.txt",
            f"{GOOGLE}/bucket/some%20texts/",
        ),
        (lambda name: in_gcs(f"bucket/{name}", endpoint_url="http://127.0.0.1:1"), None, None),
        (
            lambda name: in_azure(f"container/some texts/{name}"),
            "https://papers.blob.core.windows.net/container/some%20texts/a.txt",
            "https://papers.blob.core.windows.net/container/some%20texts/a.txt",
        ),
        (lambda name: in_azure(f"container/{name}", "http://127.0.0.1:1/papers"), None, None),
        (lambda name: ObjectStoragePath(f"file:///data/{name}"), None, None),
    ],
    ids=["s3", "s3_bucket", "s3_china", "s3_other", "gs", "gs_other", "azure", "azure_other", "file"],
)
def test_files_have_the_address_of_their_stores_pages_where_it_has_some(
    path: Any, of_one: str | None, of_several: str | None
) -> None:
    assert web_address([path("a.txt")]) == of_one
    assert web_address([path("a.txt"), path("a.pdf")]) == of_several


def test_an_endpoint_from_the_environment_is_not_taken_for_amazons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    assert web_address([in_s3("bucket/a.txt")]) is None
