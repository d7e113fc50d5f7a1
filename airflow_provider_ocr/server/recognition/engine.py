# SPDX-License-Identifier: Apache-2.0
"""The tesseract engine: which way up a page lies, and the words on it. One page at a time, one thread.

An engine call that does not say True is an error: the engine hands out fragments of text even then.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import tesserocr
from tesserocr import OEM, PSM, PT, RIL

from airflow_provider_ocr.protocol.languages import tesseract_codes
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.document import (
    Baseline,
    Block,
    BlockType,
    Box,
    Line,
    Paragraph,
    Reading,
    Word,
    enclosing,
)
from airflow_provider_ocr.server.recognition.ink import Grey
from airflow_provider_ocr.server.recognition.scale import Scale, legible, reduced
from airflow_provider_ocr.server.recognition.scripts import in_one_script
from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.recognition.text_types import TextReading, text_reading

MIN_LINE_CONFIDENCE = 30.0  # below, what is read in a place that was overlooked is a logo or a stamp
MIN_SCATTERED_CONFIDENCE = 70.0  # below, what is read where no layout was found is a pattern or a photo

_POINTS_PER_INCH = 72
_SIZE = 1.09  # of the height from the foot of a p to the top of an h: what is called the size of a type
_ALL_CHOICES = "2"  # of the engine's lstm_choice_mode: for each character all that it may be

_PICTURES = frozenset({PT.FLOWING_IMAGE, PT.HEADING_IMAGE, PT.PULLOUT_IMAGE})


def engine_name() -> str:
    """The engine and its version, for example ``tesseract 5.5.4``."""
    return str(tesserocr.tesseract_version()).splitlines()[0].strip()


class Engine:
    """Reads grey pages with the data of one tessdata folder.

    :param tessdata: the folder.
    :raises RuntimeError: if the folder has no data for page orientation.
    """

    def __init__(self, tessdata: Path) -> None:
        self._tessdata = f"{tessdata}/"
        self._there = Tessdata.of(tessdata).codes
        self._orientation = tesserocr.PyTessBaseAPI(path=self._tessdata, lang="osd", psm=PSM.OSD_ONLY)
        self._reader: tesserocr.PyTessBaseAPI | None = None
        self._reads: tuple[tuple[str, ...], bool] = ((), False)

    def orientation(self, grey: Grey, *, dpi: float) -> tuple[int, float]:
        """Degrees (0, 90, 180, 270) to turn the page clockwise to stand upright, and how sure that is.

        The second number is 0 where no letters were found, and grows with their count.
        """
        _show(self._orientation, grey, dpi=dpi)
        found = self._orientation.DetectOrientationScript()
        self._orientation.Clear()
        if found is None:
            return 0, 0.0
        return (360 - int(found["orient_deg"])) % 360, float(found["orient_conf"])

    def reading(self, settings: ProcessingSettings) -> TextReading:
        """How text is read for ``settings``, with the data that there is."""
        return text_reading(settings, self._there)

    def read(
        self, grey: Grey, *, dpi: float, settings: ProcessingSettings, anything: bool = False
    ) -> list[Block]:
        """Text and picture blocks in reading order.

        :param grey: the upright page, 0 is black.
        :param dpi: its pixels per inch.
        :param settings: the languages and text types, and whether to tell what else a character may be.
        :param anything: read also characters that the text types do not have.
        :raises RuntimeError: if the engine does not confirm that it has read the page.
        """
        reading = self.reading(settings)
        if anything:
            return self._read(grey, PSM.AUTO, replace(reading, allowed=""), dpi=dpi, settings=settings)
        blocks = self._read(grey, PSM.AUTO, reading, dpi=dpi, settings=settings)
        if not reading.capitals or reading.allowed:
            return blocks
        if _is_in_capitals(blocks):
            reading = replace(reading, allowed=reading.capitals)
            return self._read(grey, PSM.AUTO, reading, dpi=dpi, settings=settings)
        # What makes capitals and digits clearer costs small letters some of their strokes.
        as_it_is = replace(reading, dpi=None, widening=1.0)
        others = self._read(grey, PSM.AUTO, as_it_is, dpi=dpi, settings=settings)
        return max(blocks, others, key=_mean_confidence)

    def read_scattered(self, grey: Grey, *, dpi: float, settings: ProcessingSettings) -> list[Block]:
        """Text blocks that can be read well, anywhere on a page that has no layout.

        :raises RuntimeError: as ``read`` does.
        """
        found = self._read(grey, PSM.SPARSE_TEXT, self.reading(settings), dpi=dpi, settings=settings)
        return [block for block in found if _certainty(block) >= MIN_SCATTERED_CONFIDENCE]

    def read_lines(
        self, grey: Grey, regions: Sequence[Box], *, dpi: float, settings: ProcessingSettings
    ) -> list[Block]:
        """One text block for each region in which a line of text can be read well.

        :param regions: where one line each is supposed to stand.
        :raises RuntimeError: if the engine does not confirm that it has read a region.
        """
        reading = self.reading(settings)
        reader = self._reader_for(reading, settings)
        reader.SetPageSegMode(PSM.SINGLE_LINE)
        scale = legible(reading, dpi=dpi, pixels=grey.size)
        _show(reader, scale.of(grey), dpi=dpi * scale.down)
        wanted = _Wanted.of(settings, reading, scale, dpi=dpi)
        found: list[Block] = []
        for region in regions:
            shown = scale.shown(region)
            reader.SetRectangle(shown.left, shown.top, shown.width, shown.height)
            found += _recognised(reader, wanted)
        reader.Clear()
        return [block for block in found if _certainty(block) >= MIN_LINE_CONFIDENCE]

    def read_alone(self, grey: Grey, *, dpi: float, settings: ProcessingSettings) -> list[Block]:
        """Text blocks of a small picture that has a line of text and nothing else, such as that of a cell.

        :raises RuntimeError: as ``read`` does.
        """
        reading = self.reading(settings)
        scale = reduced(reading, dpi=dpi)
        return self._read_scaled(grey, PSM.SINGLE_LINE, reading, scale=scale, dpi=dpi, settings=settings)

    def _read(
        self, grey: Grey, mode: int, reading: TextReading, *, dpi: float, settings: ProcessingSettings
    ) -> list[Block]:
        scales = dict.fromkeys((legible(reading, dpi=dpi, pixels=grey.size), reduced(reading, dpi=dpi)))
        # Enlarged, letters are clearer, but where they run into one another the engine passes over lines.
        return max(
            (
                self._read_scaled(grey, mode, reading, scale=scale, dpi=dpi, settings=settings)
                for scale in scales
            ),
            key=_certain_text,
        )

    def _read_scaled(
        self,
        grey: Grey,
        mode: int,
        reading: TextReading,
        *,
        scale: Scale,
        dpi: float,
        settings: ProcessingSettings,
    ) -> list[Block]:
        reader = self._reader_for(reading, settings)
        reader.SetPageSegMode(mode)
        _show(reader, scale.of(grey), dpi=dpi * scale.down)
        blocks = _recognised(reader, _Wanted.of(settings, reading, scale, dpi=dpi))
        reader.Clear()
        return blocks

    def _reader_for(self, reading: TextReading, settings: ProcessingSettings) -> tesserocr.PyTessBaseAPI:
        reads = reading.codes, settings.write_recognition_variants
        if self._reader is None or reads != self._reads:
            if self._reader is not None:
                self._reader.End()
            self._reader = tesserocr.PyTessBaseAPI(
                path=self._tessdata, lang="+".join(reading.codes), psm=PSM.AUTO, oem=OEM.LSTM_ONLY
            )
            if settings.write_recognition_variants:
                self._reader.SetVariable("lstm_choice_mode", _ALL_CHOICES)
            self._reads = reads
        # With the space: the engine would take it from between the words otherwise.
        self._reader.SetVariable("tessedit_char_whitelist", reading.allowed and f" {reading.allowed}")
        self._reader.SetVariable("tessedit_char_blacklist", reading.forbidden)
        return self._reader


def _show(api: tesserocr.PyTessBaseAPI, grey: Grey, *, dpi: float) -> None:
    height, width = grey.shape
    api.SetImageBytes(grey.tobytes(), width, height, 1, width)
    api.SetSourceResolution(round(dpi))


def _recognised(reader: tesserocr.PyTessBaseAPI, wanted: _Wanted) -> list[Block]:
    if reader.Recognize() is not True:
        raise RuntimeError("the engine did not confirm that it has read it to the end.")
    return _blocks(reader.GetIterator(), wanted)


def _is_in_capitals(blocks: list[Block]) -> bool:
    letters = [letter for block in blocks for line in block.lines for letter in "".join(line.texts)]
    return sum(letter.islower() for letter in letters) < sum(letter.isupper() for letter in letters)


def _certainty(block: Block) -> float:
    """Confidence of the worst word; pictures have none."""
    return min((word.confidence for line in block.lines for word in line.words), default=0.0)


def _certain_text(blocks: list[Block]) -> float:
    """How many characters there are, each counting as much as its word is certain."""
    return sum(
        word.confidence * word.count for block in blocks for line in block.lines for word in line.words
    )


def _mean_confidence(blocks: list[Block]) -> float:
    """In the words, each counting as much as it has characters."""
    words = [word for block in blocks for line in block.lines for word in line.words]
    return sum(word.confidence * word.count for word in words) / max(1, sum(word.count for word in words))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What is to be made of the engine's results.

    :param names: the API's language name for each tesseract code.
    :param variants: whether to tell what else a character may be.
    :param only_digits: whether what lies between digits was not to be read.
    :param scale: how large the engine has seen the page.
    :param dpi: pixels per inch of the page.
    """

    names: dict[str | None, str]
    variants: bool
    only_digits: bool
    scale: Scale
    dpi: float

    @classmethod
    def of(cls, settings: ProcessingSettings, reading: TextReading, scale: Scale, *, dpi: float) -> _Wanted:
        """What the settings ask for."""
        languages = settings.language
        codes = tesseract_codes(languages)
        return cls(
            names=dict(reversed(list(zip(codes, languages, strict=True)))),  # of two for one code the first
            variants=settings.write_recognition_variants,
            only_digits=reading.only_digits,
            scale=scale,
            dpi=dpi,
        )


