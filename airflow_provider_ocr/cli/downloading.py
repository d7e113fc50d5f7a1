# SPDX-License-Identifier: Apache-2.0
"""``airflow ocr download``: a completed task's result files, each complete and verified, or absent."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_ocr.cli.exits import CommandFailed, ExitCode
from airflow_provider_ocr.cli.printing import Row, print_rows, progress
from airflow_provider_ocr.cli.running import command, connected
from airflow_provider_ocr.client.client import CloudOcrClient
from airflow_provider_ocr.lifecycle.landing import LandedFile, land
from airflow_provider_ocr.protocol.errors import OcrError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem


@command
def download_command(given: Namespace) -> None:
    """Download the result files and print where they are.

    :param given: what the command line says.
    """
    if not given.destination.strip():
        raise CommandFailed(
            "--destination is empty. Name a folder or a URL, or leave it out for the current folder.",
            code=ExitCode.USAGE,
        )
    formats = ProcessingSettings.parse(export_format=given.export_format).export_format
    with connected(given) as client:
        try:
            files = _land(client, formats, given)
        except OcrError:
            raise
        except Exception as error:  # noqa: BLE001 - each store's library raises its own errors
            reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            raise CommandFailed(
                f"The results of OCR task {given.ocr_task_id} cannot be written to {given.destination}: "
                f"{reason}"
            ) from None
    print_rows([_row(file, given.destination) for file in files], given.output)


def _land(client: CloudOcrClient, formats: tuple[ExportFormat, ...], given: Namespace) -> list[LandedFile]:
    from rich.progress import DownloadColumn, SpinnerColumn, TransferSpeedColumn

    filesystem, folder = _opened(given.destination)
    columns = (SpinnerColumn(), "{task.description}", DownloadColumn(), TransferSpeedColumn())
    with progress(*columns) as bar:
        rows = {export_format: bar.add_task(export_format, total=None) for export_format in formats}
        _, files = land(
            client=client,
            ocr_task_id=given.ocr_task_id,
            export_formats=formats,
            filesystem=filesystem,
            folder=folder,
            stem=given.name or given.ocr_task_id,
            on_file=lambda file: bar.update(rows[file.export_format], total=file.size),
            on_bytes=lambda export_format, count: bar.advance(rows[export_format], count),
        )
    return files


def _opened(destination: str) -> tuple[AbstractFileSystem, str]:
    """The file system of a destination, and the folder there."""
    if "://" not in destination:
        from fsspec.implementations.local import LocalFileSystem

        return LocalFileSystem(), str(Path(destination).expanduser().absolute())
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    folder = ObjectStoragePath(destination)
    return folder.fs, folder.path


def _row(file: LandedFile, destination: str) -> Row:
    return {
        "export_format": str(file.export_format),
        "file": f"{destination.rstrip('/')}/{file.name}",
        "size": file.size,
        "sha256": file.sha256,
    }
