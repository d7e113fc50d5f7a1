# SPDX-License-Identifier: Apache-2.0
"""Signed result URLs: each opens one file of one run until one time, and nothing else.

Whoever has the URL needs nothing more, so a URL is worth no more than that file and not for longer.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import urlencode

import pendulum

URL_LIFETIME_HOURS = 10


class UrlSigner:
    """Makes result URLs, and knows its own again.

    :param key: the secret; servers that share their tasks share it.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def sign(self, ocr_task_id: str, run: str, position: int, *, now: pendulum.DateTime) -> str:
        """Path and query that lead to a result for the next 10 hours.

        :param run: the run whose result it is.
        :param position: which of the task's export formats it is, counted from 1.
        """
        expires = str(int(now.add(hours=URL_LIFETIME_HOURS).timestamp()))
        signature = self._signature(ocr_task_id, run, str(position), expires)
        query = urlencode({"run": run, "expires": expires, "signature": signature})
        return f"/results/{ocr_task_id}/{position}?{query}"

    def verify(
        self,
        ocr_task_id: str,
        position: str,
        *,
        run: str,
        expires: str,
        signature: str,
        now: pendulum.DateTime,
    ) -> bool:
        """Whether the parts of a URL, as they stand in it, were signed here and have not expired."""
        expected = self._signature(ocr_task_id, run, position, expires)
        # Only a number that was signed here is read as one.
        return hmac.compare_digest(expected.encode(), signature.encode()) and now.timestamp() <= int(expires)

    def _signature(self, *parts: str) -> str:
        # JSON keeps the parts apart, whatever characters a forged URL has in them.
        return hmac.new(self._key, json.dumps(parts).encode(), hashlib.sha256).hexdigest()
