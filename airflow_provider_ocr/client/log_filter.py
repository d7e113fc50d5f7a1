# SPDX-License-Identifier: Apache-2.0
"""Takes what URLs keep secret out of urllib3's log lines, at every level, while the process lives."""

from __future__ import annotations

import logging

from airflow_provider_ocr.protocol.redaction import without_queries, without_url_secrets

# A filter sees what is logged to its own logger only, not to the loggers below it.
_LOGGERS = ("connection", "connectionpool", "poolmanager", "response", "util.retry")


class _NoSecrets(logging.Filter):
    """Sources, passwords and signatures stand in queries, and a proxy's password before its host."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = without_queries(without_url_secrets(record.getMessage())), ()
        return True


_FILTER = _NoSecrets("urllib3")


def filter_urllib3() -> None:
    """Have urllib3 log no secrets from now on. To call it again does nothing."""
    for name in _LOGGERS:
        logging.getLogger(f"urllib3.{name}").addFilter(_FILTER)
