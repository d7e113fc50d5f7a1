# SPDX-License-Identifier: Apache-2.0
"""Which cells of a table's column are numbers, and how a spreadsheet shows them exactly as they were read.

A column is one of numbers only if all of it below its head is. What could as well be a code, a date or a
number of another language stays text: a wrong number is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

_MOST_DIGITS = 15  # a spreadsheet rounds what has more
_MOST_HEADS = 2  # cells at a column's top that may be text
_SPACES = " \u00a0\u2009\u202f"
_NOTHING = re.compile(r"[-\u2010-\u2015\u2212.…]*")  # what stands in a cell that has no value
_MONEY = r"(?:[$£¥€₩₹₺₽₴]|CHF|CNY|CZK|DKK|EUR|GBP|HUF|JPY|NOK|PLN|SEK|USD|zł|Kč|kr\.?|Ft)"
_BEFORE = re.compile(rf"(?:{_MONEY}[{_SPACES}]?)?(?P<sign>[-+\u2013\u2212(]?)(?:{_MONEY})?[{_SPACES}]?")
_BEHIND = re.compile(rf"(?P<sign>[-\u2013\u2212)]?)(?:[{_SPACES}]?{_MONEY})?(?P<late>[)]?)")

# The Windows number of each language's locale, for its separators to be shown wherever the file is opened.
_POINT = """
English 409, ChinesePRC 804, ChineseTaiwan 404, Hebrew 40D, Irish 83C, Japanese 411, Korean 412, KoreanHangul
412, Malay 43E, Maltese 43A, Swahili 441, Tagalog 464, Thai 41E, Welsh 452
"""
_COMMA_AND_POINTS = """
Basque 42D, Catalan 403, Croatian 41A, Danish 406, Dutch 413, DutchBelgian 813, Faeroese 438, Galician 456,
German 407, GermanLuxembourg 46E, GermanNewSpelling 407, Greek 408, Icelandic 40F, Indonesian 421, Italian
410, Macedonian 42F, PortugueseBrazilian 416, Romanian 418, RomanianMoldavia 418, SerbianCyrillic C1A,
SerbianLatin 81A, Slovenian 424, Spanish C0A, Turkish 41F, Vietnamese 42A
"""
_COMMA_AND_SPACES = """
Afrikaans 436, Albanian 41C, ArmenianEastern 42B, ArmenianWestern 42B, Belarusian 423, Bulgarian 402, Czech
405, Estonian 425, Finnish 40B, French 40C, Hungarian 40E, Kazakh 43F, Latvian 426, Lithuanian 427, Norwegian
414, NorwegianBokmal 414, NorwegianNynorsk 814, Polish 415, PortugueseStandard 816, Russian 419, Slovak 41B,
Swedish 41D, Ukrainian 422
"""


@dataclass(frozen=True, slots=True)
class CellNumber:
    """A number as a spreadsheet takes it.

    :param value: at most 15 digits, which a float tells apart.
    :param number_format: shows ``value`` as it was read, in the spreadsheets' own language for formats.
    """

    value: float
    number_format: str


@dataclass(frozen=True, slots=True)
class NumberWriting:
    """How numbers are written in a language.

    :param locale: its Windows number, hexadecimal.
    :param decimal: what stands before the fraction.
    :param groups: any of these may stand between groups of three digits.
    """

    locale: str
    decimal: str
    groups: str

    def read(self, text: str) -> CellNumber | None:
        """The number that ``text`` is, None if it is not one, or not one that can be shown as it was read."""
        separator = f"[{self.groups}]"
        digits = re.search(
            rf"(?P<whole>[0-9]{{1,3}}(?:(?P<group>{separator})[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*)|[0-9]+)"
            rf"(?:{re.escape(self.decimal)}(?P<fraction>[0-9]+))?",
            text,
        )
        if digits is None:
            return None
        negative = _is_negative(text[: digits.start()], text[digits.end() :])
        whole = re.sub(separator, "", digits["whole"])
        fraction = digits["fraction"] or ""
        leads_with_zero = len(whole) > 1 and whole[0] == "0"
        if negative is None or leads_with_zero or len(whole + fraction) > _MOST_DIGITS:
            return None
        value = float(Decimal(f"{whole}.{fraction or 0}"))
        if negative and not value:  # a spreadsheet shows no sign before it
            return None
        shown = self._shown(text[: digits.start()], digits, text[digits.end() :], negative=negative)
        return CellNumber(-value if negative else value, shown)

    def _shown(self, before: str, digits: re.Match[str], behind: str, *, negative: bool) -> str:
        pattern, group = "0", digits["group"]
        if group is not None and group in _SPACES:
            pattern = re.sub(r"[0-9]", "#", digits["whole"])[:-1].replace(group, "\\" + group) + "0"
        elif group is not None:
            pattern = "#,##0"
        if digits["fraction"]:
            pattern += "." + "0" * len(digits["fraction"])
        locale = f"[$-{self.locale}]" if "," in pattern or "." in pattern else ""
        plain, exact = locale + pattern, f"{locale}{_literally(before)}{pattern}{_literally(behind)}"
        if not negative:
            return exact
        return plain if (before, behind) == ("-", "") else f"{plain};{exact}"


def _table(languages: str, decimal: str, groups: str) -> dict[str, NumberWriting]:
    pairs = (entry.split() for entry in languages.split(","))
    return {name: NumberWriting(locale, decimal, groups) for name, locale in pairs}


_WRITINGS = {
    **_table(_POINT, ".", ","),
    **_table(_COMMA_AND_POINTS, ",", "."),
    **_table(_COMMA_AND_SPACES, ",", _SPACES),
}


def writings(languages: Iterable[str]) -> tuple[NumberWriting, ...]:
    """How numbers may be written where these languages are; nothing for languages that it is not known of.

    :param languages: the API's names.
    """
    known = [_WRITINGS[name] for name in languages if name in _WRITINGS]
    return tuple({(one.decimal, one.groups): one for one in reversed(known)}.values())


def column_numbers(texts: Sequence[str], among: Iterable[NumberWriting]) -> dict[int, CellNumber]:
    """The numbers of a column by their position, none if it is not a column of numbers.

    :param texts: its cells from top to bottom.
    :param among: how numbers may be written. Where two ways read different numbers, there are none.
    """
    found = [numbers for one in among if (numbers := _numbers(texts, one))]
    if not found:
        return {}
    values = [{place: number.value for place, number in numbers.items()} for numbers in found]
    return found[0] if all(other == values[0] for other in values) else {}


def _numbers(texts: Sequence[str], writing: NumberWriting) -> dict[int, CellNumber]:
    """All numbers, none if there is a text anywhere but in the head."""
    numbers: dict[int, CellNumber] = {}
    heads = 0
    for place, text in enumerate(texts):
        number = writing.read(text)
        if number is not None:
            numbers[place] = number
        elif not _NOTHING.fullmatch(text):
            heads += 1
            if numbers or heads > _MOST_HEADS:
                return {}
    return numbers if len(numbers) >= heads else {}


def _is_negative(before: str, behind: str) -> bool | None:
    """Whether a number is below zero, None if what stands around its digits belongs to no number."""
    first, last = _BEFORE.fullmatch(before), _BEHIND.fullmatch(behind)
    if first is None or last is None:
        return None
    signs = first["sign"] + last["sign"] + last["late"]
    if signs in ("", "+"):
        return False
    return True if signs == "()" or (len(signs) == 1 and signs not in "()") else None


def _literally(text: str) -> str:
    return "".join("\\" + character for character in text)
