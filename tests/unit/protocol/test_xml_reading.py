# SPDX-License-Identifier: Apache-2.0
"""A document is read whatever its encoding, up to limits that no answer of the API comes near."""

from __future__ import annotations

import pytest

from airflow_provider_ocr.protocol.errors import UnreadableAnswerError
from airflow_provider_ocr.protocol.xml_reading import (
    MAX_BODY_BYTES,
    MAX_DEPTH,
    MAX_PARTS,
    MAX_TAG_BYTES,
    MAX_TEXT_LENGTH,
    Element,
    read_elements,
)

UTF_16 = '<?xml version="1.0" encoding="utf-16"?><r v="Zoë €"/>'
UTF_8 = UTF_16.replace("utf-16", "utf-8")
PLAIN = '<r v="Zoë €"/>'


def _read(body: bytes, *texts: str) -> list[Element]:
    return list(read_elements(body, root="r", texts=texts))


@pytest.mark.parametrize(
    "body",
    [
        PLAIN.encode(),
        UTF_8.encode(),
        UTF_8.encode("utf-8-sig"),
        b"\xef\xbb\xbf\r\n" + UTF_8.encode(),
        b"\r\n\t " + UTF_8.encode(),
        UTF_16.encode("utf-16"),
        UTF_16.encode("utf-16-le"),
        b"\xfe\xff" + UTF_16.encode("utf-16-be"),
        UTF_8.encode("utf-16"),
        UTF_16.encode(),
        UTF_16.encode("utf-8-sig"),
        UTF_16.replace("utf-16", "windows-1252").encode("windows-1252"),
        UTF_16.replace("utf-16", "iso-8859-1").encode("utf-8-sig"),
    ],
    ids=[
        "not declared",
        "UTF-8",
        "UTF-8 with BOM",
        "blanks after a BOM",
        "blanks",
        "UTF-16 with BOM",
        "UTF-16 without BOM",
        "UTF-16 big-endian",
        "UTF-16 declared as UTF-8",
        "UTF-8 declared as UTF-16",
        "UTF-8 with BOM declared as UTF-16",
        "Windows-1252",
        "UTF-8 with BOM declared as Latin-1",
    ],
)
def test_what_the_first_bytes_prove_counts_more_than_the_declaration(body: bytes) -> None:
    assert _read(body) == [Element("r", 1, {"v": "Zoë €"}, "")]


def test_elements_come_as_they_end_with_their_depth() -> None:
    assert [(element.name, element.depth) for element in _read(b"<r><a><b/></a><c/></r>")] == [
        ("b", 3),
        ("a", 2),
        ("c", 2),
        ("r", 1),
    ]


def test_text_is_that_of_the_elements_asked_for_with_all_in_them() -> None:
    body = b"<r>no<m>A &amp; <b>B</b><m>C</m><![CDATA[<D>]]></m>no<m/><o>no</o></r>"
    texts = [(element.name, element.text) for element in _read(body, "m", "b")]
    assert texts == [("b", ""), ("m", ""), ("m", "A & BC<D>"), ("m", ""), ("o", ""), ("r", "")]


def test_a_text_is_no_longer_than_a_person_reads() -> None:
    (element, _) = _read(b"<r><m>" + b"x" * 300_000 + b"</m></r>", "m")
    assert len(element.text) == 10_000


@pytest.mark.parametrize("length", [MAX_TEXT_LENGTH - 1, MAX_TEXT_LENGTH, MAX_TEXT_LENGTH + 1, 300_000])
def test_a_text_ends_at_its_limit(length: int) -> None:
    (element, _) = _read(b"<r><m>" + b"x\n" * (length // 2) + b"x" * (length % 2) + b"</m></r>", "m")
    assert len(element.text) == min(length, MAX_TEXT_LENGTH)


def test_a_body_at_its_limit_is_read_and_one_byte_more_is_not() -> None:
    body = b"<r>" + b" " * (MAX_BODY_BYTES - 7) + b"</r>"
    assert len(_read(body)) == 1
    with pytest.raises(UnreadableAnswerError, match="16,777,217 bytes, more than 16,777,216"):
        _read(body + b" ")


def test_elements_at_the_depth_limit_are_read_and_one_more_is_not() -> None:
    body = b"<r>" + b"<a>" * (MAX_DEPTH - 1) + b"</a>" * (MAX_DEPTH - 1) + b"</r>"
    assert max(element.depth for element in _read(body)) == MAX_DEPTH
    with pytest.raises(UnreadableAnswerError, match="nests more than 32"):
        _read(body.replace(b"</a>", b"<a/></a>", 1))


def test_a_tag_of_the_size_limit_is_read_wherever_it_begins() -> None:
    for before in (0, 1, 40_000, 65_535):
        tag = b'<a v="' + b"x" * (MAX_TAG_BYTES - 10) + b'"/>'
        elements = _read(b"<r>" + b" " * before + tag + b"</r>")
        assert [len(element.attributes.get("v", "")) for element in elements] == [MAX_TAG_BYTES - 10, 0]


@pytest.mark.parametrize(
    "tag",
    [b'<a v="%b"/>', b"<!--%b-->", b"<?a %b?>", b"<a></a  %b>", b"<%b/>"],
    ids=["attribute", "comment", "instruction", "end tag", "name"],
)
def test_a_tag_that_goes_on_and_on_is_refused(tag: bytes) -> None:
    filling = b" " if b"  " in tag else b"x"
    with pytest.raises(UnreadableAnswerError, match="a tag of more than 262,144 bytes"):
        _read(b"<r>" + tag % (filling * 2 * MAX_TAG_BYTES) + b"</r>")


def test_names_that_a_namespace_makes_long_count_as_often_as_they_come() -> None:
    root = b'<r xmlns="' + b"u" * 200_000 + b'">'
    assert len(_read(root + b"<a/>" * 100 + b"</r>")) == 101
    with pytest.raises(UnreadableAnswerError, match="values take more than 33,554,432 bytes"):
        _read(root + b"<a/>" * 200 + b"</r>")


@pytest.mark.parametrize(
    ("piece", "parts"), [(b"<a/>", 1), (b'<a b=""/>', 2), (b'<a xmlns="u"/>', 2), (b'<a xmlns=""/>', 2)]
)
def test_parts_are_counted_up_to_their_limit(piece: bytes, parts: int) -> None:
    most = (MAX_PARTS - 1) // parts
    assert len(_read(b"<r>" + piece * most + b"</r>")) == most + 1
    with pytest.raises(UnreadableAnswerError, match="more than 50,000 elements"):
        _read(b"<r>" + piece * (most + 1) + b"</r>")


@pytest.mark.parametrize("encoding", ["klingon", "shift_jis", "utf-7", "idna", "hex", "undefined", "rot13"])
def test_an_encoding_that_nobody_reads_is_our_error(encoding: str) -> None:
    with pytest.raises(UnreadableAnswerError):
        _read(f'<?xml version="1.0" encoding="{encoding}"?><r/>'.encode())
