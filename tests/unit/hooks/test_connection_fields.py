# SPDX-License-Identifier: Apache-2.0
"""What a connection says is checked before anything is opened, and no error repeats a secret."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import Connection

from airflow_provider_ocr.exceptions import CloudOcrParameterError
from airflow_provider_ocr.hooks.connection_fields import ConnectionFields, base_url, connection_fields

CONN_ID = "my_ocr"
EU = "https://cloud-eu.ocrsdk.com"


def fields_of(extra: dict[str, Any] | None = None, **given: Any) -> ConnectionFields:
    """The fields of a connection that lacks nothing, but for what is given."""
    usual = {"conn_id": CONN_ID, "conn_type": "cloud_ocr", "login": "app", "password": "pass/word"}
    connection = Connection(**{**usual, "host": "https://ocr.example", **given})
    return connection_fields(connection, {} if extra is None else extra)


def refusal(extra: dict[str, Any] | None = None, **given: Any) -> str:
    """The words with which a connection is refused."""
    with pytest.raises(CloudOcrParameterError) as caught:
        fields_of(extra, **given)
    assert f"The connection '{CONN_ID}' " in str(caught.value)
    assert "pass/word" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("host", "scheme", "port", "url"),
    [
        ("cloud-eu.ocrsdk.com", None, None, "https://cloud-eu.ocrsdk.com"),
        ("https://cloud-eu.ocrsdk.com", None, None, "https://cloud-eu.ocrsdk.com"),
        ("https://cloud-eu.ocrsdk.com/", None, None, "https://cloud-eu.ocrsdk.com"),
        ("http://ocr", None, 8080, "http://ocr:8080"),
        ("http://ocr:8080", None, 8080, "http://ocr:8080"),
        ("http://ocr:8080", "HTTP", None, "http://ocr:8080"),
        ("ocr:8080", "http", None, "http://ocr:8080"),
        ("ocr", "http", 80, "http://ocr:80"),
        ("https://ocr", "https", 443, "https://ocr:443"),
        (" https://ocr.example/\n", None, None, "https://ocr.example"),
        ("https://a_b.example.", None, None, "https://a_b.example."),
        ("https://bücher.example", None, None, "https://bücher.example"),
        ("https://" + "a" * 63, None, None, "https://" + "a" * 63),
        ("http://ocr/api/v1/", None, 8080, "http://ocr:8080/api/v1"),
        ("127.0.0.1", "http", 8080, "http://127.0.0.1:8080"),
        ("[::1]", "http", 8080, "http://[::1]:8080"),
        ("http://[::1]:9090", None, 9090, "http://[::1]:9090"),
        ("http://[::1]/api", None, None, "http://[::1]/api"),
    ],
)
def test_the_servers_url_comes_from_host_schema_and_port(
    host: str, scheme: str | None, port: int | None, url: str
) -> None:
    assert base_url(host.strip(), scheme=scheme, port=port) == url
    assert fields_of(host=host, schema=scheme, port=port).base_url == url


@pytest.mark.parametrize(
    ("location", "given", "url"),
    [
        ("cloud-eu", {"host": None}, EU),
        ("cloud-eu", {"host": ""}, EU),
        ("Cloud-EU ", {"host": None}, EU),
        ("cloud-westus", {"host": None}, "https://cloud-westus.ocrsdk.com"),
        ("cloud-eu", {"host": "cloud-eu.ocrsdk.com"}, EU),
        ("cloud-eu", {"host": "https://CLOUD-EU.ocrsdk.com/"}, "https://CLOUD-EU.ocrsdk.com"),
        ("cloud-eu", {"host": None, "schema": "http"}, "http://cloud-eu.ocrsdk.com"),
        ("cloud-eu", {"host": "", "port": 0, "schema": ""}, EU),
        ("own-server", {"host": "ocr.example", "port": 8095}, "https://ocr.example:8095"),
        (None, {"host": "ocr.example"}, "https://ocr.example"),
        ("", {"host": "cloud-eu.ocrsdk.com"}, EU),
    ],
)
def test_a_location_of_the_cloud_stands_in_for_the_host(
    location: str | None, given: dict[str, Any], url: str
) -> None:
    assert fields_of({"location": location}, **given).base_url == url


@pytest.mark.parametrize("host", ["ocr.example", "http://127.0.0.1:8095", "cloud-westus.ocrsdk.com"])
def test_a_location_and_another_servers_host_contradict_each_other(host: str) -> None:
    words = refusal({"location": "cloud-eu"}, host=host)
    assert "has the location cloud-eu and another server's host" in words
    assert "Leave host empty, or choose own-server as location." in words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"host": "http://ocr:8080", "port": 8081}, "8081 as port and another port, 8080, in its host"),
        ({"host": "http://[::1]:9090", "port": 8080}, "8080 as port and another port, 9090, in its host"),
        ({"host": "ocr:8080", "port": 443}, "443 as port and another port, 8080, in its host"),
        ({"host": "https://ocr", "schema": "http"}, "'http' as schema and another schema, 'https', in its"),
        ({"host": "HTTP://ocr", "schema": "https"}, "'https' as schema and another schema, 'http', in its"),
    ],
)
def test_a_host_and_fields_that_say_something_else_contradict_each_other(
    given: dict[str, Any], words: str
) -> None:
    assert words in refusal(**given)


@pytest.mark.parametrize("location", ["cloud-mars", 7, ["cloud-eu"]])
def test_an_unknown_location_is_refused_with_those_that_exist(location: Any) -> None:
    assert "as location; it takes cloud-eu, cloud-westus, own-server." in refusal({"location": location})


@pytest.mark.parametrize(
    ("given", "location", "missing"),
    [
        ({"host": None}, None, "no host."),
        ({"host": None}, "own-server", "no host."),
        ({"login": ""}, None, "no login."),
        ({"password": None}, None, "no password."),
        ({"host": "", "login": None, "password": ""}, None, "no host and no login and no password."),
        ({"host": "", "login": None, "password": ""}, "cloud-eu", "no login and no password."),
    ],
)
def test_fields_that_are_missing_are_named(given: dict[str, Any], location: str | None, missing: str) -> None:
    assert f"has {missing}" in refusal({"location": location}, **given)


def test_a_user_in_the_host_is_refused_and_not_repeated() -> None:
    words = refusal(host="https://somebody:hush@ocr.example")
    assert "has a user in its host" in words
    assert "hush" not in words


@pytest.mark.parametrize(
    "host",
    [
        *("ftp://hush.example", "https://", "http://[::1", "hush.example:eighty", "hush.example:0", "/"),
        *("https://ocr.example/?token=hush", "https://ocr.example/#hush"),
        *("https://hush..example", "https://.hush", "https://" + "a" * 64, "https://" + "a.b" * 99),
        *("https://hush\n.example", "https://hush.example/a\tb", "https://hu sh", "https://bü..cher"),
    ],
)
def test_a_host_that_gives_no_url_is_refused_and_not_repeated(host: str) -> None:
    words = refusal(host=host)
    assert "does not give the URL of a server" in words
    assert "hush" not in words


@pytest.mark.parametrize("extra", [[1], "text", 5])
def test_an_extra_that_is_no_object_is_refused(extra: Any) -> None:
    assert "has an extra that is no JSON object" in refusal(extra)


def test_a_ca_bundle_is_a_path() -> None:
    assert fields_of({"ca_bundle": "/etc/ssl/own.pem"}).ca_bundle == "/etc/ssl/own.pem"
    assert [fields_of({"ca_bundle": value}).ca_bundle for value in (None, "", False)] == [None, None, None]


@pytest.mark.parametrize(
    ("extra", "seconds"),
    [
        ({}, 20.0),
        ({"timeout": 5}, 5.0),
        ({"timeout": "7.5"}, 7.5),
        ({"timeout": None}, 20.0),
        ({"timeout": ""}, 20.0),
    ],
)
def test_the_time_out_comes_from_the_extra_field(extra: dict[str, Any], seconds: float) -> None:
    assert fields_of(extra).timeout == seconds


@pytest.mark.parametrize("timeout", [True, False, "soon", -1, 0, "0", "nan", "inf", [5], {"read": 5}])
def test_a_time_out_that_makes_no_sense_is_refused(timeout: Any) -> None:
    assert "number of seconds above 0" in refusal({"timeout": timeout})


@pytest.mark.parametrize(
    ("proxy", "url"),
    [
        (None, None),
        ("", None),
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("https://proxy.example", "https://proxy.example"),
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("me:hush@proxy.example", "http://me:hush@proxy.example"),
    ],
)
def test_a_proxy_is_a_url_whose_scheme_may_be_left_out(proxy: str | None, url: str | None) -> None:
    assert fields_of({"proxy": proxy}).proxy == url


@pytest.mark.parametrize(
    "proxy",
    [
        *("ftp://me:hush@proxy.example", "http://me:hush@", "http://me:hush@proxy.example:port", "hush://"),
        *("http://me:hush@proxy..example", "http://me:hush@a b", {"http": "http://me:hush@proxy"}, 3128),
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_and_not_repeated(proxy: Any) -> None:
    words = refusal({"proxy": proxy})
    assert "has a proxy that cannot be used" in words
    assert "hush" not in words


@pytest.mark.parametrize(
    ("proxy", "secrets"),
    [
        (None, []),
        ("http://proxy.example", []),
        ("http://me@proxy.example", []),
        ("http://me:hush-hush@proxy.example", ["hush-hush"]),
        ("http://me:p%40ss%2fword@proxy.example", ["p%40ss%2fword", "p@ss/word", "p%40ss%2Fword"]),
    ],
)
def test_the_proxys_password_is_a_secret_in_each_of_its_spellings(
    proxy: str | None, secrets: list[str]
) -> None:
    assert list(fields_of({"proxy": proxy}).secrets) == secrets


def test_its_repr_shows_no_secret() -> None:
    shown = repr(fields_of({"proxy": "http://me:hush@proxy.example"}))
    assert "https://ocr.example" in shown
    assert "pass/word" not in shown
    assert "hush" not in shown
