# SPDX-License-Identifier: Apache-2.0
"""What an Airflow connection says about the server, the application and the way there, checked.

Everything here is decided from the connection alone; nothing is opened, resolved or sent. A field that makes
no sense is an error that names the connection and the field, and never repeats what could be a secret.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from airflow_provider_ocr.exceptions import CloudOcrParameterError
from airflow_provider_ocr.hooks.connection_form import Location

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

DEFAULT_TIMEOUT = 20.0
"""Seconds to wait for an answer where the connection says nothing."""

_SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFields:
    """The fields of a connection, ready for a client.

    :param base_url: the server's URL, without a slash at the end.
    :param application_id: the application's name.
    :param password: the application's password.
    :param timeout: seconds to wait for an answer.
    :param ca_bundle: path of a file with certificate authorities; None for the usual ones.
    :param proxy: URL of the proxy to use; None for what the environment says.
    """

    base_url: str
    application_id: str
    password: str = field(repr=False)
    timeout: float = DEFAULT_TIMEOUT
    ca_bundle: str | None = None
    proxy: str | None = field(default=None, repr=False)

    @property
    def secrets(self) -> Iterator[str]:
        """What must not be seen and is not in Airflow's password field, in each spelling that may occur."""
        password = urlsplit(self.proxy or "").password
        if password:
            plain = unquote(password)
            yield from dict.fromkeys((password, plain, quote(plain, safe="")))


def connection_fields(connection: Connection, extra: Mapping[str, Any]) -> ConnectionFields:
    """Check and put together what a connection says.

    :param connection: of type ``cloud_ocr``.
    :param extra: its ``extra`` as a dictionary; in an event loop that has to be asked for asynchronously.
    :raises CloudOcrParameterError: if a field is missing, makes no sense, or contradicts another one.
    """
    conn_id = connection.conn_id
    if not isinstance(extra, Mapping):
        raise CloudOcrParameterError(f"The connection {conn_id!r} has an extra that is no JSON object.")
    location = _location(extra.get("location"), conn_id)
    _check_presence(connection, location)
    host = str(connection.host or "")
    if "@" in host:
        raise CloudOcrParameterError(
            f"The connection {conn_id!r} has a user in its host. The application ID belongs in "
            "login and the password in password."
        )
    if not host and location is not None:
        host = location.host or ""
    url = base_url(host, scheme=connection.schema or None, port=connection.port or None)
    _check_agreement(url, location, conn_id)
    return ConnectionFields(
        base_url=url,
        application_id=str(connection.login),
        password=str(connection.password),
        timeout=_seconds(extra.get("timeout"), conn_id),
        ca_bundle=str(extra["ca_bundle"]) if extra.get("ca_bundle") else None,
        proxy=_proxy(extra.get("proxy"), conn_id),
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


def _location(value: Any, conn_id: str) -> Location | None:
    if value in (None, ""):
        return None
    try:
        return Location(str(value).strip().lower())
    except ValueError:
        raise CloudOcrParameterError(
            f"The connection {conn_id!r} has {value!r} as location; it takes {', '.join(Location)}."
        ) from None


def _check_presence(connection: Connection, location: Location | None) -> None:
    missing = [name for name in ("host", "login", "password") if not getattr(connection, name)]
    if location is not None and location.host is not None:
        missing = [name for name in missing if name != "host"]
    if missing:
        raise CloudOcrParameterError(
            f"The connection {connection.conn_id!r} has no {' and no '.join(missing)}. It needs the server's "
            "URL in host (or a location of the vendor's cloud in location), the application ID in login and "
            "the application's password in password."
        )


def _check_agreement(url: str, location: Location | None, conn_id: str) -> None:
    server = _host_of(url)
    if server is None:
        raise CloudOcrParameterError(
            f"The connection {conn_id!r} does not give the URL of a server; host takes one that begins with "
            "https:// or http://."
        )
    if location is not None and location.host not in (None, server):
        raise CloudOcrParameterError(
            f"The connection {conn_id!r} has the location {location} and another server's host, "
            f"{server}. Leave host empty, or choose {Location.OWN_SERVER} as location."
        )


def _seconds(value: Any, conn_id: str) -> float:
    try:
        seconds = DEFAULT_TIMEOUT if value in (None, "") else float(value)
    except (TypeError, ValueError):
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise CloudOcrParameterError(
            f"The connection {conn_id!r} has {value!r} as timeout; it takes a number of seconds above 0."
        )
    return seconds


def _proxy(value: Any, conn_id: str) -> str | None:
    if value in (None, ""):
        return None
    url = str(value) if "://" in str(value) else f"http://{value}"
    if _host_of(url) is None:
        raise CloudOcrParameterError(
            f"The connection {conn_id!r} has a proxy that cannot be used; it takes a URL such as "
            "http://user:password@proxy.example:3128, with user and password percent-encoded."
        )
    return url


def _host_of(url: str) -> str | None:
    """The host of an http URL; None where that is none, or goes on after its path."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in _SCHEMES and parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        return None
    return parts.hostname if is_usable else None