@dataclass(slots=True)
class _OpenLine:
    """A line while the engine's iterator is within it.

    :param size: points of its type.
    """

    baseline: Baseline | None
    size: float
    wanted: _Wanted
    words: list[Word] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    edges: array[int] = field(default_factory=lambda: array("i"))
    certainties: bytearray = field(default_factory=bytearray)
    readings: list[tuple[Reading, ...]] = field(default_factory=list)

    def add(self, at: tesserocr.PyResultIterator, language: str) -> None:
        """Take the word that the iterator is at, and leave the iterator at its last character."""
        edges = self.wanted.scale.edges(at.BoundingBox(RIL.WORD))
        confidence, first = at.Confidence(RIL.WORD), len(self.texts)
        while True:
            self.texts.append(at.GetUTF8Text(RIL.SYMBOL))
            self.edges.extend(self.wanted.scale.edges(at.BoundingBox(RIL.SYMBOL)))
            self.certainties.append(_per_cent(at.Confidence(RIL.SYMBOL)))
            if self.wanted.variants:
                self.readings.append(_other_readings(at))
            if at.IsAtFinalElement(RIL.WORD, RIL.SYMBOL) or not at.Next(RIL.SYMBOL):
                break
        self.texts[first:] = in_one_script(self.texts[first:])
        if self.wanted.only_digits:
            # The engine is unsure of a word some letters of which it must not read, but not of its digits.
            confidence = float(min(self.certainties[first:]))
        text = "".join(self.texts[first:])
        self.words.append(Word(text, Box(*edges), confidence, language, first, len(self.texts) - first))

    def closed(self) -> Line:
        """The finished line."""
        box = enclosing([word.box for word in self.words])
        baseline = self.baseline or Baseline(box.left, box.bottom, box.right, box.bottom)
        return Line(
            tuple(self.words),
            box,
            baseline,
            tuple(self.texts),
            self.edges,
            bytes(self.certainties),
            size=self.size,
            readings=tuple(self.readings),
        )


