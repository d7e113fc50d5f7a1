# SPDX-License-Identifier: Apache-2.0
"""The recognition languages of the API, and the tesseract data that reads each of them.

The names are those of the vendor's table, both spellings of the six that it has renamed included. A
language whose tesseract code is None is a valid value of the API that no tesseract data is known for.
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_ocr.protocol.errors import InvalidParameterError

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
Slovenian slv, Spanish spa, Sunda sun, Swahili swa, Swedish swe, Tagalog tgl, Tajik tgk, Tatar tat, Thai
tha, Tongan ton, Turkish tur, UighurCyrillic uig, Ukrainian ukr, UzbekCyrillic uzb_cyrl, UzbekLatin uzb,
Vietnamese vie, Visayan ceb, Welsh cym, Yiddish yid
"""

_WITHOUT_DATA = """
Abkhaz Adyghe Agul Altaic ArmenianGrabar Avar Awar Aymara Bashkir Bemba Blackfoot Bugotu Buryat Chamorro
Chechen Chukcha Chuvash CMC7 CrimeanTatar Crow Dargwa Digits Dungan E13B EskimoCyrillic EskimoLatin Even
Evenki Fijian Friulian Gagauz Ganda GermanLaw GermanMedical GermanNewSpellingLaw Guarani Hani Hausa
Hawaiian Ido Ingush Interlingua Jingpo Kabardian Kalmyk KarachayBalkar Karakalpak Kasub Kawa Khakas
Khanty Kikuyu Kongo Koryak Kpelle Kumyk Lak Lappish LatvianGothic Lezgin Luba Malagasy Malinke Mansi Mari
Maya Miao Minangkabaw Minankabaw Mohawk Mordvin Nahuatl Nenets Nivkh Nogay Nyanja Occidental Ojibway
OldGerman OldSlavonic Ossetian Ossetic Papiamento PidginEnglish RhaetoRomanic Romany Ruanda Rundi
RussianOldSpelling Samoan Selkup Shona Sioux Somali Sorbian Sotho Swazi Tabassaran Tahitian Tinpo Tswana
Tun Turkmen Tuvan Tuvin Udmurt UighurLatin Wolof Xhosa Yakut Zapotec Zulu
"""

_CODES: dict[str, str | None] = {
    **dict(entry.split() for entry in _WITH_DATA.split(",")),
    **dict.fromkeys(_WITHOUT_DATA.split()),
}
_BY_FOLDED_NAME = {name.casefold(): name for name in _CODES}

LANGUAGES: frozenset[str] = frozenset(_CODES)
"""Every language name that the API knows."""


def require_language(text: str) -> str:
    """The canonical name of the language that ``text`` names in any case.

    :raises InvalidParameterError: if the API knows no such language.
    """
    try:
        return _BY_FOLDED_NAME[text.strip().casefold()]
    except KeyError:
        raise InvalidParameterError(
            "language", f"{text!r} is not a recognition language of the service."
        ) from None


def tesseract_codes(languages: Iterable[str]) -> tuple[str | None, ...]:
    """The tesseract data name for each canonical language name; None where no data is known."""
    return tuple(_CODES[name] for name in languages)
