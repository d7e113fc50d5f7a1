# SPDX-License-Identifier: Apache-2.0
"""What a landed file is called elsewhere: among Airflow's assets, in OpenLineage, on its store's web pages.

Every name is made of where the file lies and nothing else, so none of them holds a secret or a signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

_S3 = frozenset({"s3", "s3a", "s3n"})
_GCS = frozenset({"gs", "gcs"})
_AZURE = frozenset({"abfs", "abfss", "adl", "az"})
_FOLDER = frozenset({"file", "local", ""})

_KEPT = "/:@!$&'()*+,;=~"
_AMAZON = {".amazonaws.com": "console.aws.amazon.com", ".amazonaws.com.cn": "console.amazonaws.cn"}
_AZURE_BLOBS = ".blob.core.windows.net"


def asset_uri(path: ObjectStoragePath) -> str:
    """The URI of the file as an asset: without the connection, which is not part of what the file is.

    :param path: of a landed file.
    """
    # Airflow cuts an asset's URI at "?" and "#", and wants its name, which is the URI, to be ASCII.
    return f"{path.protocol or 'file'}://{quote(path.path, safe=_KEPT)}"


def dataset_name(path: ObjectStoragePath) -> tuple[str, str]:
    """Namespace and name of the file as OpenLineage's naming conventions have them.

    :param path: of a landed file.
    """
    protocol = path.protocol or "file"
    if protocol in _FOLDER:
        return "file", path.path
    bucket, key = _bucket_and_key(path)
    if protocol in _S3:
        return f"s3://{bucket}", key
    if protocol in _GCS:
        return f"gs://{bucket}", key
    if protocol in _AZURE:
        return f"abfss://{bucket}@{path.fs.service_client.account_name}.dfs.core.windows.net", key
    return f"{protocol}://{bucket}", key


def web_address(paths: list[ObjectStoragePath]) -> str | None:
    """Where a person sees the files in a browser, if their store has pages for that.

    It is the console's page of the one file, or of the folder that holds several. Azure's portal cannot be
    addressed without a subscription, so there it is the address of the first file itself.

    :param paths: of landed files, all in one folder.
    """
    path = paths[0]
    bucket, key = _bucket_and_key(path)
    is_one = len(paths) == 1
    if path.protocol in _S3:
        return _in_the_console_of_s3(path.fs, bucket, key, is_one=is_one)
    if path.protocol in _GCS:
        return _in_the_console_of_gcs(path.fs, bucket, key, is_one=is_one)
    if path.protocol in _AZURE:
        host = str(path.fs.service_client.primary_hostname)
        return f"https://{host}/{quote(f'{bucket}/{key}')}" if host.endswith(_AZURE_BLOBS) else None
    return None


def _in_the_console_of_s3(filesystem: Any, bucket: str, key: str, *, is_one: bool) -> str | None:
    # What the filesystem was told may be nothing: the endpoint may come from the environment.
    host = urlsplit(filesystem.s3.meta.endpoint_url).hostname or ""
    console = next((console for domain, console in _AMAZON.items() if host.endswith(domain)), None)
    if console is None:
        return None
    if is_one:
        return f"https://{console}/s3/object/{bucket}?prefix={quote(key, safe='')}"
    return f"https://{console}/s3/buckets/{bucket}?prefix={quote(_folder_of(key), safe='')}"


def _in_the_console_of_gcs(filesystem: Any, bucket: str, key: str, *, is_one: bool) -> str | None:
    if urlsplit(filesystem.base).hostname != "storage.googleapis.com":
        return None
    pages = "https://console.cloud.google.com/storage/browser"
    return (
        f"{pages}/_details/{bucket}/{quote(key)}" if is_one else f"{pages}/{bucket}/{quote(_folder_of(key))}"
    )


def _bucket_and_key(path: ObjectStoragePath) -> tuple[str, str]:
    bucket, _, key = path.path.lstrip("/").partition("/")
    return bucket, key


def _folder_of(key: str) -> str:
    folder = key.rpartition("/")[0]
    return f"{folder}/" if folder else ""
