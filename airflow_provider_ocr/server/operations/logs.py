# SPDX-License-Identifier: Apache-2.0
"""The server's log: one line for each event, whatever happened, and no URL with its query in it."""

from __future__ import annotations

import logging
import re
import sys
import time
from typing import TextIO

from airflow_provider_ocr.protocol.redaction import without_url_secrets

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


class OneLineFormatter(logging.Formatter):
    """Puts a traceback, or whatever else has line ends, into one line; times are UTC."""

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"
    default_time_format = "%Y-%m-%dT%H:%M:%S"

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line without its end."""
        return _CONTROL.sub(_escape, without_url_secrets(super().format(record)))


def log_to(stream: TextIO = sys.stderr) -> None:
    """Let everything of level INFO and above be written to ``stream``, and nothing twice."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLineFormatter(_FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # It warns with whole URLs, in whose queries signatures stand.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    return _SHORT.get(character, f"\\u{ord(character):04x}")
