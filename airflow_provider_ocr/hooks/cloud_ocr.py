# SPDX-License-Identifier: Apache-2.0
"""CloudOcrHook: an Airflow connection becomes a client, and the client's errors become Airflow's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseHook

from airflow_provider_ocr.exceptions import CloudOcrParameterError, airflow_error
from airflow_provider_ocr.protocol.errors import OcrError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

    from airflow_provider_ocr.client.client import CloudOcrClient

DEFAULT_CONN_ID = "cloud_ocr_default"
READ_ATTEMPTS = 4


class CloudOcrHook(BaseHook):
    """Connects to a Cloud OCR SDK server.

    The connection's fields: ``host`` the base URL, for example ``https://cloud-eu.ocrsdk.com`` (https where
    it names no scheme), ``login`` the application ID, ``password`` the application's password. Optional in
    ``extra``: ``timeout``, the seconds to wait for an answer, and ``ca_bundle``, the path of a file with
    certificate authorities.

    :param cloud_ocr_conn_id: ID of a connection of type ``cloud_ocr``.
    """

    conn_name_attr = "cloud_ocr_conn_id"
    default_conn_name = DEFAULT_CONN_ID
    conn_type = "cloud_ocr"
    hook_name = "Cloud OCR"

    def __init__(self, cloud_ocr_conn_id: str = DEFAULT_CONN_ID) -> None:
        super().__init__()
        self.cloud_ocr_conn_id = cloud_ocr_conn_id

    def get_conn(self, *, read_attempts: int = READ_ATTEMPTS) -> CloudOcrClient:
        """A client for the connection; close it when done.

        :param read_attempts: how often a call that changes nothing is tried in all.
        :raises CloudOcrParameterError: if the connection lacks a field.
        """
        return client_of(self.get_connection(self.cloud_ocr_conn_id), read_attempts=read_attempts)

    async def aget_conn(self) -> CloudOcrClient:
        """The same for use in a trigger; the look-up does not block the event loop.

        This client tries each call once: in a trigger the next look is the retry.
        """
        from airflow.providers.common.compat.connection import get_async_connection

        connection = await get_async_connection(self.cloud_ocr_conn_id, hook=self)
        return client_of(connection, read_attempts=1)

    def test_connection(self) -> tuple[bool, str]:
        """Ask the server something that costs nothing; for the button in Airflow's connection form."""
        try:
            with self.get_conn() as client:
                client.list_finished_tasks()
        except (OcrError, CloudOcrParameterError) as error:
            return False, str(error)
        return True, f"{client.base_url} accepts the application ID and the password."


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Turns the client's errors into Airflow's, without a chain: causes may hold URLs."""
    try:
        yield
    except OcrError as error:
        raise airflow_error(error) from None


def client_of(connection: Connection, *, read_attempts: int = READ_ATTEMPTS) -> CloudOcrClient:
    """A client for a connection.

    :param read_attempts: how often a call that changes nothing is tried in all.
    :raises CloudOcrParameterError: if the connection lacks a field or has one that makes no sense.
    """
    # requests is loaded where it is used: DAG files are parsed all the time and call nobody.
    from airflow_provider_ocr.client.client import CloudOcrClient
    from airflow_provider_ocr.client.transport import Timeouts

    missing = [name for name in ("host", "login", "password") if not getattr(connection, name)]
    if missing:
        raise CloudOcrParameterError(
            f"The connection {connection.conn_id!r} has no {' and no '.join(missing)}. It needs the server's "
            "URL in host, the application ID in login and the application's password in password."
        )
    if "@" in str(connection.host):
        raise CloudOcrParameterError(
            f"The connection {connection.conn_id!r} has a user in its host. The application ID belongs in "
            "login and the password in password."
        )
    extra: dict[str, Any] = connection.extra_dejson
    return CloudOcrClient(
        base_url=base_url(
            str(connection.host), scheme=connection.schema or None, port=connection.port or None
        ),
        application_id=str(connection.login),
        password=str(connection.password),
        timeouts=Timeouts(read=_seconds(extra.get("timeout"), connection.conn_id)),
        verify=extra.get("ca_bundle") or True,
        read_attempts=read_attempts,
    )


def base_url(host: str, *, scheme: str | None, port: int | None) -> str:
    """The server's URL from what a connection holds.

    :param host: with or without a scheme of its own.
    :param scheme: the connection's schema field, used where the host names none.
    :param port: added where the host has none.
    """
    given_scheme, separator, rest = host.partition("://")
    scheme, authority = (given_scheme, rest) if separator else (scheme or "https", host)
    authority, slash, path = authority.rstrip("/").partition("/")
    has_port = authority.rpartition("]")[2].rpartition(":")[1] == ":"
    return f"{scheme}://{authority}{f':{port}' if port and not has_port else ''}{slash}{path}"


def _seconds(value: Any, conn_id: str) -> float:
    try:
        seconds = 20.0 if value in (None, "") else float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise CloudOcrParameterError(
            f"The connection {conn_id!r} has {value!r} as timeout; it takes a number of seconds above 0."
        )
    return seconds
