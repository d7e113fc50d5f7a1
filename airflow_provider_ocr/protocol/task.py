# SPDX-License-Identifier: Apache-2.0
"""What the service tells about one task, and about an application, as values.

Every attribute but a task's ID is optional, because servers and versions differ in what they send.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pendulum

from airflow_provider_ocr.protocol.vocabulary import TaskStatus

MAX_RESULTS = 3

_RUNNING = frozenset({TaskStatus.SUBMITTED, TaskStatus.QUEUED, TaskStatus.IN_PROGRESS})
_KNOWN = frozenset(TaskStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class OcrTask:
    """One task of the service.

    :param id: the task's GUID.
    :param status: a :class:`TaskStatus`, or the server's own word where that is none of them.
    :param registration_time: when the task was made, UTC.
    :param status_change_time: when its status last changed, UTC.
    :param error: why processing failed, in the service's words.
    :param files_count: how many images the task has.
    :param credits: its price in fields (5 a page): an estimate before, the charge after completion.
    :param estimated_processing_time: seconds until it is done, as the service guesses.
    :param result_urls: one URL for each export format, in the order asked; signed, so not in ``repr``.
    :param description: the author's text.
    :param extra: attributes that are none of these, as (name, value) in the server's order. A result URL is
        among them where the one before it is missing. They may be signed URLs, so they are not in ``repr``.
    """

    id: str
    status: str
    registration_time: pendulum.DateTime | None = None
    status_change_time: pendulum.DateTime | None = None
    error: str | None = None
    files_count: int | None = None
    credits: int | None = None
    estimated_processing_time: int | None = None
    result_urls: tuple[str, ...] = field(default=(), repr=False)
    description: str | None = None
    extra: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def is_running(self) -> bool:
        """Whether the task will go on by itself. A status that nobody knows counts as running.

        Submitted counts too: that is how a task of processRemoteImage begins.
        """
        return self.status in _RUNNING or self.status not in _KNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationInfo:
    """An application's account.

    :param id: its GUID.
    :param name: the name that it logs in with.
    :param pages: how many pages it can still have processed.
    :param fields: the same in fields, the unit of `OcrTask.credits`.
    :param expires: when what is left expires, UTC.
    :param type: what kind of application it is, for example ``Normal``.
    """

    id: str | None = None
    name: str | None = None
    pages: int | None = None
    fields: int | None = None
    expires: pendulum.DateTime | None = None
    type: str | None = None
