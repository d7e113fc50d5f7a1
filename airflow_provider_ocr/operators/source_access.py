# SPDX-License-Identifier: Apache-2.0
"""Makes of the operator's ``source`` an image to be submitted: of a URL, or of a path of object storage.

A path is read with the Airflow connection that it names, on the worker.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.redaction import quoted, spellings
from airflow_provider_ocr.protocol.source_url import SourceAccess, require_image, require_way, url_warning
from airflow_provider_ocr.protocol.storage_path import is_storage_path

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

    from airflow_provider_ocr.client.client import CloudOcrClient
    from airflow_provider_ocr.lifecycle.submission import Prepare

_log = logging.getLogger(__name__)


def image_at(source: Any, source_access: str | None, client: CloudOcrClient) -> Prepare:
    """The image at a URL or at a path of object storage.

    :param source: what was given for the image's place, rendered: text or an ``ObjectStoragePath``.
    :param source_access: what becomes of a path: a `SourceAccess`.
    :param client: speaks to the service.
    :raises InvalidParameterError: if it can be no image's place, or its storage is not installed.
    """
    from airflow_provider_ocr.lifecycle.stored_image import signed_image, uploaded_image
    from airflow_provider_ocr.lifecycle.submission import remote_image

    place, access = require_image(source), SourceAccess.parse(source_access)
    require_way(place, access)
    if not is_storage_path(place):
        return remote_image(client, place)
    filesystem, path = _opened(source)
    if is_uploaded(place, access):
        return uploaded_image(client, filesystem, path)
    return signed_image(client, filesystem, path, on_signed=_keep_secret)


def is_uploaded(place: str, source_access: str | None) -> bool:
    """Whether the image is sent along with the request.

    :param place: the image's URL, or its path of object storage.
    :param source_access: what becomes of a path.
    """
    return is_storage_path(place) and SourceAccess.parse(source_access) is SourceAccess.UPLOAD


def _opened(source: Any) -> tuple[AbstractFileSystem, str]:
    """The file system that a path names, and the path in it."""
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    try:
        path = ObjectStoragePath(source)
        # The path's own methods fall back on a file system without credentials; this one raises instead.
        filesystem = path.fs
    except (ImportError, ValueError) as error:
        raise InvalidParameterError(
            "source",
            f"its object storage cannot be used here: {quoted(str(error))} The Airflow provider of the "
            "storage has to be installed where the task runs.",
        ) from None
    return filesystem, path.path


def _keep_secret(url: str) -> None:
    """Have Airflow mask a signed URL in everybody's log lines, and warn if it may not pass."""
    from airflow.providers.common.compat.sdk import mask_secret

    query = url.partition("?")[2]
    signatures = [item.partition("=")[2] for item in query.split("&") if "sig" in item.lower()]
    mask_secret([*spellings([url, query, *signatures])])
    if warning := url_warning(url):
        _log.warning(warning)
