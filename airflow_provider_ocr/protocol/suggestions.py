# SPDX-License-Identifier: Apache-2.0
"""What somebody may have meant who wrote a name that the API does not know, and how to show it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_LEAST_LIKENESS = 0.7
_LEAST_LIKENESS_OF_A_BEGINNING = 0.85
_MAX_SUGGESTIONS = 3
_MAX_GUESSED_LENGTH = 60
_MAX_SHOWN_LENGTH = 100
_LEAST_BEGINNING = 3


def shown(value: object) -> str:
    """``value`` as Python writes it, cut where it goes on for too long.

    :param value: what somebody wrote; nothing secret.
    """
    text = repr(value[: _MAX_SHOWN_LENGTH + 1] if isinstance(value, str) else value)
    return text if len(text) <= _MAX_SHOWN_LENGTH else f"{text[: _MAX_SHOWN_LENGTH - 1]}…"


def suggestion(text: str, names: Collection[str]) -> str:
    """A question to put behind a message, with a blank before it; empty where nothing is near.

    :param text: what was written.
    :param names: all names that there are.
    """
    near = nearest(text, names)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""


def nearest(text: str, names: Collection[str]) -> tuple[str, ...]:
    """The names that ``text`` may stand for, whatever its case, the likeliest first; at most three.

    A name of which it is the beginning, else the one that looks most like it, else one that it begins with.

    :param text: what was written.
    :param names: all names that there are.
    """
    from difflib import get_close_matches

    wanted = text.strip().casefold()
    if not wanted or len(wanted) > _MAX_GUESSED_LENGTH:
        return ()
    by_folded = {name.casefold(): name for name in names}
    found = (
        _shortest(folded for folded in by_folded if _begins(wanted, folded))
        or get_close_matches(wanted, by_folded, n=1, cutoff=_LEAST_LIKENESS)
        or _begun_alike(wanted, by_folded)
        or _of_a_word(wanted, by_folded)
    )
    return tuple(by_folded[folded] for folded in found)


def _begun_alike(wanted: str, names: Collection[str]) -> list[str]:
    """Names whose first letters look like the text, as in "Portugese"."""
    from difflib import get_close_matches

    length = len(wanted) + 1
    heads = sorted({folded[:length] for folded in names})
    near = get_close_matches(wanted, heads, n=1, cutoff=_LEAST_LIKENESS_OF_A_BEGINNING)
    return _shortest(folded for folded in names if folded[:length] in near)


def _of_a_word(wanted: str, names: Collection[str]) -> list[str]:
    """What the text begins with, or what begins with one of its words, as in "Chinese (Simplified)"."""
    contained = [folded for folded in names if _begins(folded, wanted)]
    if contained:
        return [max(contained, key=len)]
    words = re.findall(r"\w{4,}", wanted)
    found = (_shortest(folded for folded in names if _begins(word, folded)) for word in words)
    return next(filter(None, found), [])


def _begins(beginning: str, whole: str) -> bool:
    return len(beginning) >= _LEAST_BEGINNING and whole.startswith(beginning)


def _shortest(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (len(name), name))[:_MAX_SUGGESTIONS]
