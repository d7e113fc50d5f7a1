# SPDX-License-Identifier: Apache-2.0
"""Whether it is of use to ask for lists of a service that has refused one.

One refusal says little: a gateway refuses now and then what it lets through a moment later. Two surveys in a
row that were refused are believed, and even then one asks now and then.
"""

from __future__ import annotations

import logging

_BELIEVED = 2
_SURVEYS_BETWEEN = 10

_log = logging.getLogger(__name__)


class ListRefusals:
    """Remembers how the service has answered ``listTasks``."""

    def __init__(self) -> None:
        self._refused = 0
        self._surveys = 0

    def may_list(self) -> bool:
        """Whether the survey that begins now may ask for lists."""
        if self._refused < _BELIEVED:
            return True
        self._surveys += 1
        return self._surveys % _SURVEYS_BETWEEN == 0

    def note(self, *, answered: bool | None) -> None:
        """Take what a survey has found out.

        :param answered: whether the service gave a list, or refused; None where it did neither.
        """
        if answered:
            self._refused = self._surveys = 0
        elif answered is not None:
            self._refused += 1
            if self._refused == _BELIEVED:
                _log.warning(
                    "The OCR service refuses listTasks: tasks are asked for one by one, some at each look."
                )
