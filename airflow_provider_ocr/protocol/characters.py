# SPDX-License-Identifier: Apache-2.0
"""Which characters XML 1.0 can carry, and with that the API's messages."""

from __future__ import annotations

import re

# As text, for `re` to compile where it is first used: that takes longer than all else at a DAG's import.
_NOT_XML = "[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


def is_xml_text(text: str) -> bool:
    """Whether XML 1.0 can carry every character of ``text``.

    :param text: any text.
    """
    # What is printable always is; most descriptions are.
    return text.isprintable() or re.search(_NOT_XML, text) is None


def as_xml_text(text: str) -> str:
    """``text`` with U+FFFD in place of what XML 1.0 cannot carry.

    :param text: any text.
    """
    return re.sub(_NOT_XML, "\ufffd", text)
