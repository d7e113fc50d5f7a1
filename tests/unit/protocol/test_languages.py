# SPDX-License-Identifier: Apache-2.0
"""Languages are found by name in any case, and lead to tesseract's data where there is some."""

from __future__ import annotations

import pytest

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.languages import (
    LANGUAGES,
    one_spelling,
    require_language,
    tesseract_codes,
)

# The names of the API's documentation, in the older spellings.
VENDORS_TABLE = (
    """
Abkhaz, Adyghe, Afrikaans, Agul, Albanian, Altaic, Arabic (Saudi Arabia), ArmenianEastern,
ArmenianGrabar, ArmenianWestern, Awar, Aymara, AzeriCyrillic, AzeriLatin, Bashkir, Basque, Belarusian,
Bemba, Blackfoot, Breton, Bugotu, Bulgarian, Buryat, Catalan, Chamorro, Chechen, ChinesePRC (simplified),
ChineseTaiwan (traditional), Chukcha, Chuvash, CMC7 (MICR CMC-7), Corsican, CrimeanTatar, Croatian, Crow,
Czech, Danish, Dargwa, Digits (numbers), Dungan, Dutch, DutchBelgian, E13B (MICR E-13B), English,
EskimoCyrillic, EskimoLatin, Esperanto, Estonian, Even, Evenki, Farsi, Faeroese, Fijian, Finnish, French,
Frisian, Friulian, GaelicScottish, Gagauz, Galician, Ganda, German, GermanLuxembourg, GermanNewSpelling,
Greek, Guarani, Hani, Hausa, Hawaiian, Hebrew, Hungarian, Icelandic, Ido, Indonesian, Ingush,
Interlingua, Irish, Italian, Japanese, Kabardian, Kalmyk, KarachayBalkar, Karakalpak, Kasub, Kawa,
Kazakh, Khakas, Khanty, Kikuyu, Kirgiz, Kongo, Korean, KoreanHangul, Koryak, Kpelle, Kumyk, Kurdish, Lak,
Lappish, Latin, Latvian, LatvianGothic, Lezgin, Lithuanian, Luba, Macedonian, Malagasy, Malay, Malinke,
Maltese, Mansi, Maori, Mari, Maya, Miao, Minankabaw, Mohawk, Mongol, Mordvin, Nahuatl, Nenets, Nivkh,
Nogay, Norwegian (both forms), NorwegianBokmal, NorwegianNynorsk, Nyanja, Occidental, Ojibway,
OldEnglish, OldFrench, OldGerman, OldItalian, OldSlavonic, OldSpanish, Ossetic, Papiamento, PidginEnglish
(Tok Pisin), Polish, PortugueseBrazilian, PortugueseStandard, Provencal, Quechua, RhaetoRomanic,
Romanian, RomanianMoldavia, Romany, Ruanda, Rundi, RussianOldSpelling, Russian, Samoan, Selkup,
SerbianCyrillic, SerbianLatin, Shona, Sioux, Slovak, Slovenian, Somali, Sorbian, Sotho, Spanish, Sunda,
Swahili, Swazi, Swedish, Tabassaran, Tagalog, Tahitian, Tajik, Tatar, Thai, Tinpo, Tongan, Tswana, Tun,
Turkish, Turkmen, Tuvin, Udmurt, UighurCyrillic, UighurLatin, Ukrainian, UzbekCyrillic, UzbekLatin,
Vietnamese, Visayan (Cebuano), Welsh, Wolof, Xhosa, Yakut, Yiddish, Zapotec, Zulu
""".replace("\n", " ")
    .strip()
    .split(", ")
)


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_every_language_is_found_in_any_case(name: str) -> None:
    assert {require_language(text) for text in (name, name.lower(), name.upper(), f" {name} ")} == {name}


@pytest.mark.parametrize("text", ["", "Englisch", "eng", "English German"])
def test_an_unknown_language_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        require_language(text)
    assert caught.value.parameter == "language"
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Germn", "'German'"),
        ("GERMN", "'German'"),
        ("germ", "'German' or 'GermanLuxembourg' or 'GermanNewSpelling'"),
        ("GermanNewSpellingLaws", "'GermanNewSpelling'"),
        ("Englsh", "'English'"),
        ("Portugese", "'PortugueseStandard' or 'PortugueseBrazilian'"),
        ("Portuguese", "'PortugueseStandard' or 'PortugueseBrazilian'"),
        ("Chinese", "'ChinesePRC' or 'ChineseTaiwan'"),
        ("Simplified Chinese", "'ChinesePRC' or 'ChineseTaiwan'"),
        ("EnglishUnitedStates", "'English'"),
        ("English (United States)", "'English'"),
        ("deu", "'German'"),
        ("chi_sim", "'ChinesePRC'"),
        ("kor", "'Korean'"),
        ("Deutsch", "'German'"),
        ("persian", "'Farsi'"),
        ("eng+deu", "'English,German'"),
        ("English; German", "'English,German'"),
    ],
)
def test_the_language_that_was_meant_is_suggested(text: str, meant: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        require_language(text)
    start = f"language: {text!r} is not a recognition language of the service. Did you mean {meant}? "
    assert str(caught.value).startswith(start)
    assert len(str(caught.value)) < 300


def test_where_nothing_is_near_the_message_says_where_the_names_are() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        require_language("Klingon")
    assert str(caught.value) == (
        "language: 'Klingon' is not a recognition language of the service. There are English, German, "
        f"French, ChinesePRC and {len(LANGUAGES) - 4} more; docs/operators.md lists them all."
    )


def test_a_book_given_as_a_language_makes_a_short_message_at_once() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        require_language("English German " * 100_000)
    assert len(str(caught.value)) < 1000


def test_every_name_of_the_vendors_table_is_known_as_it_is_printed() -> None:
    assert len(VENDORS_TABLE) == 195
    names = {printed: printed.partition(" (")[0] for printed in VENDORS_TABLE}
    assert {printed: require_language(printed) for printed in VENDORS_TABLE} == names


@pytest.mark.parametrize(
    ("older", "newer", "sent"),
    [
        ("Awar", "Avar", "Avar"),
        ("Minankabaw", "Minangkabau", "Minangkabau"),
        ("Ossetic", "Ossetian", "Ossetian"),
        ("Sioux", "Sioux (Dakota)", "Sioux"),
        ("Tinpo", "Jingpo", "Jingpo"),
        ("Tuvin", "Tuvan", "Tuvan"),
    ],
)
def test_both_spellings_of_the_six_are_sent_as_they_are_and_are_one_language(
    older: str, newer: str, sent: str
) -> None:
    assert (require_language(older.lower()), require_language(newer.upper())) == (older, sent)
    assert one_spelling(older) == one_spelling(sent) == older


def test_codes_come_in_the_order_of_the_names() -> None:
    assert tesseract_codes(["German", "English", "ChinesePRC"]) == ("deu", "eng", "chi_sim")


@pytest.mark.parametrize(
    ("name", "code"), [("Norwegian (both forms)", "nor"), ("KoreanHangul", "kor"), ("Visayan", "ceb")]
)
def test_a_languages_data_is_found_by_each_of_its_names(name: str, code: str) -> None:
    assert tesseract_codes([require_language(name)]) == (code,)


def test_a_language_without_data_is_valid_and_has_no_code() -> None:
    assert tesseract_codes([require_language("cmc7")]) == (None,)