def _other_readings(at: tesserocr.PyResultIterator) -> tuple[Reading, ...]:
    """What else the character may be that the iterator is at, the most likely first."""
    read = at.GetUTF8Text(RIL.SYMBOL)
    choices = {choice.GetUTF8Text(): choice.Confidence() for choice in at.GetChoiceIterator()}
    return tuple(
        Reading(text, _per_cent(confidence))
        for text, confidence in choices.items()
        if text.strip() and text != read
    )


def _per_cent(confidence: float) -> int:
    return min(100, max(0, round(confidence)))


def _blocks(at: tesserocr.PyResultIterator, wanted: _Wanted) -> list[Block]:
    """Everything that the engine's iterator leads to, in its order."""
    pictures: list[tuple[int, Block]] = []
    texts: list[list[list[_OpenLine]]] = []
    default = next(iter(wanted.names.values()))
    while True:
        if _has_text(at):
            _line_at(at, texts, wanted).add(at, wanted.names.get(at.WordRecognitionLanguage(), default))
        elif at.BlockType() in _PICTURES:
            pictures.append(
                (len(texts), Block(BlockType.PICTURE, Box(*wanted.scale.edges(at.BoundingBox(RIL.BLOCK)))))
            )
        if not at.Next(RIL.WORD):
            break
    blocks = [_text_block(paragraphs) for paragraphs in texts]
    for place, picture in reversed(pictures):
        blocks.insert(place, picture)
    return blocks


