# SPDX-License-Identifier: Apache-2.0
"""Applications: who may use the server, how many credits each has, and the ledger of what became of them.

Credits are reserved when a document is queued and charged when it is completed, each within the
transaction that moves the task; so no two documents are promised the same credits.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pendulum
import sqlalchemy as sa

from airflow_provider_ocr.server.records.database import Database, applications, ledger, now_ms, to_time

CHARGE, TOP_UP = "recognition", "credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application.

    :param password_hash: what ``passwords.hash_password`` gave.
    :param credits: what it has left, reserved ones included; None if it is not limited.
    :param reserved: credits promised to documents that are queued or in progress.
    :param used: credits charged so far.
    :param keep_images_hours: how long its images are kept; None for as long as everybody's.
    :param keep_results_hours: the same for its results.
    """

    name: str
    id: str
    password_hash: str
    credits: int | None
    reserved: int
    used: int
    disabled: bool
    keep_images_hours: float | None
    keep_results_hours: float | None
    created: pendulum.DateTime


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One change of an application's credits.

    :param ocr_task_id: the task that was charged; None for a top-up.
    :param pages: of A4 size.
    :param credits: negative for a charge.
    :param reason: ``recognition`` or ``credit``.
    """

    time: pendulum.DateTime
    ocr_task_id: str | None
    pages: int
    credits: int
    reason: str


class Applications:
    """The applications in a database.

    :param database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        name: str,
        password_hash: str,
        *,
        credits: int | None = None,  # noqa: A002 - the API's word
        keep_images_hours: float | None = None,
        keep_results_hours: float | None = None,
    ) -> Application:
        """A new application.

        :raises ValueError: if there is one with this name, or the name cannot be logged in with.
        """
        if not name or ":" in name or not name.isprintable():
            raise ValueError(f"The name {name!r} is empty, or has a colon or a control character in it.")
        values = {
            "name": name,
            "id": str(uuid.uuid4()),
            "password_hash": password_hash,
            "credits": credits,
            "keep_images_hours": keep_images_hours,
            "keep_results_hours": keep_results_hours,
            "created_ms": now_ms(),
        }
        try:
            with self._database.write() as connection:
                connection.execute(sa.insert(applications).values(values))
                if credits is not None:
                    _enter(connection, name, credits=credits, reason=TOP_UP)
        except sa.exc.IntegrityError:
            raise ValueError(f"There is an application {name!r} already.") from None
        return self._require(name)

    def find(self, name: str) -> Application | None:
        """The application with this name."""
        query = sa.select(applications).where(applications.c.name == name)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _application(row)

    def all(self) -> list[Application]:
        """All applications, by name."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(applications).order_by(applications.c.name)).mappings()
            return [_application(row) for row in rows]

    def set_password(self, name: str, password_hash: str) -> Application:
        """Give an application another password.

        :raises LookupError: if there is no such application.
        """
        return self._update(name, password_hash=password_hash)

    def set_disabled(self, name: str, disabled: bool) -> Application:
        """Shut an application out, or let it in again; its documents are kept and go on.

        :raises LookupError: if there is no such application.
        """
        return self._update(name, disabled=disabled)

    def credit(self, name: str, credits: int) -> Application:  # noqa: A002 - the API's word
        """Top an application's credits up; one that was not limited has just these from then on.

        :param credits: how many more; a negative number takes some away.
        :raises LookupError: if there is no such application.
        """
        with self._database.write() as connection:
            update = (
                sa.update(applications)
                .where(applications.c.name == name)
                .values(credits=sa.func.coalesce(applications.c.credits, 0) + credits)
            )
            if connection.execute(update).rowcount != 1:
                raise _unknown(name)
            _enter(connection, name, credits=credits, reason=TOP_UP)
        return self._require(name)

    def ledger(self, name: str) -> list[LedgerEntry]:
        """All changes of an application's credits, the oldest first.

        :raises LookupError: if there is no such application.
        """
        self._require(name)
        query = sa.select(ledger).where(ledger.c.application == name).order_by(ledger.c.number)
        with self._database.read() as connection:
            return [_entry(row) for row in connection.execute(query).mappings()]

    def _update(self, name: str, **values: Any) -> Application:
        with self._database.write() as connection:
            update = sa.update(applications).where(applications.c.name == name).values(values)
            if connection.execute(update).rowcount != 1:
                raise _unknown(name)
        return self._require(name)

    def _require(self, name: str) -> Application:
        application = self.find(name)
        if application is None:
            raise _unknown(name)
        return application


def reserve(connection: sa.Connection, name: str, credits: int) -> bool:  # noqa: A002 - the API's word
    """Promise credits to a document, within the transaction that queues it; False if there are not enough."""
    enough = applications.c.credits.is_(None) | (applications.c.credits - applications.c.reserved >= credits)
    update = (
        sa.update(applications)
        .where(applications.c.name == name, enough)
        .values(reserved=applications.c.reserved + credits)
    )
    return connection.execute(update).rowcount == 1


def release(connection: sa.Connection, name: str, credits: int) -> None:  # noqa: A002 - the API's word
    """Take a promise back, within the transaction that ends its document."""
    if credits:
        update = (
            sa.update(applications)
            .where(applications.c.name == name)
            .values(reserved=applications.c.reserved - credits)
        )
        connection.execute(update)


def charge(connection: sa.Connection, name: str, ocr_task_id: str, *, pages: int, credits: int) -> None:  # noqa: A002 - the API's word
    """Take a document's price, within the transaction that completes it.

    :param pages: of A4 size.
    """
    update = (
        sa.update(applications)
        .where(applications.c.name == name)
        # Nothing less nothing is nothing: who is not limited stays so.
        .values(credits=applications.c.credits - credits, used=applications.c.used + credits)
    )
    connection.execute(update)
    _enter(connection, name, ocr_task_id=ocr_task_id, pages=pages, credits=-credits, reason=CHARGE)


def _enter(connection: sa.Connection, name: str, *, reason: str, **values: Any) -> None:
    connection.execute(sa.insert(ledger).values(application=name, time_ms=now_ms(), reason=reason, **values))


def _application(row: sa.engine.RowMapping) -> Application:
    shown = {name: value for name, value in row.items() if name not in ("created_ms", "served_ms")}
    return Application(**shown, created=to_time(row["created_ms"]))


def _entry(row: sa.engine.RowMapping) -> LedgerEntry:
    shown = {name: row[name] for name in ("ocr_task_id", "pages", "credits", "reason")}
    return LedgerEntry(time=to_time(row["time_ms"]), **shown)


def _unknown(name: str) -> LookupError:
    return LookupError(f"There is no application {name!r}; `cloud-ocr-server applications list` shows all.")
