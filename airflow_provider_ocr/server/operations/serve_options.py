# SPDX-License-Identifier: Apache-2.0
"""What ``cloud-ocr-server serve`` was told, whether by flags or by the environment: checked and complete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from airflow_provider_ocr.server.records.choices import Choices

if TYPE_CHECKING:
    from airflow_provider_ocr.server.sources.networks import Network

GIGABYTE = 2**30


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 takes a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """Everything that a server is started with, but for the sockets, which the command has opened by then.

    :param data: local folder for spool, keys and, where nothing else is named, database and files.
    :param database: an SQLAlchemy URL; None for SQLite in ``data``.
    :param storage: an fsspec URL for images, pages and results; None for ``data``.
    :param secret_file: the secret to seal and sign with; None for one in ``data``.
    :param applications: trial applications, name to password, beside those in the database.
    :param workers: how many documents are recognised at the same time.
    :param allowed_sources: networks that images may be fetched from although they are not public.
    :param tessdata: a folder with more recognition data.
    :param recognition: tesseract, or none to rehearse: no source is fetched and nothing is recognised.
    :param recognition_seconds: how long a document takes while rehearsing.
    :param page_failure: a value of ``PageFailure``: what a page that cannot be read does to its document.
    :param tls_certificate: PEM file with the certificate and its chain; None to speak plain HTTP.
    :param tls_key: PEM file with the key; None if the certificate's file has it too.
    :param spool_bytes: how much the images of unfinished tasks may take.
    :param min_free_bytes: how much of the disk stays free.
    :param keep_images_hours: how long after a task's last change its image and pages are kept.
    :param keep_results_hours: how long after a task's end its results are kept.
    :param keep_records_days: how long the bare record of a deleted task is kept.
    :param upload_threshold: how many images an application may have sent, and not started, beyond what its
        credits pay.
    :param choices: what to do where the API's documentation leaves it open.
    """

    data: Path
    database: str | None = field(default=None, repr=False)
    storage: str | None = field(default=None, repr=False)
    secret_file: Path | None = None
    applications: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    workers: int = 2
    allowed_sources: tuple[Network, ...] = ()
    tessdata: Path | None = None
    recognition: Literal["tesseract", "none"] = "tesseract"
    recognition_seconds: float = 0.0
    page_failure: Literal["fail", "keep"] = "fail"
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    spool_bytes: int = 20 * GIGABYTE
    min_free_bytes: int = GIGABYTE
    keep_images_hours: float = 42.0
    keep_results_hours: float = 24.0
    keep_records_days: float = 90.0
    upload_threshold: int = 10
    choices: Choices = field(default_factory=Choices)