def _has_text(at: tesserocr.PyResultIterator) -> bool:
    # For some pictures the engine makes up a word that is a space, and is sure of it.
    return not at.Empty(RIL.WORD) and bool(at.GetUTF8Text(RIL.WORD).strip())


def _line_at(
    at: tesserocr.PyResultIterator, texts: list[list[list[_OpenLine]]], wanted: _Wanted
) -> _OpenLine:
    """The last line of ``texts``, after opening the block, paragraph and line that start at the iterator."""
    if at.IsAtBeginningOf(RIL.BLOCK) or not texts:
        texts.append([])
    if at.IsAtBeginningOf(RIL.PARA) or not texts[-1]:
        texts[-1].append([])
    if at.IsAtBeginningOf(RIL.TEXTLINE) or not texts[-1][-1]:
        texts[-1][-1].append(_OpenLine(_baseline(at, wanted.scale), _size(at, wanted), wanted))
    return texts[-1][-1][-1]


def _text_block(paragraphs: list[list[_OpenLine]]) -> Block:
    closed = tuple(Paragraph(tuple(line.closed() for line in lines)) for lines in paragraphs)
    return Block(BlockType.TEXT, enclosing([line.box for part in closed for line in part.lines]), closed)


def _size(at: tesserocr.PyResultIterator, wanted: _Wanted) -> float:
    """Points of the type of the line that the iterator is at."""
    height = float(at.RowAttributes()["row_height"]) / wanted.scale.down
    return height * _SIZE * _POINTS_PER_INCH / wanted.dpi


def _baseline(at: tesserocr.PyResultIterator, scale: Scale) -> Baseline | None:
    points = at.Baseline(RIL.TEXTLINE)
    return None if points is None else Baseline(*scale.edges((*points[0], *points[1])))
