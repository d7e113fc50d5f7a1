# SPDX-License-Identifier: Apache-2.0
"""A program: parses each hostile body in a process of its own, and tells what that took beyond the body."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from airflow_provider_ocr.protocol.errors import UnreadableAnswerError
from airflow_provider_ocr.protocol.messages import (
    MAX_BODY_BYTES,
    parse_application_info,
    parse_error,
    parse_tasks,
)

PARSERS: dict[str, Callable[[bytes], Any]] = {
    "response": parse_tasks,
    "info": parse_application_info,
    "error": parse_error,
}


def _repeated(piece: bytes, root: str) -> bytes:
    return _within(piece * ((MAX_BODY_BYTES - 64) // len(piece)), root)


def _within(content: bytes, root: str) -> bytes:
    return b"<%b>%b</%b>" % (root.encode(), content, root.encode())


def _numbered(pattern: bytes, root: str, *, step: int = 1) -> bytes:
    """As many numbered copies of a piece as fit."""

    def pieces() -> Iterator[bytes]:
        left = MAX_BODY_BYTES - 64
        for number in count(0, step):
            piece = pattern.replace(b"%", b"%x" % number)
            left -= len(piece)
            if left < 0:
                return
            yield piece

    return _within(b"".join(pieces()), root)


def _entities(root: str) -> bytes:
    levels = b"".join(b'<!ENTITY l%d "%b">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    doctype = b'<!DOCTYPE r [<!ENTITY l0 "ten letters">%b]>' % levels
    return doctype + _within(b"&l9;", root)


_LONG = MAX_BODY_BYTES - 200
_EMOJI = "\U0001f600".encode()

BODIES: dict[str, Callable[[str], bytes]] = {
    "too long": lambda root: _within(b" " * MAX_BODY_BYTES, root),
    "expanding entities": _entities,
    "external entity": lambda root: (
        b'<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/hostname">]>' + _within(b"&f;", root)
    ),
    "DTD without end": lambda root: b"<!DOCTYPE r [" + b'<!ENTITY a "b">' * (_LONG // 15),
    "nested": lambda root: b"<%b>" % root.encode() + b"<a>" * (_LONG // 3),
    "elements": lambda root: _repeated(b"<a/>", root),
    "named elements": lambda root: _numbered(b"<a%/>", root),
    "one giant attribute": lambda root: _within(b'<task id="' + b"x" * _LONG + b'"/>', root),
    "attributes of one element": lambda root: _within(
        _numbered(b' a%=""', "a").replace(b"<a>", b"<task").replace(b"</a>", b"/>"), root
    ),
    "attributes of many elements": lambda root: _numbered(b'<task id="%" a%="" b%="" c%="" d%=""/>', root),
    "namespaces": lambda root: _numbered(b'<a xmlns:n%="u"/>', root),
    "one giant namespace": lambda root: (
        b'<%b xmlns="%b">' % (root.encode(), b"u" * 200_000)
        + b"<a/>" * (_LONG // 4 - 60_000)
        + b"</%b>" % root.encode()
    ),
    "tasks": lambda root: _numbered(
        b'<task id="%" registrationTime="2026-11-22T14:44:23Z" statusChangeTime="2026-11-22T14:44:23Z"/>',
        root,
    ),
    "wide characters": lambda root: _numbered(
        b'<task id="%" description="' + _EMOJI + b"x" * 400 + b'"/>', root
    ),
    "wide long values": lambda root: _numbered(
        b'<task id="%" description="' + _EMOJI + b"x" * 200_000 + b'"/>', root
    ),
    "one giant comment": lambda root: _within(b"<!--" + b"x" * _LONG + b"-->", root),
    "comments": lambda root: _repeated(b"<!---->", root),
    "one giant instruction": lambda root: _within(b"<?a " + b"x" * _LONG + b"?>", root),
    "blank end tag": lambda root: _within(b"<a></a" + b" " * _LONG + b">", root),
    "line ends": lambda root: _repeated(b"\n", root),
    "references": lambda root: _repeated(b"&#65;", root),
    "one giant text": lambda root: _within(b"<message>" + b"x" * _LONG + b"</message>", root),
    "text of line ends": lambda root: _within(b"<message>x" + b"\n" * _LONG + b"</message>", root),
    "texts": lambda root: _repeated(b"<message> </message>", root),
    "blanks before": lambda root: b" " * _LONG + _within(b"", root),
    "JSON lists": lambda root: b'{"error":' + b"[" * _LONG,
    "JSON values": lambda root: b"[" + b"[]," * (_LONG // 3) + b"[]]",
    "titles": lambda root: b"<html>" + b"<title" * (_LONG // 6),
}


def _peak_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def _measure(parser: str, kind: str) -> dict[str, Any]:
    """What becomes of one body, in seconds of CPU time and in bytes above what the body itself takes."""
    body = BODIES[kind](parser)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before, began = _peak_bytes(), time.process_time()
    try:
        outcome = type(PARSERS[parser](body)).__name__
    except UnreadableAnswerError as error:
        outcome = str(error)
    seconds = time.process_time() - began
    return {"outcome": outcome, "seconds": seconds, "bytes": _peak_bytes() - before}


def _measure_apart(parser: str, kind: str) -> dict[str, Any]:
    """The same in a child, so that no memory that an earlier body left behind is used again unseen."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        with os.fdopen(writer, "w") as pipe:
            json.dump(_measure(parser, kind), pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        told = pipe.read()
    os.wait()
    return dict(json.loads(told)) if told else {"outcome": "the process died", "seconds": 0, "bytes": 0}


if __name__ == "__main__":
    sys.stdout.write(json.dumps({kind: _measure_apart(sys.argv[1], kind) for kind in sys.argv[2:]}))
