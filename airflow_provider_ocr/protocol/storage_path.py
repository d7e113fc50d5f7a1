# SPDX-License-Identifier: Apache-2.0
"""Paths of object storage, such as ``s3://aws_default@bucket/a.tif``: what is one, and what is secret."""

from __future__ import annotations

import re

from airflow_provider_ocr.protocol.redaction import secrets_of_url, shown_url

_SCHEMES = frozenset(
    {"s3", "s3a", "s3n", "gs", "gcs", "abfs", "abfss", "adl", "az", "wasb", "wasbs", "hdfs", "file"}
)
# A user without a password is the ID of an Airflow connection.
_CONNECTION = re.compile(r"([a-z][a-z0-9+.-]*://[^@:/?#%]+@)(.*)", re.IGNORECASE | re.DOTALL)


def is_storage_path(text: str) -> bool:
    """Whether ``text`` is a path of object storage, by its scheme.

    :param text: a URL, or whatever was given instead of one.
    """
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.lower() in _SCHEMES


def shown_storage_path(path: str) -> str:
    """A path as it may be shown: with the ID of the connection, without passwords and signatures.

    :param path: a path of object storage.
    """
    found = _CONNECTION.fullmatch(path)
    return f"{found[1]}{shown_url(found[2])}" if found else shown_url(path)


def secrets_of_storage_path(path: str) -> tuple[str, ...]:
    """What in a path must not be seen, in every spelling that a log may have it in.

    :param path: a path of object storage.
    """
    found = _CONNECTION.fullmatch(path)
    return secrets_of_url(found[2] if found else path)
