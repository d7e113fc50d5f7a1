# SPDX-License-Identifier: Apache-2.0
"""Which characters XML 1.0 can carry, and with that the API's messages."""

from __future__ import annotations

import re

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_xml_text(text: str) -> bool:
    """Whether XML 1.0 can carry every character of ``text``."""
    return _NOT_XML.search(text) is None


def as_xml_text(text: str) -> str:
    """``text`` with U+FFFD in place of what XML 1.0 cannot carry."""
    return _NOT_XML.sub("\ufffd", text)
