# SPDX-License-Identifier: Apache-2.0
"""How long an image's URL becomes on its way to the service, told before anything is sent."""

from __future__ import annotations

from urllib.parse import quote_plus, urlsplit

MAX_PASSING_LENGTH = 2000
"""Characters of a percent-encoded URL that common front ends, proxies and gateways let through."""


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
