# SPDX-License-Identifier: Apache-2.0
"""Pages of any kind that recognition could give, and of some kinds that it hopefully never will."""

from __future__ import annotations

from array import array

from hypothesis import strategies as st

from airflow_provider_ocr.protocol.languages import LANGUAGES
from airflow_provider_ocr.server.document import (
    Alignment,
    Barcode,
    Baseline,
    Block,
    BlockType,
    Box,
    Cell,
    Line,
    Page,
    Paragraph,
    ParagraphRole,
    Projection,
    Reading,
    Table,
    Word,
    enclosing,
)

_PLACES = st.integers(-50, 2000)
_PERCENT = st.integers(0, 100)
_TEXTS = st.text(max_size=12)  # with what XML cannot hold, and halves of surrogate pairs
_CHARACTERS = st.text(min_size=1, max_size=2).filter(str.strip)


@st.composite
def _boxes(draw: st.DrawFn) -> Box:
    left, right = sorted((draw(_PLACES), draw(_PLACES)))
    top, bottom = sorted((draw(_PLACES), draw(_PLACES)))
    return Box(left, top, right, bottom)


@st.composite
def _lines(draw: st.DrawFn) -> Line:
    words, texts, edges = [], list[str](), array("i")
    for characters in draw(st.lists(st.lists(_CHARACTERS, min_size=1, max_size=4), min_size=1, max_size=3)):
        word_box = draw(_boxes())
        language = draw(st.sampled_from(sorted(LANGUAGES)))
        confidence = float(draw(_PERCENT))
        words.append(Word("".join(characters), word_box, confidence, language, len(texts), len(characters)))
        for character in characters:
            texts.append(character)
            edges.extend(draw(_boxes()))
    readings = st.lists(st.builds(Reading, _TEXTS, _PERCENT), max_size=2).map(tuple)
    return Line(
        tuple(words),
        enclosing([word.box for word in words]),
        Baseline(*(draw(_PLACES) for _ in range(4))),
        tuple(texts),
        edges,
        bytes(draw(_PERCENT) for _ in texts),
        hyphenated=draw(st.booleans()),
        readings=tuple(draw(readings) for _ in texts) if draw(st.booleans()) else (),
    )


_PARAGRAPHS = st.builds(
    Paragraph,
    st.lists(_lines(), min_size=1, max_size=3).map(tuple),
    st.sampled_from(ParagraphRole),
    st.sampled_from(Alignment),
    st.integers(0, 6),
)


@st.composite
def _tables(draw: st.DrawFn) -> Table:
    """A grid in which the cells of one row, at most, are one cell."""
    columns, rows = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    joined = draw(st.integers(0, rows))
    cells = [
        Cell(
            row=row,
            column=column,
            column_span=columns if row == joined else 1,
            box=draw(_boxes()),
            paragraphs=tuple(draw(st.lists(_PARAGRAPHS, max_size=1))),
        )
        for row in range(rows)
        for column in range(1 if row == joined else columns)
    ]
    return Table(
        columns=tuple(range(0, 100 * (columns + 1), 100)),
        rows=tuple(range(0, 50 * (rows + 1), 50)),
        cells=tuple(cells),
        ruled=draw(st.booleans()),
    )


_BLOCKS = st.one_of(
    st.builds(
        Block, st.just(BlockType.TEXT), _boxes(), st.lists(_PARAGRAPHS, min_size=1, max_size=2).map(tuple)
    ),
    st.builds(Block, st.just(BlockType.TABLE), _boxes(), table=_tables()),
    st.builds(Block, st.sampled_from((BlockType.PICTURE, BlockType.SEPARATOR)), _boxes()),
    st.builds(
        Block,
        st.just(BlockType.BARCODE),
        _boxes(),
        barcode=st.builds(Barcode, st.sampled_from(("QRCODE", "EAN13", "Unknown")), _TEXTS),
    ),
)


def any_page(number: int) -> st.SearchStrategy[Page]:
    """A page with that number."""
    sides, factors, bends = st.integers(1, 2000), st.floats(-2, 2), st.floats(0, 1e-4)
    return st.builds(
        Page,
        number=st.just(number),
        original_width=sides,
        original_height=sides,
        original_dpi=st.floats(50, 1200),
        width=sides,
        height=sides,
        dpi=st.floats(50, 1200),
        rotation=st.sampled_from((0, 90, 180, 270)),
        skew=st.floats(-20, 20),
        to_original=st.builds(Projection, *[factors] * 6, bends, bends),
        blocks=st.lists(_BLOCKS, max_size=3).map(tuple),
    )


def any_document() -> st.SearchStrategy[list[Page]]:
    """One or two pages."""
    return st.one_of(st.tuples(any_page(1)), st.tuples(any_page(1), any_page(2))).map(list)
