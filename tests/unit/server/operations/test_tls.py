# SPDX-License-Identifier: Apache-2.0
"""Real connections to a real TLS listener: which certificate they see, before and after it is renewed."""

from __future__ import annotations

import datetime as dt
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from airflow_provider_ocr.server.operations.tls import CertificateError, ServerCertificate

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def make_key(*, kind: str = "ec") -> Key:
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: Key, passphrase: bytes = b"") -> bytes:
    protection = (
        serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def certificate_pem(key: Key, serial: int) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


@pytest.fixture
def renew(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Puts a new certificate and key in place, as whoever renews them does, and names both files."""

    def renewed(serial: int, *, kind: str = "ec") -> tuple[Path, Path]:
        key = make_key(kind=kind)
        for name, content in (("server.key", key_pem(key)), ("server.crt", certificate_pem(key, serial))):
            (tmp_path / f"{name}.new").write_bytes(content)
            (tmp_path / f"{name}.new").replace(tmp_path / name)
        return tmp_path / "server.crt", tmp_path / "server.key"

    return renewed


@pytest.fixture
def seen_serial() -> Iterator[Callable[..., int]]:
    """The serial number that a client of a certificate's context sees."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer(context: ssl.SSLContext) -> None:
            connection, _ = listener.accept()
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)
            except OSError:
                connection.close()

        def seen(certificate: ServerCertificate, *, name: str | None = "localhost", **client: object) -> int:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            for setting, value in client.items():
                setattr(context, setting, value)
            answering = threading.Thread(target=answer, args=(certificate.context,))
            answering.start()
            try:
                with (
                    socket.create_connection(listener.getsockname(), timeout=10) as connection,
                    context.wrap_socket(connection, server_hostname=name) as secured,
                ):
                    shown = secured.getpeercert(binary_form=True)
                    assert shown is not None
                    return x509.load_der_x509_certificate(shown).serial_number
            finally:
                answering.join(10)

        yield seen


def test_the_key_may_be_apart_or_in_the_certificates_file(
    renew: Callable[..., tuple[Path, Path]], seen_serial: Callable[..., int], tmp_path: Path
) -> None:
    certificate, key = renew(7)
    assert seen_serial(ServerCertificate(certificate, key)) == 7
    together = tmp_path / "both.pem"
    together.write_bytes(certificate.read_bytes() + key.read_bytes())
    assert seen_serial(ServerCertificate(together)) == 7


@pytest.mark.parametrize("kinds", [("ec", "ec"), ("rsa", "ec"), ("ec", "rsa")], ids=str)
@pytest.mark.parametrize("name", ["localhost", None])
def test_a_renewed_certificate_is_shown_to_the_next_client(
    renew: Callable[..., tuple[Path, Path]],
    seen_serial: Callable[..., int],
    kinds: tuple[str, str],
    name: str | None,
) -> None:
    certificate = ServerCertificate(*renew(1, kind=kinds[0]))
    assert seen_serial(certificate, name=name) == 1
    assert not certificate.reload_if_changed()
    renew(2, kind=kinds[1])
    assert certificate.reload_if_changed()
    assert seen_serial(certificate, name=name) == 2


def test_a_renewal_that_went_wrong_leaves_the_earlier_certificate(
    renew: Callable[..., tuple[Path, Path]],
    seen_serial: Callable[..., int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    files = renew(1)
    certificate = ServerCertificate(*files)
    files[0].write_bytes(b"half a cert")
    with caplog.at_level(logging.ERROR):
        assert not certificate.reload_if_changed()
    assert "the earlier certificate stays in use" in caplog.text
    assert seen_serial(certificate) == 1
    files[0].unlink()
    assert not certificate.reload_if_changed()
    assert seen_serial(certificate) == 1
    renew(3)
    assert certificate.reload_if_changed()
    assert seen_serial(certificate) == 3


def test_renewed_files_are_noticed_by_themselves(
    renew: Callable[..., tuple[Path, Path]], seen_serial: Callable[..., int]
) -> None:
    certificate = ServerCertificate(*renew(1), seconds=0.01)
    certificate.watch()
    try:
        renew(2)
        deadline = time.monotonic() + 10
        while seen_serial(certificate) != 2:
            assert time.monotonic() < deadline
    finally:
        certificate.stop()


def test_the_web_server_speaks_https_with_it(renew: Callable[..., tuple[Path, Path]]) -> None:
    async def app(scope: Any, _: object, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": scope["scheme"].encode()})

    close = {"Connection": "close"}  # or the server waits for the client's part of the good-bye
    certificate = ServerCertificate(*renew(1))
    config = uvicorn.Config(app, lifespan="off", log_config=None)
    config.load()
    config.ssl = certificate.context
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        running.start()
        try:
            for serial in (1, 2):
                files = renew(serial)
                certificate.reload_if_changed()
                url = f"https://localhost:{listener.getsockname()[1]}"
                answer = requests.get(url, verify=str(files[0]), headers=close, timeout=10)
                assert answer.text == "https"
        finally:
            server.should_exit = True
            running.join(10)
    assert not running.is_alive()


def test_nothing_older_than_tls_1_2_is_spoken(
    renew: Callable[..., tuple[Path, Path]], seen_serial: Callable[..., int]
) -> None:
    certificate = ServerCertificate(*renew(1))
    assert seen_serial(certificate, maximum_version=ssl.TLSVersion.TLSv1_2) == 1
    old = {"minimum_version": ssl.TLSVersion.TLSv1, "maximum_version": ssl.TLSVersion.TLSv1_1}
    with pytest.warns(DeprecationWarning, match="TLSv1"), pytest.raises(ssl.SSLError):
        seen_serial(certificate, **old)


def test_files_that_cannot_be_used_are_named(renew: Callable[..., tuple[Path, Path]], tmp_path: Path) -> None:
    certificate, key = renew(1)
    other = tmp_path / "other.key"
    other.write_bytes(key_pem(make_key()))
    protected = tmp_path / "protected.key"
    protected.write_bytes(key_pem(make_key(), b"canary"))
    empty = tmp_path / "empty.pem"
    empty.touch()
    for files, said in (
        ((certificate, other), f"The key in {other} does not belong to {certificate}"),
        ((certificate, protected), "protected by a passphrase"),
        ((certificate, None), "name --tls-key"),
        ((empty, key), f"{empty} must hold a certificate"),
        ((certificate, empty), f"{empty} its key"),
        ((certificate, tmp_path / "gone.key"), "No such file"),
    ):
        with pytest.raises(CertificateError) as refused:
            ServerCertificate(*files)
        assert said in str(refused.value)
