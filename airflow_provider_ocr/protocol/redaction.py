# SPDX-License-Identifier: Apache-2.0
"""Other people's words made fit for a log: a URL in them keeps its host and path and loses its secrets."""

from __future__ import annotations

import re

_USER = re.compile(r"""(://)[^\s/?#"'<>]*@""")
_QUERY = re.compile(r"""(://[^\s?#"'<>]*)[?#][^\s"'<>]*""")
_ANY_QUERY = re.compile(r"""\?[^\s"'<>]*""")


def without_queries(text: str) -> str:
    """``text`` without anything that follows a question mark up to the next space or quote."""
    return _ANY_QUERY.sub("?...", text)


def without_url_secrets(text: str) -> str:
    """``text`` without the user, the query and the fragment of every URL in it."""
    return _QUERY.sub(r"\1?...", _USER.sub(r"\1", text))
