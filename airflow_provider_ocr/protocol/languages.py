# SPDX-License-Identifier: Apache-2.0
"""The recognition languages of the API, and the tesseract data that reads each of them.

The names are those of the vendor's table, both spellings of the six that it has renamed included; where
the table puts an explanation behind a name, it is taken with it too, and sent without. A language whose
tesseract code is None is a valid value of the API that no tesseract data is known for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.suggestions import shown, suggestion

_WITH_DATA = """
Afrikaans afr, Albanian sqi, Arabic ara, ArmenianEastern hye, ArmenianWestern hye, AzeriCyrillic
aze_cyrl, AzeriLatin aze, Basque eus, Belarusian bel, Breton bre, Bulgarian bul, Catalan cat, ChinesePRC
chi_sim, ChineseTaiwan chi_tra, Corsican cos, Croatian hrv, Czech ces, Danish dan, Dutch nld,
DutchBelgian nld, English eng, Esperanto epo, Estonian est, Faeroese fao, Farsi fas, Finnish fin, French
fra, Frisian fry, GaelicScottish gla, Galician glg, German deu, GermanLuxembourg ltz, GermanNewSpelling
deu, Greek ell, Hebrew heb, Hungarian hun, Icelandic isl, Indonesian ind, Irish gle, Italian ita,
Japanese jpn, Kazakh kaz, Kirgiz kir, Korean kor, KoreanHangul kor, Kurdish kmr, Latin lat, Latvian lav,
Lithuanian lit, Macedonian mkd, Malay msa, Maltese mlt, Maori mri, Mongol mon, Norwegian nor,
NorwegianBokmal nor, NorwegianNynorsk nor, OldEnglish enm, OldFrench frm, OldItalian ita_old, OldSpanish
spa_old, Polish pol, PortugueseBrazilian por, PortugueseStandard por, Provencal oci, Quechua que,
Romanian ron, RomanianMoldavia ron, Russian rus, SerbianCyrillic srp, SerbianLatin srp_latn, Slovak slk,
Slovenian slv, Spanish spa, Sunda sun, Swahili swa, Swedish swe, Tagalog fil, Tajik tgk, Tatar tat, Thai
tha, Tongan ton, Turkish tur, UighurCyrillic uig, Ukrainian ukr, UzbekCyrillic uzb_cyrl, UzbekLatin uzb,
Vietnamese vie, Visayan ceb, Welsh cym, Yiddish yid
"""

_WITHOUT_DATA = """
Abkhaz Adyghe Agul Altaic ArmenianGrabar Avar Awar Aymara Bashkir Bemba Blackfoot Bugotu Buryat Chamorro
Chechen Chukcha Chuvash CMC7 CrimeanTatar Crow Dargwa Digits Dungan E13B EskimoCyrillic EskimoLatin Even
Evenki Fijian Friulian Gagauz Ganda GermanLaw GermanMedical GermanNewSpellingLaw Guarani Hani Hausa
Hawaiian Ido Ingush Interlingua Jingpo Kabardian Kalmyk KarachayBalkar Karakalpak Kasub Kawa Khakas
Khanty Kikuyu Kongo Koryak Kpelle Kumyk Lak Lappish LatvianGothic Lezgin Luba Malagasy Malinke Mansi Mari
Maya Miao Minangkabau Minankabaw Mohawk Mordvin Nahuatl Nenets Nivkh Nogay Nyanja Occidental Ojibway
OldGerman OldSlavonic Ossetian Ossetic Papiamento PidginEnglish RhaetoRomanic Romany Ruanda Rundi
RussianOldSpelling Samoan Selkup Shona Sioux Somali Sorbian Sotho Swazi Tabassaran Tahitian Tinpo Tswana
Tun Turkmen Tuvan Tuvin Udmurt UighurLatin Wolof Xhosa Yakut Zapotec Zulu
"""

# As the vendor's table prints them.
_EXPLAINED = """
Arabic (Saudi Arabia), ChinesePRC (simplified), ChineseTaiwan (traditional), CMC7 (MICR CMC-7), Digits
(numbers), E13B (MICR E-13B), Norwegian (both forms), PidginEnglish (Tok Pisin), Sioux (Dakota), Visayan
(Cebuano)
"""

# What other programs and the speakers themselves call them; only to guess what was meant.
_ELSEWHERE = """
Brazilian PortugueseBrazilian, Cantonese ChineseTaiwan, Castilian Spanish, Dansk Danish, Deutsch German,
Español Spanish, Flemish DutchBelgian, Français French, Italiano Italian, Mandarin ChinesePRC, Nederlands
Dutch, Norsk Norwegian, Persian Farsi, Polski Polish, Português PortugueseStandard, Suomi Finnish, Svenska
Swedish
"""

_NEWER_SPELLINGS = "Avar Awar, Jingpo Tinpo, Minangkabau Minankabaw, Ossetian Ossetic, Tuvan Tuvin"


def _pairs(table: str) -> dict[str, str]:
    return dict(entry.split() for entry in table.split(","))


_CODES: dict[str, str | None] = {**_pairs(_WITH_DATA), **dict.fromkeys(_WITHOUT_DATA.split())}
_BY_FOLDED_NAME = {name.casefold(): name for name in _CODES} | {
    " ".join(printed.split()).casefold(): printed.split()[0] for printed in _EXPLAINED.split(",")
}
_OLDER_SPELLING = _pairs(_NEWER_SPELLINGS)

# Names of the API that are in neither of the vendor's tables; suggested only where nothing else is near.
_UNLISTED = frozenset({"GermanLaw", "GermanMedical", "GermanNewSpellingLaw"})

LANGUAGES: frozenset[str] = frozenset(_CODES)
"""Every language name that the API knows."""


def require_language(text: str) -> str:
    """The canonical name of the language that ``text`` names in any case.

    :param text: a name of the vendor's table, with or without the explanation that it puts behind some.
    :raises InvalidParameterError: if the API knows no such language; the message suggests the nearest.
    """
    try:
        return _BY_FOLDED_NAME[" ".join(text.split()).casefold()]
    except KeyError:
        raise InvalidParameterError(
            "language",
            f"{shown(text)} is not a recognition language of the service.{_guess(text)} There are English, "
            f"German, French, ChinesePRC and {len(LANGUAGES) - 4} more; docs/operators.md lists them all.",
        ) from None


def one_spelling(name: str) -> str:
    """The same for both spellings of a language that the vendor has renamed.

    :param name: a canonical name.
    """
    return _OLDER_SPELLING.get(name, name)


def _guess(text: str) -> str:
    elsewhere = {name.casefold(): known for name, known in _pairs(_ELSEWHERE).items()}
    # Backwards, because of several languages with the same data the first is the plain one.
    elsewhere |= {code: name for name, code in reversed(_CODES.items()) if code}
    known = elsewhere | _BY_FOLDED_NAME
    parts = [known.get(part.casefold()) for part in re.split(r"[\s;+|/&]+", text.strip()[:200])]
    if all(parts):
        several = " Several languages are separated by commas." if len(parts) > 1 else ""
        return f" Did you mean {','.join(filter(None, parts))!r}?{several}"
    return suggestion(text, LANGUAGES - _UNLISTED) or suggestion(text, LANGUAGES)


def tesseract_codes(languages: Iterable[str]) -> tuple[str | None, ...]:
    """The tesseract data name for each canonical language name; None where no data is known.

    :param languages: canonical names.
    """
    return tuple(_CODES[name] for name in languages)
