# SPDX-License-Identifier: Apache-2.0
"""Characters that look alike in two scripts, told apart by those beside them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_MICRO_SIGN, _MU = "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"


def in_one_script(texts: Sequence[str]) -> list[str]:
    """A word's characters; a micro sign among Greek letters is the letter, which the engine's data lack.

    :param texts: the characters, none of them empty.
    """
    if _MICRO_SIGN in texts and any(map(_is_greek, texts)):
        return [_MU if text == _MICRO_SIGN else text for text in texts]
    return list(texts)


def _is_greek(text: str) -> bool:
    return unicodedata.name(text[0], "").startswith("GREEK")
