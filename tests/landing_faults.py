# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with a result on its way, and what a landing makes of it: the same table for all stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow_provider_ocr.protocol import errors

Errors = type[errors.OcrError] | tuple[type[errors.OcrError], ...]

NAME = "scan.txt"
"""What lands."""
OLD = b"what was there before"

# A jittered pause decides whether there is time to ask again; a host with a fault cannot send the rest.
BROKEN_OFF = (errors.ConnectionFailedError, errors.ResultIntegrityError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    :param error: what the landing raises.
    :param status: the HTTP status that the result's host answers with.
    :param percent: how much of the body comes before the connection breaks; 0 breaks it before the answer,
        None does not.
    :param too_many: bytes that are announced and do not come.
    :param stalls: whether the host falls silent before it answers.
    """

    error: Errors
    status: int = 200
    percent: int | None = None
    too_many: int = 0
    stalls: bool = False

    def reply(self, content: bytes) -> dict[str, Any]:
        """How a scripted server gives some content with this fault.

        :param content: what it would give without.
        """
        return {
            "status": self.status,
            "length": len(content) + self.too_many if self.too_many else None,
            "cut": None if self.percent is None else len(content) * self.percent // 100,
            "stall": 0.6 if self.stalls else 0.0,
        }


FAULTS = {
    "cut_at_once": Fault(error=errors.ConnectionFailedError, percent=0),
    **{f"cut_after_{n}_percent": Fault(error=BROKEN_OFF, percent=n) for n in range(10, 100, 10)},
    "announces_too_much": Fault(error=BROKEN_OFF, too_many=1),
    "expired": Fault(error=errors.ResultUnavailableError, status=403),
    "gone": Fault(error=errors.ResultUnavailableError, status=404),
    "server_error": Fault(error=errors.ServerError, status=500),
    "unavailable": Fault(error=errors.ServerError, status=503),
    "stalls": Fault(error=BROKEN_OFF, stalls=True),
}
