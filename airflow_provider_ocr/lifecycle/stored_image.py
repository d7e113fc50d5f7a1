# SPDX-License-Identifier: Apache-2.0
"""Images that lie in object storage: the service fetches them by a signed URL, or they are sent along.

Whether the image is there, and may be read, is asked before anything is paid for. A signed URL opens the
image to whoever has it: it goes to the service and to ``on_signed``, and into no message.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fsspec import AbstractFileSystem

from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.submission import Prepare, Send, remote_image
from airflow_provider_ocr.protocol.errors import InvalidParameterError, SourceUnreadableError
from airflow_provider_ocr.protocol.redaction import is_signed, quoted
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.source_url import require_source
from airflow_provider_ocr.protocol.task import OcrTask

SIGNED_SECONDS = 25 * 60 * 60
"""For how long a URL is signed: 24 hours, and an hour for clocks that differ."""

MAX_UPLOAD_BYTES = 30 * 1024 * 1024
"""The largest image that the service takes in the body of a request."""

_SESSION_TOKEN = "x-amz-security-token"  # noqa: S105 - the parameter's name


def signed_image(
    client: CloudOcrClient,
    filesystem: AbstractFileSystem,
    path: str,
    *,
    on_signed: Callable[[str], None],
) -> Prepare:
    """An image that the service fetches by a URL that is signed for at least 24 hours.

    :param client: speaks to the service.
    :param filesystem: where the image lies.
    :param path: the image's path there, without scheme.
    :param on_signed: is told the signed URL before anybody else, so that it can be masked.
    """

    def prepare() -> Send:
        _size(filesystem, path)
        url = _signed(filesystem, path)
        on_signed(url)
        return remote_image(client, require_source(url))()

    return prepare


def uploaded_image(client: CloudOcrClient, filesystem: AbstractFileSystem, path: str) -> Prepare:
    """An image of at most 30 MB that is sent along with the request.

    :param client: speaks to the service.
    :param filesystem: where the image lies.
    :param path: the image's path there, without scheme.
    """

    def prepare() -> Send:
        size = _size(filesystem, path)
        if not 0 < size <= MAX_UPLOAD_BYTES:
            raise InvalidParameterError(
                "source",
                f"{path} has {size:,} bytes; an image that is uploaded has between 1 and "
                f'{MAX_UPLOAD_BYTES:,}. source_access="sign" takes larger ones.',
            )
        with _read(path):
            content: bytes = filesystem.cat_file(path)
        if len(content) != size:
            raise SourceUnreadableError(
                f"source: {len(content):,} bytes of {path} came instead of {size:,}; it is being written, or "
                "its store broke off. Nothing was submitted."
            )

        def send(settings: ProcessingSettings, key: str) -> OcrTask:
            return client.process_image(content, settings, idempotency_key=key)

        return send

    return prepare


def _size(filesystem: AbstractFileSystem, path: str) -> int:
    """How many bytes the image has.

    :raises SourceUnreadableError: if it is not there, or the connection does not open it.
    """
    with _read(path):
        # What an earlier task of this process saw may be long gone.
        filesystem.invalidate_cache()
        found: dict[str, Any] = filesystem.info(path)
    if found["type"] != "file":
        raise SourceUnreadableError(f"source: {path} is no file. Nothing was submitted.")
    return int(found["size"])


@contextmanager
def _read(path: str) -> Iterator[None]:
    """Tells of what failed at the store. Its own words may repeat the request, so they are quoted."""
    try:
        yield
    except FileNotFoundError:
        raise SourceUnreadableError(f"source: there is no {path}. Nothing was submitted.") from None
    except Exception as error:  # noqa: BLE001 - each store's library has errors of its own
        raise SourceUnreadableError(
            f"source: {path} cannot be read: {type(error).__name__}: {quoted(str(error))} "
            "Nothing was submitted."
        ) from None


def _signed(filesystem: AbstractFileSystem, path: str) -> str:
    """A URL that opens the image.

    :raises InvalidParameterError: if the store, or what the connection holds, cannot make one.
    """
    try:
        with _unlogged():
            url = str(filesystem.sign(path, expiration=SIGNED_SECONDS))
    except NotImplementedError:
        raise _unsignable(path, "its store signs no URLs") from None
    except OSError as error:
        raise SourceUnreadableError(
            f"source: no URL of {path} could be signed: {quoted(str(error))} Nothing was submitted."
        ) from None
    except Exception as error:  # noqa: BLE001 - each store's library has errors of its own
        # AttributeError: Google without a private key; ValueError: Azure without the account's key.
        raise _unsignable(
            path, f"the connection's credentials do not sign URLs ({quoted(str(error))})"
        ) from None
    parameters = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    if not is_signed(parameters):
        raise _unsignable(path, "the connection has no credentials")
    if any(name.lower() == _SESSION_TOKEN for name, _ in parameters):
        raise _unsignable(
            path, "the connection's credentials are those of a session, with which the URL expires too early"
        )
    return url


def _unsignable(path: str, reason: str) -> InvalidParameterError:
    return InvalidParameterError(
        "source",
        f"no URL of {path} can be signed for 24 hours: {reason}. Use a connection with a key of its own, or "
        'source_access="upload", which sends images of up to 30 MB along.',
    )


@contextmanager
def _unlogged() -> Iterator[None]:
    """Botocore writes each signature that it makes into its log, on level DEBUG."""
    logger = logging.getLogger("botocore.auth")

    def nothing(_: logging.LogRecord) -> bool:
        return False

    logger.addFilter(nothing)
    try:
        yield
    finally:
        logger.removeFilter(nothing)
