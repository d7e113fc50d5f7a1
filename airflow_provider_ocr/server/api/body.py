# SPDX-License-Identifier: Apache-2.0
"""The body of a request, piece by piece, as long as it comes in reasonable time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request

from airflow_provider_ocr.server.api.call import RejectedError

_SECONDS_BETWEEN_PIECES = 60.0
_SECONDS_IN_ALL = 600.0


class TooSlowError(RejectedError):
    """The body does not come to its end in time. Nobody should wait for the rest of it."""


async def pieces(request: Request) -> AsyncIterator[bytes]:
    """The pieces of a body that are not empty.

    :raises TooSlowError: if there is too long a pause between two of them, or they take too long in all.
    :raises ClientDisconnect: if the body breaks off.
    """
    clock = asyncio.get_running_loop().time
    end = clock() + _SECONDS_IN_ALL
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout_at(min(end, clock() + _SECONDS_BETWEEN_PIECES)):
                piece = await anext(stream, None)
        except TimeoutError:
            raise TooSlowError(
                "The body of the request came too slowly: the next piece has to come within "
                f"{_SECONDS_BETWEEN_PIECES:.0f} seconds, and all within {_SECONDS_IN_ALL:.0f}; send it again."
            ) from None
        if piece is None:
            return
        if piece:
            yield piece
