# SPDX-License-Identifier: Apache-2.0
"""One request to an API method, and how it is refused. No HTTP here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class RejectedError(Exception):
    """The request is refused (HTTP 450); the text names the parameter and what is wrong with it."""


class UnsupportedImageError(Exception):
    """An image is refused for what it is (HTTP 551)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One authenticated request.

    :param application: who calls.
    :param query: the parameters, their names in lower case.
    :param base_url: scheme and host under which the caller reached the server; result URLs begin so.
    :param key: the request's idempotency key; empty if it has none.
    :param image: the image that came with the request, for the method to keep; it has at least one byte.
    """

    application: str
    query: Mapping[str, str]
    base_url: str
    key: str = ""
    image: Path | None = None

    def require(self, name: str) -> str:
        """The value of a parameter that has to be there."""
        value = self.query.get(name.lower(), "")
        if not value:
            raise RejectedError(f"{name}: the parameter is missing.")
        return value

    def require_image(self) -> Path:
        """The image that has to be there."""
        if self.image is None:
            raise RejectedError("image: there is no image in the body; send its bytes by POST.")
        return self.image

    def allow_only(self, *names: str) -> None:
        """Refuse parameters that the method does not have."""
        unknown = self.query.keys() - {name.lower() for name in names}
        if unknown:
            raise RejectedError(f"{min(unknown)}: the method knows no such parameter.")
