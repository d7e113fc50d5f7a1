# SPDX-License-Identifier: Apache-2.0
"""Text is XML text exactly where an XML parser says so."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_ocr.protocol.characters import as_xml_text, is_xml_text


def _parses(text: str) -> bool:
    try:
        ET.fromstring(f"<t>&#{ord(text)};</t>")
    except ET.ParseError:
        return False
    return True


@given(st.characters())
def test_a_character_is_xml_text_where_a_parser_takes_its_reference(character: str) -> None:
    assert is_xml_text(character) == _parses(character)


@given(st.text())
def test_what_was_replaced_is_xml_text_of_the_same_length(text: str) -> None:
    replaced = as_xml_text(text)
    assert is_xml_text(replaced)
    assert len(replaced) == len(text)


@given(st.text())
def test_only_what_xml_cannot_carry_is_replaced(text: str) -> None:
    expected = "".join(character if is_xml_text(character) else "\ufffd" for character in text)
    assert as_xml_text(text) == expected


@pytest.mark.parametrize("text", ["\x00", "a\x0bb", "\x1f", "\ud800", "\ufffe"])
def test_control_characters_and_surrogates_are_not_xml_text(text: str) -> None:
    assert not is_xml_text(text)
