# SPDX-License-Identifier: Apache-2.0
"""What an Airflow connection says about the server, the application and the way there, checked.

Everything here is decided from the connection alone; nothing is opened, resolved or sent. A field that makes
no sense is an error that names the connection and the field, and never repeats what could be a secret.
"""

from __future__ import annotations

import math
import re
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

_USUAL_PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[a-z0-9_-]{1,63}", re.IGNORECASE)
_LONGEST_NAME = 253


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
    host = str(connection.host or "").strip()
    if "@" in host:
        raise CloudOcrParameterError(
            f"The connection {conn_id!r} has a user in its host. The application ID belongs in "
            "login and the password in password."
        )
    if not host and location is not None:
        host = location.host or ""
    scheme, port = connection.schema or None, connection.port or None
    url = base_url(host, scheme=scheme, port=port)
    _check_agreement(url, location, conn_id)
    _check_no_contradiction(url, scheme, port, conn_id)
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
            "https:// or http:// and goes on with a host's name or address."
        )
    if location is not None and location.host not in (None, server):
        raise CloudOcrParameterError(
            f"The connection {conn_id!r} has the location {location} and another server's host, "
            f"{server}. Leave host empty, or choose {Location.OWN_SERVER} as location."
        )


def _check_no_contradiction(url: str, scheme: str | None, port: int | None, conn_id: str) -> None:
    """See that host agrees with the fields that say parts of it again.

    :param scheme: what schema says.
    :param port: what the field of that name says.
    """
    parts = urlsplit(url)
    own_port = parts.port or _USUAL_PORTS[parts.scheme]
    told = (("schema", scheme and scheme.lower(), parts.scheme), ("port", port, own_port))
    for name, value, in_host in told:
        if value and str(value) != str(in_host):
            raise CloudOcrParameterError(
                f"The connection {conn_id!r} has {value!r} as {name} and another {name}, {in_host!r}, in its "
                f"host. Say it once: leave {name} empty."
            )


def _seconds(value: Any, conn_id: str) -> float:
    try:
        # A bool is a number to Python; nobody means one second by it.
        number = 0.0 if isinstance(value, bool) else value
        seconds = DEFAULT_TIMEOUT if value in (None, "") else float(number)
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
    if not isinstance(value, str) or _host_of(url) is None:
        raise CloudOcrParameterError(
            f"The connection {conn_id!r} has a proxy that cannot be used; it takes a URL such as "
            "http://user:password@proxy.example:3128, with user and password percent-encoded."
        )
    return url


def _host_of(url: str) -> str | None:
    """The host of an http URL; None where that is none, goes on after its path, or can be no host's name."""
    # Some of these would be dropped without a word when the URL is taken apart.
    if not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in _USUAL_PORTS and parts.port != 0 and not (parts.query or parts.fragment)
        host = parts.hostname if is_usable else None
        return host if host and (":" in host or _is_name(host)) else None
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    """Whether a host's name, or its IPv4 address, is one that could resolve.

    :raises ValueError: if a label is empty, too long, or has what no name has.
    """
    encoded = host.removesuffix(".").encode("idna").decode("ascii")
    return len(encoded) <= _LONGEST_NAME and all(map(_LABEL.fullmatch, encoded.split(".")))
