# SPDX-License-Identifier: Apache-2.0
"""What an office file tells of itself: when it was made and by what program, and of no person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

_TEXTS = ("author", "last_modified_by", "comments", "title", "subject", "keywords", "category")


def describe(properties: Any) -> None:
    """Replace what the library's template says.

    :param properties: the core properties of python-docx or python-pptx, which are named alike.
    """
    for name in _TEXTS:
        setattr(properties, name, "")
    properties.created = properties.modified = datetime.now(UTC).replace(microsecond=0)
