# SPDX-License-Identifier: Apache-2.0
"""Looks for secrets in all that an Airflow has written: every table of its database, every log file."""

from __future__ import annotations

import base64
import configparser
import html
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote

from cryptography.fernet import Fernet

USERS_OWN_TABLES = frozenset({"connection", "variable"})
"""What users themselves have put there is encrypted, and nobody decrypts it here."""

_ENCRYPTED = "gAAAA"
_COMPRESSED = b"x\x9c"


@dataclass(frozen=True, slots=True)
class Leak:
    """A secret, and where it was found."""

    secret: str
    place: str


def forms(secret: str) -> set[str]:
    """All that a secret may look like in a text."""
    plain = {secret, unquote(secret)}
    encoded = {encode(text) for text in plain for encode in (_quote_all, quote, quote_plus, html.escape)}
    escaped = {json.dumps(text)[1:-1] for text in plain | encoded}
    twice = {json.dumps(text)[1:-1] for text in escaped} | {quote(text, safe="") for text in encoded}
    # Python's own repr escapes single quotes.
    shown = {repr(text)[1:-1] for text in plain}
    binary = {base64.b64encode(text.encode()).decode().rstrip("=") for text in plain}
    return plain | encoded | escaped | twice | shown | binary


def search(secrets: Mapping[str, str], home: Path) -> set[Leak]:
    """Where the secrets stand in the database and in the files of an Airflow.

    :param secrets: what each secret is called, and itself.
    :param home: its AIRFLOW_HOME.
    """
    wanted = {name: forms(secret) for name, secret in secrets.items()}
    return {
        Leak(name, place)
        for place, text in [*database_texts(home), *file_texts(home)]
        for name, looks in wanted.items()
        if any(look in text for look in looks)
    }


def database_texts(home: Path) -> Iterator[tuple[str, str]]:
    """Each text of each table, decrypted and decompressed, with the name of its table and column."""
    configuration = configparser.ConfigParser(interpolation=None)
    configuration.read(home / "airflow.cfg")
    fernet = Fernet(configuration["core"]["fernet_key"])
    with closing(sqlite3.connect(f"file:{home / 'airflow.db'}?mode=ro", uri=True, timeout=60)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            rows = database.execute(f'SELECT * FROM "{table}"')
            columns = [column[0] for column in rows.description]
            for row in rows:
                for column, value in zip(columns, row, strict=True):
                    readable = _readable(value, None if table in USERS_OWN_TABLES else fernet)
                    yield f"table {table}.{column}", readable


def file_texts(home: Path) -> Iterable[tuple[str, str]]:
    """Each file but the database and the DAGs, with its path."""
    for path in sorted(home.rglob("*")):
        name = path.relative_to(home)
        if path.is_file() and not name.name.startswith("airflow.db") and name.parts[0] != "dags":
            yield f"file {name}", path.read_text(errors="replace")


def _quote_all(text: str) -> str:
    return quote(text, safe="")


def _readable(value: object, fernet: Fernet | None) -> str:
    if isinstance(value, bytes):
        return (zlib.decompress(value) if value.startswith(_COMPRESSED) else value).decode(errors="replace")
    text = str(value)
    if fernet is not None and text.startswith(_ENCRYPTED):
        return fernet.decrypt(text.encode()).decode()
    return text
