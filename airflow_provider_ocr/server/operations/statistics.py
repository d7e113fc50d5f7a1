# SPDX-License-Identifier: Apache-2.0
"""How the server is doing, in numbers that name applications but no task, document or source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airflow_provider_ocr.protocol.vocabulary import TaskStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationCredits:
    """What one application may spend, and has.

    :param credits: what is left and not yet reserved; None without limit.
    :param reserved: what its queued and running tasks will cost.
    :param used: all that it was ever charged.
    """

    name: str
    credits: int | None
    reserved: int
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The state of the server at one moment.

    :param tasks: how many tasks the database has, by status; a status without tasks may be missing.
    :param queued_seconds: how long the oldest queued task has waited; 0 where none waits.
    :param pages_per_minute: pages recognised in the last 5 minutes, by 5.
    :param pages_total: pages recognised since the start of this process.
    :param failed_total: tasks that failed since the start of this process.
    :param workers: how many documents can be recognised at the same time.
    :param busy_workers: how many are being recognised.
    :param spool_bytes: what the images of unfinished tasks take.
    :param spool_limit_bytes: how much they may take.
    :param free_bytes: what is free on the disk of the data folder.
    :param disk_bytes: the size of that disk.
    """

    tasks: Mapping[TaskStatus, int]
    queued_seconds: float
    pages_per_minute: float
    pages_total: int
    failed_total: int
    workers: int
    busy_workers: int
    spool_bytes: int
    spool_limit_bytes: int
    free_bytes: int
    disk_bytes: int
    applications: tuple[ApplicationCredits, ...] = ()
