# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an image's URL, told before anything is sent and without showing its secrets."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Self
from urllib.parse import quote_plus, urlsplit

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.storage_path import (
    is_storage_path,
    secrets_of_storage_path,
    shown_storage_path,
)

MAX_PASSING_LENGTH = 2000
"""Characters of a percent-encoded URL that common front ends, proxies and gateways let through."""

_SCHEMES = frozenset({"http", "https"})


class SourceAccess(StrEnum):
    """How the service comes by an image that lies in object storage."""

    SIGN = "sign"
    UPLOAD = "upload"

    @classmethod
    def parse(cls, value: str | None) -> Self:
        """The one of that name.

        :param value: a name; nothing stands for the default.
        :raises InvalidParameterError: for any other.
        """
        try:
            return cls(str(value or cls.SIGN).strip().lower())
        except ValueError:
            raise InvalidParameterError(
                "source_access", f"{value!r} is not one of {', '.join(cls)}."
            ) from None


def require_way(place: str, access: SourceAccess) -> None:
    """Refuse a way to the image that leads nowhere.

    :param place: a URL, or a path of object storage.
    :param access: how the service is to come by it.
    :raises InvalidParameterError: for a URL that is to be uploaded, and a local file that is to be signed.
    """
    if access is SourceAccess.UPLOAD and not is_storage_path(place):
        raise InvalidParameterError(
            "source_access",
            "the service fetches a URL by itself; 'upload' is for paths of object storage and local files.",
        )
    if access is SourceAccess.SIGN and place.lower().startswith(("file:", "local:")):
        raise InvalidParameterError(
            "source_access", "no URL leads to a local file; source_access='upload' sends it along."
        )


def require_image(source: Any) -> str:
    """The place of an image, as text: a URL as `require_source` takes it, or a path of object storage.

    :param source: what was given, rendered: text, or an object of Airflow's ``ObjectStoragePath``.
    :raises InvalidParameterError: if it can be neither, or is a path with a password or a signature.
    """
    # An ObjectStoragePath is known by its options; it is Airflow's, which is not imported here.
    place = str(source) if hasattr(source, "storage_options") else source
    if not isinstance(place, str) or not is_storage_path(place):
        return require_source(place)
    if secrets_of_storage_path(place):
        raise InvalidParameterError(
            "source",
            f"{shown_storage_path(place)} was given with a password or a signature. Put them into an "
            "Airflow connection and name it, as in s3://aws_default@bucket/scan.tif.",
        )
    if place.endswith("/") or not urlsplit(place).path.strip("/"):
        raise InvalidParameterError("source", f"{shown_storage_path(place)} names no file.")
    return place


def require_source(source: Any) -> str:
    """``source``, if it may be the URL of a remote image: an absolute one of http or https with a host.

    The message shows nothing of the URL but the scheme of an object storage.

    :param source: what was given for the image's URL, rendered.
    :raises InvalidParameterError: if it cannot be one.
    """
    if source is None or (isinstance(source, str) and not source.strip()):
        raise InvalidParameterError("source", "the URL of the image is missing.")
    if not isinstance(source, str):
        raise InvalidParameterError("source", f"a URL as text is needed, not {type(source).__name__}.")
    try:
        parts = urlsplit(source)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InvalidParameterError("source", "it is no URL that can be read.") from None
    if is_storage_path(source):
        raise InvalidParameterError(
            "source",
            f"{parts.scheme}:// is no URL by which the service fetches images: it takes http and https only. "
            "Give a signed https URL of the object.",
        )
    if parts.scheme not in _SCHEMES:
        raise InvalidParameterError(
            "source",
            "it is no URL that begins with http:// or https://, by which the service fetches images.",
        )
    if not host:
        raise InvalidParameterError("source", "the URL names no host.")
    return source


def encoded_length(source: str) -> int:
    """How many characters ``source`` has as one percent-encoded query value, as it is sent.

    :param source: the image's URL.
    """
    return len(quote_plus(source, errors="replace"))


def url_warning(source: str) -> str | None:
    """Why this URL may not reach the service, or None if it is short enough.

    The text names the URL's host and nothing else of it, because path and query may hold a signature.

    :param source: the image's URL, rendered.
    """
    length = encoded_length(source)
    if length <= MAX_PASSING_LENGTH:
        return None
    return (
        f"source: the URL at {_host(source)} has {length:,} characters once it is percent-encoded. Many "
        f"front ends and proxies refuse more than {MAX_PASSING_LENGTH:,}, mostly with HTTP 414 or 400. If "
        "that happens, use a shorter URL, for example one that is signed with fewer parameters."
    )


def _host(source: str) -> str:
    try:
        return urlsplit(source).hostname or "an unnamed host"
    except ValueError:
        return "a host that cannot be read"
