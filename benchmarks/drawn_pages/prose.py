# SPDX-License-Identifier: Apache-2.0
"""Sentences without sense, of common words, in the languages that pages are drawn in."""

from __future__ import annotations

from random import Random

_WORDS = {
    "English": (
        "the of and to in that it was for with as his on be at by had not are but from have "
        "they which one you were her all she there would their we him been has when who will "
        "more if out so said what up its about into than them can only other new some could "
        "time these two may then do first any my now such like our over man even most made "
        "after also did many before must through years where much your way down should because "
        "each people state good very make world still see work long here between both life "
        "being under never day same another know while last might great old year off come since "
        "against go came right used take three small house water school letter street garden "
        "winter machine paper office number question answer quiet journey mountain harbour "
        "weather kitchen window engine carriage bridge village merchant"
    ),
    "French": (
        "le la les de des du un une et en que qui dans pour pas sur au plus par avec tout faire "
        "être avoir mais nous vous leur même aussi bien où déjà très après avant jusqu'à été "
        "château forêt élève père mère frère garçon leçon français hôtel île août fenêtre tête "
        "fête événement théâtre naïf maïs Noël cœur sœur œuvre bœuf voilà là-bas peut-être "
        "aujourd'hui lettre rue jardin hiver école maison eau chemin pain papier bureau nombre "
        "question réponse voyage montagne port temps cuisine moteur pont village marchand "
        "première"
    ),
    "German": (
        "der die das und in den von zu mit sich des auf für ist im dem nicht ein eine als auch "
        "es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über "
        "einen so zum haben nur oder aber vor zur bis mehr durch man dann soll schon wenn "
        "können müssen größer Straße Fuß süß heiß weiß Größe Übung Äpfel Öl Übersetzung Gebäude "
        "Mädchen Bücher Häuser Vögel schön früh spät Wasser Schule Brief Garten Winter Maschine "
        "Papier Büro Nummer Frage Antwort Reise Gebirge Hafen Wetter Küche Fenster Brücke Dorf"
    ),
    "Polish": (
        "i w na z do się nie to że jest od po za jak przez ale był dla tylko czy już może być "
        "także lub oraz źródło łódź żółty święto ręka głowa książka miłość zdjęcie ćma końcówka "
        "dzień tydzień miesiąc wąż gęś ścieżka mężczyzna córka śnieg zima szkoła dom woda list "
        "ulica ogród papier biuro liczba pytanie odpowiedź podróż góra port pogoda kuchnia okno "
        "silnik most wieś kupiec pierwszy ostatni szczęście"
    ),
    "Greek": (
        "και το να του η της με που την από για είναι στο ότι δεν θα τον οι στην τα αυτό ένα "  # noqa: RUF001 - Greek
        "μια σε ως αλλά ήταν πολύ όταν πριν μετά κάτω επάνω σπίτι νερό σχολείο γράμμα δρόμος "
        "κήπος χειμώνας μηχανή χαρτί γραφείο αριθμός ερώτηση απάντηση ταξίδι βουνό λιμάνι "
        "καιρός κουζίνα παράθυρο γέφυρα χωριό έμπορος πρώτος τελευταίος ευτυχία άνθρωπος ημέρα "
        "εβδομάδα μήνας παιδί μητέρα πατέρας αδελφός φύλλο θάλασσα ήλιος"
    ),
}
_ENDS = "......?!"
_GREEK_ENDS = "......;!"  # its question mark is what others have for a semicolon
_SHORTEST, _LONGEST = 5, 14
_NUMBER_SHARE = 0.04
_COMMA_SHARE = 0.5


def words(language: str, chance: Random, count: int) -> list[str]:
    """Words of sentences, punctuated, some of them numbers.

    :param language: English, French, German, Polish or Greek.
    :param count: at least so many; the last sentence is ended.
    """
    found: list[str] = []
    while len(found) < count:
        found += _sentence(_WORDS[language].split(), chance, is_greek=language == "Greek")
    return found


def phrase(language: str, chance: Random, count: int) -> str:
    """So many words without punctuation, the first with a capital: a heading, or what stands in a cell."""
    return _capital(" ".join(chance.choices(_WORDS[language].split(), k=count)))


def _sentence(vocabulary: list[str], chance: Random, *, is_greek: bool) -> list[str]:
    count = chance.randint(_SHORTEST, _LONGEST)
    sentence = [
        _number(chance) if chance.random() < _NUMBER_SHARE else chance.choice(vocabulary)
        for _ in range(count)
    ]
    comma = chance.randrange(1, count - 1)
    if chance.random() < _COMMA_SHARE:
        sentence[comma] += ","
    sentence[0] = _capital(sentence[0])
    sentence[-1] += chance.choice(_GREEK_ENDS if is_greek else _ENDS)
    return sentence


def _number(chance: Random) -> str:
    lowest, highest = chance.choice([(2, 99), (1800, 2030), (10_000, 99_999)])
    return str(chance.randint(lowest, highest))


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
