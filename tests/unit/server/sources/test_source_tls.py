# SPDX-License-Identifier: Apache-2.0
"""Over https an image comes from the host that was meant, over TLS 1.2 or newer, or not at all."""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from airflow_provider_ocr.server.sources.networks import AddressPolicy
from airflow_provider_ocr.server.sources.source import SourceError, SourceFetcher

LOOPBACK = "127.0.0.1"
ALLOWED = [ipaddress.ip_network("127.0.0.0/8")]
NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
IMAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage"
ISSUES_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """Issues certificates.

    :param folder: where they are written to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Authority of {folder.name}")])
        certificate = (
            self._unsigned(self._name, self._key, NOW + DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(ISSUES_CERTIFICATES, critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / "authority.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def certificate(self, *hosts: str, until: dt.datetime = NOW + DAY) -> Path:
        """A file with a certificate for these hosts, and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._unsigned(x509.Name([]), key, until)
            .add_extension(x509.SubjectAlternativeName(map(_general_name, hosts)), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        file = self._folder / f"{hosts[0]}-{until:%s}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return file

    def _unsigned(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, until: dt.datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - 10 * DAY)
            .not_valid_after(until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority that the fetcher trusts."""
    return Authority(tmp_path_factory.mktemp("trusted"))


@pytest.fixture
def fetcher(authority: Authority) -> Iterator[SourceFetcher]:
    """A fetcher that trusts the authority and may connect to the loopback address."""
    with closing(SourceFetcher(AddressPolicy(ALLOWED), authorities=authority.file)) as fetcher:
        yield fetcher


Host = Callable[..., str]


@pytest.fixture
def host(authority: Authority) -> Iterator[Host]:
    """Starts a host that answers every request over TLS with the same; gives its base URL."""
    with ExitStack() as running:

        def start(
            answer: bytes = IMAGE,
            *,
            certificate: Path | None = None,
            tls: ssl.TLSVersion | None = None,
            polite: bool = True,
        ) -> str:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate or authority.certificate(LOOPBACK))
            if tls is not None:
                speak_only(context, tls)
            listener = running.enter_context(socket.create_server((LOOPBACK, 0)))
            threading.Thread(target=_serve, args=(listener, context, answer, polite), daemon=True).start()
            running.callback(listener.shutdown, socket.SHUT_RDWR)
            return f"https://{LOOPBACK}:{listener.getsockname()[1]}"

        yield start


def _serve(listener: socket.socket, context: ssl.SSLContext, answer: bytes, polite: bool) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(answer)
            if polite:
                secured.unwrap()


def speak_only(context: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    """Let a context use this version of TLS, however old it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of old versions, which is the point
        context.minimum_version = version
        context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where an image is to be written: a folder of its own, so that leftovers show."""
    folder = tmp_path / "images"
    folder.mkdir()
    return folder / "image"


def failure_of(fetcher: SourceFetcher, url: str, target: Path) -> str:
    with pytest.raises(SourceError) as failure:
        fetcher.fetch(f"{url}/scan.png?signature=secret", target)
    sentence = str(failure.value)
    assert "secret" not in sentence
    assert sentence.endswith(".")
    assert not sentence.endswith("..")
    assert list(target.parent.iterdir()) == []
    return sentence


@pytest.mark.parametrize("version", [None, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_an_image_comes_over_tls(
    version: ssl.TLSVersion | None, host: Host, fetcher: SourceFetcher, target: Path
) -> None:
    fetcher.fetch(host(tls=version), target)
    assert target.read_bytes() == b"image"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(
    version: ssl.TLSVersion, host: Host, fetcher: SourceFetcher, authority: Authority, target: Path
) -> None:
    url = host(tls=version)
    assert speaks(url, version, authority)
    assert f"from {LOOPBACK}: the TLS handshake failed, for which TLS 1.2 or newer is asked." in failure_of(
        fetcher, url, target
    )


def speaks(url: str, version: ssl.TLSVersion, authority: Authority) -> bool:
    """Whether the host at this URL can be talked to by who has nothing against this version."""
    context = ssl.create_default_context(cafile=str(authority.file))
    speak_only(context, version)
    port = int(url.rpartition(":")[2])
    with (
        socket.create_connection((LOOPBACK, port)) as connection,
        context.wrap_socket(connection, server_hostname=LOOPBACK) as secured,
    ):
        return secured.version() == {"TLSv1": "TLSv1", "TLSv1_1": "TLSv1.1"}[version.name]


def test_a_host_with_a_certificate_of_another_is_refused(
    host: Host, fetcher: SourceFetcher, authority: Authority, target: Path
) -> None:
    url = host(certificate=authority.certificate("elsewhere.example", "127.0.0.2"))
    assert "its certificate is not valid (IP address mismatch" in failure_of(fetcher, url, target)


def test_a_host_is_known_by_its_name(
    host: Host, fetcher: SourceFetcher, authority: Authority, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = host(certificate=authority.certificate("scans.example"))
    answer = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (LOOPBACK, int(url.rpartition(":")[2])))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [answer])
    # With a dot at its end, too, which no certificate has.
    for name in ("scans.example", "SCANS.example."):
        fetcher.fetch(url.replace(LOOPBACK, name), target)
        assert target.read_bytes() == b"image"
        target.unlink()
    assert "Hostname mismatch" in failure_of(fetcher, url.replace(LOOPBACK, "other.example"), target)


def test_an_expired_certificate_is_refused(
    host: Host, fetcher: SourceFetcher, authority: Authority, target: Path
) -> None:
    url = host(certificate=authority.certificate(LOOPBACK, until=NOW - DAY))
    assert "its certificate is not valid (certificate has expired)." in failure_of(fetcher, url, target)


def test_a_certificate_of_an_unknown_authority_is_refused(
    host: Host, fetcher: SourceFetcher, tmp_path: Path, target: Path
) -> None:
    (tmp_path / "unknown").mkdir()
    url = host(certificate=Authority(tmp_path / "unknown").certificate(LOOPBACK))
    assert "its certificate is not valid (" in failure_of(fetcher, url, target)


def test_the_authorities_of_the_system_are_trusted(
    host: Host, authority: Authority, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", os.fspath(authority.file))
    with closing(SourceFetcher(AddressPolicy(ALLOWED))) as fetcher:
        fetcher.fetch(host(), target)
    assert target.read_bytes() == b"image"


def redirect(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def test_a_redirect_to_another_https_url_is_followed(
    host: Host, fetcher: SourceFetcher, target: Path
) -> None:
    fetcher.fetch(host(redirect(host(redirect(host())))), target)
    assert target.read_bytes() == b"image"


@pytest.mark.parametrize("hops", [0, 1, 4])
def test_a_redirect_to_http_is_not_followed(
    hops: int, host: Host, fetcher: SourceFetcher, target: Path
) -> None:
    with socket.create_server((LOOPBACK, 0)) as canary:
        canary.setblocking(False)
        url = host(redirect(f"http://{LOOPBACK}:{canary.getsockname()[1]}/?signature=secret"))
        for _ in range(hops):
            url = host(redirect(url))
        assert f"{LOOPBACK} redirects from https to http." in failure_of(fetcher, url, target)
        with pytest.raises(BlockingIOError):
            canary.accept()


@pytest.mark.parametrize("polite", [True, False])
def test_an_image_of_known_length_needs_no_good_bye(
    polite: bool, host: Host, fetcher: SourceFetcher, target: Path
) -> None:
    fetcher.fetch(host(polite=polite), target)
    assert target.read_bytes() == b"image"


def test_an_image_of_unknown_length_ends_with_the_good_bye_of_the_host(
    host: Host, fetcher: SourceFetcher, target: Path
) -> None:
    fetcher.fetch(host(b"HTTP/1.1 200 OK\r\n\r\nimage"), target)
    assert target.read_bytes() == b"image"


def test_an_image_of_unknown_length_is_not_taken_for_whole_without_a_good_bye(
    host: Host, fetcher: SourceFetcher, target: Path
) -> None:
    # Anybody on the way can close a connection; only the host can say that this was all.
    url = host(b"HTTP/1.1 200 OK\r\n\r\nhalf an image", polite=False)
    assert f"from {LOOPBACK}: the transfer broke off." in failure_of(fetcher, url, target)
