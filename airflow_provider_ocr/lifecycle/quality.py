# SPDX-License-Identifier: Apache-2.0
"""How well a document was read, and whether a person should look at it.

The server of this project tells it with each result file; others do not. What is not known is never taken
for good: a limit that cannot be held against anything is a reason to look.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from airflow_provider_ocr.protocol.errors import InvalidParameterError

_PREFIX = "X-Ocr-"
_LONGEST_TEXT = 200
_SURE = 100.0
_AT_LEAST = ("word_confidence",)
_AT_MOST = ("failed_pages", "blank_pages", "low_words")


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentQuality:
    """How well a document was read. None stands for what was not told.

    :param pages: how many it has.
    :param blank_pages: how many of them have nothing on them.
    :param failed_pages: how many could not be read; their text is missing.
    :param word_confidence: of all words on average, from 0 to 100; None too where there are no words.
    :param low_words: how many words are doubtful.
    :param rotated_pages: how many were turned upright.
    :param engine: what read it.
    """

    pages: int | None = None
    blank_pages: int | None = None
    failed_pages: int | None = None
    word_confidence: float | None = None
    low_words: int | None = None
    rotated_pages: int | None = None
    engine: str | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> DocumentQuality | None:
        """What the headers of a result download tell; None if they tell nothing.

        :param headers: their names in any case.
        """
        told = {name.lower(): value.strip() for name, value in headers.items()}
        values = {item.name: told.get(_header(item.name).lower()) for item in fields(cls)}
        if all(value is None for value in values.values()):
            return None
        engine = values.pop("engine")
        numbers = {name: _number(value, name) for name, value in values.items()}
        return cls(engine=engine[:_LONGEST_TEXT] if engine else None, **numbers)


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What a document has to keep to, or a person should look at it.

    :param limits: `word_confidence`, which has to be reached; `failed_pages`, `blank_pages`, `low_words`,
        which must not be exceeded.
    """

    limits: Mapping[str, float]

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> QualityLimits:
        """Limits as a DAG author writes them, for example ``{"word_confidence": 80}``.

        :param given: a number for each name of a limit.
        :raises InvalidParameterError: if one is not known, or is no number that makes sense.
        """
        known = (*_AT_LEAST, *_AT_MOST)
        if not isinstance(given, Mapping) or not given or not set(given) <= set(known):
            raise InvalidParameterError("review_if", f"it has to map some of {', '.join(known)} to numbers.")
        limits = {}
        for name, value in given.items():
            limits[name] = _limit(name, value)
        return cls(limits)

    def broken_by(self, quality: DocumentQuality | None) -> list[str]:
        """Why a person should look at a document, in words; empty if nobody has to.

        :param quality: of the document, if it is known.
        """
        if quality is None:
            return ["the server does not tell how well it was read"]
        reasons = []
        for name, limit in self.limits.items():
            value = getattr(quality, name)
            words = name.replace("_", " ")
            if value is None:
                reasons.append(f"its {words} is not known")
            elif name in _AT_LEAST and value < limit:
                reasons.append(f"its {words} is {value:g}, below {limit:g}")
            elif name in _AT_MOST and value > limit:
                reasons.append(f"its {words} are {value:g}, above {limit:g}")
        return reasons


def _limit(name: str, value: Any) -> float:
    try:
        limit = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        limit = math.nan
    if not math.isfinite(limit):
        raise InvalidParameterError("review_if", f"{name} is {value!r}, which is no number.")
    # Whoever gives 0.8 means 80, and no document would ever be looked at.
    if name in _AT_LEAST and not 1 < limit <= _SURE:
        raise InvalidParameterError(
            "review_if", f"{name} is {value!r}, and has to be above 1 and at most 100; 80 stands for 80 %."
        )
    if name in _AT_MOST and (limit < 0 or not limit.is_integer()):
        raise InvalidParameterError("review_if", f"{name} is {value!r}, and has to be a whole number from 0.")
    return limit


def _header(name: str) -> str:
    return _PREFIX + name.replace("_", "-")


def _number(text: str | None, name: str) -> Any:
    """A number that is not negative, whole for whatever is counted; None if it is none."""
    kind = float if name in _AT_LEAST else int
    try:
        number = kind(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
