# SPDX-License-Identifier: Apache-2.0
"""CloudOcrHook: an Airflow connection becomes a client, and the client's errors become Airflow's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from airflow_provider_ocr.exceptions import CloudOcrParameterError, airflow_error
from airflow_provider_ocr.hooks.connection_fields import ConnectionFields, connection_fields
from airflow_provider_ocr.hooks.connection_form import DEFAULT_CONN_ID, form_behaviour, form_widgets
from airflow_provider_ocr.protocol.errors import OcrError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

    from airflow_provider_ocr.client.client import CloudOcrClient
    from airflow_provider_ocr.client.transport import Timeouts
    from airflow_provider_ocr.hooks.connection_check import ConnectionReport

__all__ = ["CHECK_SECONDS", "DEFAULT_CONN_ID", "READ_ATTEMPTS", "CloudOcrHook", "airflow_errors"]

READ_ATTEMPTS = 4
CHECK_SECONDS = 20.0
"""How long a test of a connection takes at most, name resolution included."""


class CloudOcrHook(BaseHook):
    """Connects to a Cloud OCR SDK server.

    The connection's fields: ``login`` the application ID, ``password`` the application's password, ``host``
    the base URL of an own server, for example ``https://ocr.example.com`` (https where it names no scheme).
    Optional in ``extra``: ``location`` (``cloud-eu``, ``cloud-westus`` or ``own-server``), which stands in
    for the host; ``timeout``, the seconds to wait for an answer; ``ca_bundle``, the path of a file with
    certificate authorities; ``proxy``, the URL of a proxy.

    :param cloud_ocr_conn_id: ID of a connection of type ``cloud_ocr``.
    """

    conn_name_attr = "cloud_ocr_conn_id"
    default_conn_name = DEFAULT_CONN_ID
    conn_type = "cloud_ocr"
    hook_name = "Cloud OCR"

    def __init__(self, cloud_ocr_conn_id: str = DEFAULT_CONN_ID) -> None:
        super().__init__()
        self.cloud_ocr_conn_id = cloud_ocr_conn_id

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """The form's extra fields, for Airflow older than 3.2; newer ones read the provider info."""
        return form_widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """What becomes of the form's usual fields, for Airflow older than 3.2."""
        return {name.replace("-", "_"): value for name, value in form_behaviour().items()}

    def get_conn(self, *, read_attempts: int = READ_ATTEMPTS) -> CloudOcrClient:
        """A client for the connection; close it when done.

        :param read_attempts: how often a call that changes nothing is tried in all.
        :raises CloudOcrParameterError: if the connection lacks a field, or has one that makes no sense.
        """
        return client_of(self.get_connection(self.cloud_ocr_conn_id), read_attempts=read_attempts)

    async def aget_conn(self) -> CloudOcrClient:
        """The same for use in a trigger; neither the look-up nor making the client blocks the event loop.

        This client tries each call once: in a trigger the next look is the retry.

        :raises CloudOcrParameterError: if the connection lacks a field, or has one that makes no sense.
        """
        from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson

        connection = await get_async_connection(self.cloud_ocr_conn_id, hook=self)
        fields = connection_fields(connection, await get_async_extra_dejson(connection))
        await _amask(list(fields.secrets))
        return await asyncio.to_thread(_client, fields, read_attempts=1)

    def test_connection(self) -> tuple[bool, str]:
        """Ask the server something that costs nothing; for the button in Airflow's connection form."""
        report = self.check_connection()
        return report.works, report.message

    def check_connection(self, *, seconds: float = CHECK_SECONDS) -> ConnectionReport:
        """The same with a finding that a program can act on. Never raises for what a user can mend.

        :param seconds: after which the test has failed, whatever the server or the name service do.
        """
        from airflow_provider_ocr.client.transport import Timeouts
        from airflow_provider_ocr.hooks.connection_check import (
            ConnectionReport,
            Finding,
            check_server,
            report_of,
        )

        try:
            connection = self.get_connection(self.cloud_ocr_conn_id)
            fields = masked_fields(connection)
        except (AirflowNotFoundException, CloudOcrParameterError) as error:
            return ConnectionReport(Finding.INCOMPLETE, str(error))
        longest = seconds / 2  # two calls at most
        wait = min(fields.timeout, longest)
        timeouts = Timeouts(connect=wait, read=wait, total=longest)
        try:
            with _client(fields, read_attempts=1, timeouts=timeouts) as client:
                report = check_server(client)
        except OcrError as error:
            report = report_of(error, fields.base_url)
        return report.with_type(connection.conn_type, meant=self.conn_type)


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Turns the client's errors into Airflow's, without a chain: causes may hold URLs."""
    try:
        yield
    except OcrError as error:
        raise airflow_error(error) from None


def client_of(connection: Connection, *, read_attempts: int = READ_ATTEMPTS) -> CloudOcrClient:
    """A client for a connection. Not for use in an event loop.

    :param connection: of type ``cloud_ocr``.
    :param read_attempts: how often a call that changes nothing is tried in all.
    :raises CloudOcrParameterError: if the connection lacks a field or has one that makes no sense.
    """
    return _client(masked_fields(connection), read_attempts=read_attempts)


def masked_fields(connection: Connection) -> ConnectionFields:
    """What a connection says, once Airflow knows which parts of it no log may show.

    :param connection: of type ``cloud_ocr``.
    :raises CloudOcrParameterError: if it lacks a field or has one that makes no sense.
    """
    from airflow.providers.common.compat.sdk import mask_secret

    fields = connection_fields(connection, connection.extra_dejson)
    for secret in fields.secrets:
        mask_secret(secret)
    return fields


def _client(
    fields: ConnectionFields, *, read_attempts: int, timeouts: Timeouts | None = None
) -> CloudOcrClient:
    # requests is loaded where it is used: DAG files are parsed all the time and call nobody.
    from airflow_provider_ocr.client.client import CloudOcrClient
    from airflow_provider_ocr.client.transport import Timeouts

    return CloudOcrClient(
        base_url=fields.base_url,
        application_id=fields.application_id,
        password=fields.password,
        timeouts=timeouts or Timeouts(read=fields.timeout),
        verify=fields.ca_bundle or True,
        proxy=fields.proxy,
        read_attempts=read_attempts,
    )


async def _amask(secrets: Sequence[str]) -> None:
    """Have Airflow mask these, from within an event loop."""
    try:
        from airflow.sdk.log import amask_secret
    except ImportError:  # Airflow older than 3.3: its only way blocks, so it gets a thread
        from airflow.providers.common.compat.sdk import mask_secret

        for secret in secrets:
            await asyncio.to_thread(mask_secret, secret)
    else:
        for secret in secrets:
            await amask_secret(secret)
