# SPDX-License-Identifier: Apache-2.0
"""What the values of options may be. Each function takes a value's text and says what is wrong with it.

No message repeats a value that may hold a password.
"""

from __future__ import annotations

import argparse
import ipaddress
import math
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from airflow_provider_ocr.server.operations.serve_options import Address

if TYPE_CHECKING:
    from airflow_provider_ocr.server.sources.networks import Network

_Choice = TypeVar("_Choice", bound=StrEnum)

_LARGEST_PORT = 65535
_LONGEST_NAME = 255
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE | re.ASCII)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S*", re.IGNORECASE)


def application_name(text: str) -> str:
    """What an application may be called: HTTP Basic ends a name at the first colon."""
    if not text or text != text.strip() or not text.isprintable() or ":" in text:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name for an application: it may not be empty, begin or end with a space, "
            "or have a colon or a control character"
        )
    if len(text) > _LONGEST_NAME:
        raise argparse.ArgumentTypeError(f"the name is longer than {_LONGEST_NAME} characters")
    return text


def application_and_password(text: str) -> tuple[str, str]:
    """``NAME:PASSWORD``; the password may have colons."""
    name, colon, password = text.partition(":")
    if not (name and colon and password):
        raise argparse.ArgumentTypeError("needs the form NAME:PASSWORD")
    return application_name(name), password


def folder(text: str) -> Path:
    """A folder that exists."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is no folder")
    return Path(text)


def data_folder(text: str) -> Path:
    """A folder that need not exist yet."""
    return Path(text).absolute()


def page_failure(text: str) -> Literal["fail", "keep"]:
    """What a page that cannot be read does to its document."""
    if text == "fail":
        return "fail"
    if text == "keep":
        return "keep"
    raise argparse.ArgumentTypeError(f"{text!r} is none of fail, keep")


def recognition(text: str) -> Literal["tesseract", "none"]:
    """Whether documents are recognised."""
    if text == "tesseract":
        return "tesseract"
    if text == "none":
        return "none"
    raise argparse.ArgumentTypeError(f"{text!r} is none of tesseract, none")


def seconds(text: str) -> float:
    """A length of time, which may be 0."""
    return 0.0 if text == "0" else period(text)


def file(text: str) -> Path:
    """A file that exists."""
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is no file")
    return Path(text)


def network(text: str) -> Network:
    """A network in CIDR notation."""
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"is no network: {error}") from None


def port(text: str) -> int:
    """A port number; 0 stands for a free one."""
    if not (text.isascii() and text.isdigit()) or int(text) > _LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port number")
    return int(text)


def address_or_off(text: str) -> Address | None:
    """``HOST:PORT``, an IPv6 address in brackets, or None for ``off``."""
    if text == "off":
        return None
    host, colon, number = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (host and colon):
        raise argparse.ArgumentTypeError(f"{text!r} needs the form HOST:PORT, or off")
    return Address(host, port(number))


def at_least_one(text: str) -> int:
    """A whole number of at least 1."""
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def credit_count(text: str) -> int:
    """A whole number of credits, 0 included."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of credits")
    return int(text)


def credit_change(text: str) -> int:
    """A whole number of credits to give, or, if negative, to take."""
    number = text.removeprefix("-")
    if not (number.isascii() and number.isdigit()) or int(number) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of credits other than 0")
    return int(text)


def period(text: str) -> float:
    """A length of time in the option's unit, more than 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def size(text: str) -> int:
    """A number of bytes, with K, M, G or T for powers of 1024."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write for example 500M or 20G")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def url(text: str) -> str:
    """A URL with a scheme."""
    if not _URL.fullmatch(text):
        raise argparse.ArgumentTypeError("needs the form of a URL, for example SCHEME://HOST/NAME")
    return text


def one_of(choices: type[_Choice]) -> Callable[[str], _Choice]:
    """What makes a member of an enumeration of its value."""

    def choose(text: str) -> _Choice:
        try:
            return choices(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(choices)}") from None

    return choose
