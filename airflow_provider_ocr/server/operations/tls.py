# SPDX-License-Identifier: Apache-2.0
"""The server's certificate: checked before the server starts, and taken up anew when it is renewed.

A connection that is open keeps the certificate that it began with. A renewed certificate that cannot be
used is reported, and the one before it goes on.
"""

from __future__ import annotations

import logging
import ssl
import threading
from pathlib import Path

_log = logging.getLogger("cloud_ocr_server")


class CertificateError(Exception):
    """A certificate or its key cannot be used; the message says which file, and what is wrong."""


class ServerCertificate:
    """A certificate with its key, and the TLS context that uses them: TLS 1.2 or newer.

    :param certificate: PEM file with the certificate and its chain.
    :param key: PEM file with the key; None if the certificate's file has it too.
    :param seconds: how often `watch` looks whether the files have changed.
    :raises CertificateError: if they cannot be used.
    """

    def __init__(self, certificate: Path, key: Path | None = None, *, seconds: float = 60.0) -> None:
        self._certificate = certificate
        self._key = key
        self._seconds = seconds
        self._stopped = threading.Event()
        self._seen = self._versions()
        self._newest = self.context = self._load()
        # Not load_cert_chain on the same context: that keeps one certificate for each type of key, and an
        # expired one of another type would still be shown.
        self.context.sni_callback = self._use_newest

    def watch(self) -> None:
        """Look for renewed files now and then, in a thread, until `stop`."""
        threading.Thread(target=self._watch, name="certificate", daemon=True).start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stopped.set()

    def reload_if_changed(self) -> bool:
        """Take up changed files; whether new connections have another certificate now."""
        versions = self._versions()
        if versions == self._seen:
            return False
        self._seen = versions
        try:
            self._newest = self._load()
        except CertificateError as error:
            _log.error("the earlier certificate stays in use: %s", error)
            return False
        _log.info("the certificate in %s has been taken up", self._certificate)
        return True

    def _watch(self) -> None:
        while not self._stopped.wait(self._seconds):
            self.reload_if_changed()

    def _use_newest(
        self, connection: ssl.SSLSocket | ssl.SSLObject, _name: str | None, _: ssl.SSLContext
    ) -> None:
        connection.context = self._newest

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            # Without a function here OpenSSL would ask on the terminal.
            context.load_cert_chain(self._certificate, self._key, password=_refuse_passphrase)
        except ssl.SSLError as error:
            raise CertificateError(self._explain(error)) from None
        except OSError as error:
            raise CertificateError(f"{self._key or self._certificate}: {error.strerror or error}.") from None
        return context

    def _explain(self, error: ssl.SSLError) -> str:
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"The key in {self._key or self._certificate} does not belong to {self._certificate}."
        if self._key is None:
            return f"{self._certificate} must hold a certificate and its key in PEM form, or name --tls-key."
        return f"{self._certificate} must hold a certificate and {self._key} its key, both in PEM form."

    def _versions(self) -> list[tuple[int, int, int] | None]:
        return [_version(path) for path in (self._certificate, self._key) if path is not None]


def _version(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _refuse_passphrase() -> str:
    raise CertificateError(
        "The key is protected by a passphrase; give one that is not, readable by the server alone."
    )
