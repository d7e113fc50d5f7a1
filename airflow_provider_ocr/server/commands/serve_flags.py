# SPDX-License-Identifier: Apache-2.0
"""The options of ``cloud-ocr-server serve``, and what they come to together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_ocr.server.commands import flag_values
from airflow_provider_ocr.server.commands.environment import Flag
from airflow_provider_ocr.server.operations.command_errors import UsageError
from airflow_provider_ocr.server.operations.serve_options import Address, ServeOptions
from airflow_provider_ocr.server.records.choices import Choices, DeletedTask, ListFilter, ListOrder

DEFAULT_ADMIN_ADDRESS = Address("127.0.0.1", 8096)

DATA = Flag(
    name="data",
    metavar="DIR",
    kind=flag_values.data_folder,
    explanation="folder for database, images and results",
    required=True,
)
TESSDATA = Flag(
    name="tessdata",
    metavar="DIR",
    kind=flag_values.folder,
    explanation="folder with more tesseract language data, beside Debian's and what was added",
)
DATABASE = Flag(
    name="database",
    metavar="URL",
    kind=flag_values.url,
    explanation="an SQLAlchemy URL, for example postgresql://HOST/NAME, instead of SQLite in the data folder",
)
STORAGE = Flag(
    name="storage",
    metavar="URL",
    kind=flag_values.url,
    explanation="an fsspec URL, for example s3://BUCKET/PREFIX, for images and results instead of the "
    "data folder",
)
SECRET_FILE = Flag(
    name="secret-file",
    metavar="FILE",
    kind=flag_values.file,
    explanation="at least 32 random bytes that seal sources and passwords and sign result URLs, the same for "
    "servers that share a database; without it they are made in the data folder",
)

_LISTENING = (
    Flag(
        name="host",
        metavar="ADDRESS",
        kind=str,
        explanation="address to listen on",
        default="127.0.0.1",
    ),
    Flag(
        name="port",
        metavar="PORT",
        kind=flag_values.port,
        explanation="port to listen on; 0 takes a free one",
        default="8095",
    ),
    Flag(
        name="tls-cert",
        metavar="FILE",
        kind=flag_values.file,
        explanation="speak HTTPS with the certificate and chain in this PEM file; a renewed one is taken up "
        "by itself",
    ),
    Flag(
        name="tls-key",
        metavar="FILE",
        kind=flag_values.file,
        explanation="PEM file with the certificate's key, where the certificate's file does not have it",
    ),
    Flag(
        name="admin-listen",
        metavar="HOST:PORT",
        kind=flag_values.address_or_off,
        explanation="where status page and metrics are, without authentication; off for nowhere",
        default=str(DEFAULT_ADMIN_ADDRESS),
    ),
)

_WORK = (
    Flag(
        name="application",
        metavar="NAME:PASSWORD",
        kind=flag_values.application_and_password,
        explanation="an application that may use the server, beside those that `applications add` has made, "
        "for trials: its password shows in the list of processes",
        several=True,
    ),
    Flag(
        name="workers",
        metavar="N",
        kind=flag_values.at_least_one,
        explanation="documents recognised at the same time",
        default="2",
    ),
    Flag(
        name="allow-source",
        metavar="CIDR",
        kind=flag_values.network,
        explanation="a network that images may be fetched from although it is not public, for example "
        "10.1.0.0/16",
        several=True,
    ),
    TESSDATA,
    Flag(
        name="page-failure",
        metavar="{fail,keep}",
        kind=flag_values.page_failure,
        explanation="whether a page that cannot be read fails its document, or is kept as image and counted",
        default="fail",
    ),
)

_LIMITS = (
    Flag(
        name="spool-bytes",
        metavar="SIZE",
        kind=flag_values.size,
        explanation="what the images of unfinished tasks may take; above it nothing new is accepted",
        default="20G",
    ),
    Flag(
        name="min-free-bytes",
        metavar="SIZE",
        kind=flag_values.size,
        explanation="what stays free on the disk; below it nothing new is accepted",
        default="1G",
    ),
    Flag(
        name="keep-images",
        metavar="HOURS",
        kind=flag_values.period,
        explanation="how long images and recognised pages are kept",
        default="42",
    ),
    Flag(
        name="keep-results",
        metavar="HOURS",
        kind=flag_values.period,
        explanation="how long results are kept",
        default="24",
    ),
    Flag(
        name="keep-records",
        metavar="DAYS",
        kind=flag_values.period,
        explanation="how long it is known that a deleted task was there",
        default="90",
    ),
    Flag(
        name="upload-threshold",
        metavar="IMAGES",
        kind=flag_values.at_least_one,
        explanation="images that an application may have sent and not started beyond what it can pay for",
        default="10",
    ),
)

TEST_FLAGS = (
    Flag(
        name="recognition",
        metavar="{tesseract,none}",
        kind=flag_values.recognition,
        explanation="none rehearses: no source is fetched, nothing is recognised, and every result says so",
        default="tesseract",
    ),
    Flag(
        name="recognition-seconds",
        metavar="SECONDS",
        kind=flag_values.seconds,
        explanation="how long a document takes while nothing is recognised",
        default="0",
    ),
    Flag(
        name="list-order",
        metavar="{oldest,newest}",
        kind=flag_values.one_of(ListOrder),
        explanation="which tasks the lists begin with",
        default=Choices().list_order,
    ),
    Flag(
        name="list-filter",
        metavar="{changed,registered}",
        kind=flag_values.one_of(ListFilter),
        explanation="which time of a task listTasks filters on",
        default=Choices().list_filter,
    ),
    Flag(
        name="deleted-task",
        metavar="{error,status}",
        kind=flag_values.one_of(DeletedTask),
        explanation="what getTaskStatus answers for a deleted task: 450, or status Deleted",
        default=Choices().deleted_task,
    ),
)

SERVE_FLAGS = (DATA, DATABASE, STORAGE, SECRET_FILE, *_LISTENING, *_WORK, *_LIMITS)


def serve_options(values: Mapping[str, Any]) -> ServeOptions:
    """What the values of all serve flags, by destination, say together.

    :raises UsageError: if two of them contradict each other.
    """
    if values["tls_key"] is not None and values["tls_cert"] is None:
        raise UsageError("--tls-key needs --tls-cert, the certificate that the key belongs to.")
    names = [name for name, _ in values["application"]]
    if len(set(names)) < len(names):
        raise UsageError("--application names one application twice; each has one password.")
    return ServeOptions(
        data=values["data"],
        database=values["database"],
        storage=values["storage"],
        secret_file=values["secret_file"],
        applications=dict(values["application"]),
        workers=values["workers"],
        allowed_sources=tuple(values["allow_source"]),
        tessdata=values["tessdata"],
        recognition=values["recognition"],
        recognition_seconds=values["recognition_seconds"],
        page_failure=values["page_failure"],
        tls_certificate=values["tls_cert"],
        tls_key=values["tls_key"],
        spool_bytes=values["spool_bytes"],
        min_free_bytes=values["min_free_bytes"],
        keep_images_hours=values["keep_images"],
        keep_results_hours=values["keep_results"],
        keep_records_days=values["keep_records"],
        upload_threshold=values["upload_threshold"],
        choices=Choices(
            list_order=values["list_order"],
            list_filter=values["list_filter"],
            deleted_task=values["deleted_task"],
        ),
    )
