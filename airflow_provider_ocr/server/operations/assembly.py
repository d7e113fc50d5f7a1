# SPDX-License-Identifier: Apache-2.0
"""Puts the server's parts together, whatever it recognises with, and has everybody begin to work."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from starlette.types import ASGIApp

from airflow_provider_ocr.server.accounts.accounts import Accounts
from airflow_provider_ocr.server.accounts.passwords import hash_password, verify_password
from airflow_provider_ocr.server.api.api_endpoint import ApiEndpoint
from airflow_provider_ocr.server.api.app import create_app
from airflow_provider_ocr.server.api.methods import ApiMethods
from airflow_provider_ocr.server.api.result_endpoint import ResultEndpoint
from airflow_provider_ocr.server.api.signing import UrlSigner
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.files.spool import Spool
from airflow_provider_ocr.server.operations.opening import (
    claim_files,
    note_database,
    open_database,
    open_files,
    open_secret,
)
from airflow_provider_ocr.server.operations.recognition import Recognition
from airflow_provider_ocr.server.operations.retention import KeepTimes, Sweeper
from airflow_provider_ocr.server.operations.serve_options import ServeOptions
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.database import Database
from airflow_provider_ocr.server.records.expiry import Expiry
from airflow_provider_ocr.server.records.sealing import Sealer, derived_key
from airflow_provider_ocr.server.records.store import Store
from airflow_provider_ocr.server.records.work import Work
from airflow_provider_ocr.server.sources.fetching import Fetchers, FetchOrder
from airflow_provider_ocr.server.sources.source import SourceLimits
from airflow_provider_ocr.server.workers.children import PageFailure
from airflow_provider_ocr.server.workers.intake import Intake
from airflow_provider_ocr.server.workers.leases import Leases
from airflow_provider_ocr.server.workers.measuring import Measuring
from airflow_provider_ocr.server.workers.pace import Pace
from airflow_provider_ocr.server.workers.worker import Workers
from airflow_provider_ocr.server.workers.workforce import Workforce

_log = logging.getLogger("cloud_ocr_server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What all that works on tasks shares."""

    options: ServeOptions
    recognition: Recognition
    database: Database
    sealer: Sealer
    signer: UrlSigner
    store: Store
    applications: Applications
    work: Work
    files: ResultFiles
    spool: Spool
    measuring: Measuring
    pace: Pace


def open_parts(options: ServeOptions, recognition: Recognition, running: ExitStack) -> Parts:
    """Open everything that is kept, and clear up what an earlier run left half done.

    :param running: is told how to close it.
    """
    secret = open_secret(options.data, options.secret_file)
    database = open_database(options.data, options.database)
    running.callback(database.close)
    note_database(options.data, options.database)
    sealer = Sealer(secret)
    store, applications = Store(database, sealer), Applications(database)
    _admit(applications, options.applications)
    files = open_files(options.data, options.storage)
    claim_files(files, database)
    # Other servers on this database may use a named storage too, and publish there at this moment.
    files.clear_up(runs=store.runs(), everything_else=options.storage is None)
    return Parts(
        options=options,
        recognition=recognition,
        database=database,
        sealer=sealer,
        signer=UrlSigner(derived_key(secret, "result URLs")),
        store=store,
        applications=applications,
        work=recognition.work_in(database, sealer, server=_server_id(options.data)),
        files=files,
        spool=Spool(
            options.data,
            budget_bytes=options.spool_bytes,
            min_free_bytes=options.min_free_bytes,
            held_bytes=store.unprocessed_bytes,
        ),
        measuring=Measuring(recognition.new_child),
        pace=Pace(),
    )


def start_work(parts: Parts, running: ExitStack) -> Workforce:
    """Have everybody begin to work.

    :param running: is told how to stop them.
    """
    workforce = _workforce(parts)
    running.callback(workforce.stop)
    workforce.start()
    expiry = Expiry(parts.database, parts.sealer)
    sweeper = Sweeper(expiry=expiry, files=parts.files, keep=KeepTimes.of(parts.options))
    running.callback(sweeper.stop)
    sweeper.start()
    return workforce


def make_app(parts: Parts, workforce: Workforce) -> ASGIApp:
    """What answers HTTP."""
    methods = ApiMethods(
        store=parts.store,
        applications=parts.applications,
        files=parts.files,
        signer=parts.signer,
        runners=workforce,
        measure=parts.measuring.measure,
        require_supported=parts.recognition.require_supported,
        upload_threshold=parts.options.upload_threshold,
        choices=parts.options.choices,
    )
    accounts = Accounts(parts.applications.find)
    return create_app(
        api=ApiEndpoint(accounts=accounts, methods=methods, spool=parts.spool, files=parts.files),
        results=ResultEndpoint(store=parts.store, files=parts.files, signer=parts.signer),
        check=parts.database.check,
    )


def _workforce(parts: Parts) -> Workforce:
    leases = Leases(parts.work)
    workers = Workers(
        work=parts.work,
        leases=leases,
        files=parts.files,
        new_child=parts.recognition.new_child,
        count=parts.options.workers,
        page_failure=PageFailure(parts.options.page_failure),
        pace=parts.pace,
    )
    return Workforce(
        work=parts.work,
        leases=leases,
        fetchers=_fetchers(parts, leases, workers),
        measuring=parts.measuring,
        workers=workers,
        pace=parts.pace,
        count=parts.options.workers,
    )


def _fetchers(parts: Parts, leases: Leases, workers: Workers) -> Fetchers:
    fetcher = parts.recognition.new_fetcher()
    intake = Intake(
        work=parts.work,
        leases=leases,
        files=parts.files,
        fetcher=fetcher,
        measuring=parts.measuring,
        pace=parts.pace,
    )

    def fetch(order: FetchOrder) -> None:
        intake.fetch(order)
        workers.wake()

    return Fetchers(
        fetch=fetch,
        spool=parts.spool,
        image_bytes=SourceLimits().image_bytes,
        interrupt=fetcher.close,
    )


def _admit(applications: Applications, passwords: Mapping[str, str]) -> None:
    """Let the applications in that the server was started with; those that are known keep their credits."""
    for name, password in passwords.items():
        known = applications.find(name)
        if known is None:
            applications.add(name, hash_password(password))
        elif not verify_password(password, known.password_hash):
            applications.set_password(name, hash_password(password))
    if not applications.all():
        _log.warning("nobody may use the server yet; `cloud-ocr-server applications add NAME` lets them in")


def _server_id(data: Path) -> str:
    """What tells this server from others that work on the same database; the same at every start."""
    path = data / "server.id"
    if not path.exists():
        path.write_text(uuid.uuid4().hex[:12])
    return path.read_text()
