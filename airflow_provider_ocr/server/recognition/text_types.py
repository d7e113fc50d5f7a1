# SPDX-License-Identifier: Apache-2.0
"""How text is read that was put on paper in this or that way: by which data, as which characters, how large.

Several ways at once are read as any of them could be: a limit holds only where it holds for all.

Loads no engine, so that the process that answers HTTP can ask.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain

from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.languages import tesseract_codes
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import TextType

DIGITS = "0123456789"

WITHOUT_LANGUAGE = {"Digits": TextType.INDEX, "E13B": TextType.E13B, "CMC7": TextType.CMC7}
"""Languages of the API that are no languages, and the text type that reads them."""

_MACHINE_SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + DIGITS + "<>+#-.,/:'()*=%\""
_NOT_ON_KEYBOARDS = "‘’‚‛“”„«»‹›–—•·©®™¢¥€…°"  # noqa: RUF001 - what the engine takes for keyboards' signs
_MACHINE_DPI = 150  # the size of machines' letters is known, and at this the engine knows their shapes best
_OCR_B_WIDENING = 1.3  # its letters are narrow, and set apart further than any that the engine knows


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReading:
    """How text is to be read.

    :param codes: tesseract's names of the data, the first counting most.
    :param allowed: the only characters that are read; empty means any.
    :param capitals: the only characters of a page whose letters are capitals; empty means any.
    :param forbidden: characters that there are not.
    :param dpi: pixels per inch that the page is reduced to; None leaves its own.
    :param widening: how much wider than tall the page is made.
    :param dotted: whether letters are made of dots that have to be joined.
    """

    codes: tuple[str, ...]
    allowed: str = ""
    capitals: str = ""
    forbidden: str = ""
    dpi: float | None = None
    widening: float = 1.0
    dotted: bool = False

    @property
    def only_digits(self) -> bool:
        """Whether whatever is no digit is left out."""
        return self.allowed == DIGITS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """One way of putting text on paper.

    :param data: names of the data made for it; the first that there is reads it.
    :param package: what brings such data, if anything does.
    :param needs_data: whether it cannot be read with the data of a language.
    """

    data: tuple[str, ...] = ()
    package: str = ""
    needs_data: bool = False
    allowed: str = ""
    capitals: str = ""
    forbidden: str = ""
    dpi: float | None = None
    widening: float = 1.0
    dotted: bool = False


_WAYS = {
    TextType.NORMAL: _Way(),
    TextType.TYPEWRITER: _Way(forbidden=_NOT_ON_KEYBOARDS, dpi=_MACHINE_DPI),
    TextType.MATRIX: _Way(forbidden=_NOT_ON_KEYBOARDS, dotted=True),
    TextType.INDEX: _Way(allowed=DIGITS),
    TextType.OCR_A: _Way(
        data=("ocra", "OCRA"), forbidden=_NOT_ON_KEYBOARDS, capitals=_MACHINE_SIGNS, dpi=_MACHINE_DPI
    ),
    TextType.OCR_B: _Way(
        data=("ocrb", "OCRB", "mrz"),
        forbidden=_NOT_ON_KEYBOARDS,
        capitals=_MACHINE_SIGNS,
        dpi=_MACHINE_DPI,
        widening=_OCR_B_WIDENING,
    ),
    TextType.GOTHIC: _Way(
        data=("frk", "deu_latf", "Fraktur", "frak2021", "GT4HistOCR"),
        package="Debian's tesseract-ocr-frk or tesseract-ocr-script-frak",
        needs_data=True,
    ),
    TextType.HANDPRINTED: _Way(data=("handprinted", "handwritten"), needs_data=True),
    TextType.E13B: _Way(data=("e13b", "E13B", "mcr"), needs_data=True),
    TextType.CMC7: _Way(data=("cmc7", "CMC7"), needs_data=True),
}


def text_reading(settings: ProcessingSettings, there: Collection[str]) -> TextReading:
    """How the text of a document is to be read.

    :param settings: its languages and text types.
    :param there: tesseract's names of the data that there is.
    :raises InvalidParameterError: if a text type needs data that there is not; the message says what to
        install.
    """
    ways = [_WAYS[text_type] for text_type in settings.text_type]
    codes = list(chain.from_iterable(_own_data(text_type, there) for text_type in settings.text_type))
    if not all(way.needs_data for way in ways):
        codes += [code for code in tesseract_codes(settings.language) if code] or ["eng"]
    dpis = {way.dpi for way in ways}
    return TextReading(
        codes=tuple(dict.fromkeys(codes)),
        allowed=_joined([way.allowed for way in ways]),
        capitals=_joined([way.allowed or way.capitals for way in ways]),
        forbidden="".join(sign for sign in _NOT_ON_KEYBOARDS if all(sign in way.forbidden for way in ways)),
        dpi=dpis.pop() if len(dpis) == 1 else None,
        widening=min(way.widening for way in ways),
        dotted=any(way.dotted for way in ways),
    )


def _joined(limits: Sequence[str]) -> str:
    """The characters of all, or none of them where one has no limit."""
    return "".join(dict.fromkeys("".join(limits))) if all(limits) else ""


def without_text_type(settings: ProcessingSettings) -> list[str]:
    """The languages that are no languages and of which the text type is missing."""
    return [name for name in settings.language if _is_missing(name, settings.text_type)]


def _is_missing(name: str, text_types: Sequence[TextType]) -> bool:
    return name in WITHOUT_LANGUAGE and WITHOUT_LANGUAGE[name] not in text_types


def _own_data(text_type: TextType, there: Collection[str]) -> list[str]:
    """The name of the data made for a text type, if there is any."""
    way = _WAYS[text_type]
    found = [name for name in way.data if name in there][:1]
    if way.needs_data and not found:
        files = ", ".join(f"{name}.traineddata" for name in way.data)
        how = f"install {way.package}, or put" if way.package else "put"
        # str: an enumeration's member would show its own name, which no caller knows.
        raise InvalidParameterError(
            "textType",
            f"this server has no data to read {str(text_type)!r}; {how} one of {files} into its folder "
            "--tessdata, and start it again.",
        )
    return found
