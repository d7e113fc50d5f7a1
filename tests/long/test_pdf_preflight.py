# SPDX-License-Identifier: Apache-2.0
"""Files for archives of every kind of page are PDF/A-1b to a checker that had no part in writing them."""

from __future__ import annotations

import itertools
import random
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from PIL import Image

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.document import (
    Baseline,
    Block,
    BlockType,
    Box,
    Line,
    Page,
    Paragraph,
    ParagraphRole,
    Projection,
    Word,
    enclosing,
)
from airflow_provider_ocr.server.export import DocumentSummary, exporter_for
from airflow_provider_ocr.server.recognition.stored_images import stored_image
from airflow_provider_ocr.server.stored_image import StoredImage
from tests import preflight
from tests.unit.server.export.any_page import any_document

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(preflight.missing()), reason=f"not installed: {preflight.missing()}"),
]

DRAWN, ANY = 150, 150
SIZES = ((1000, 1400), (1400, 1000), (40, 3), (2480, 3508), (3000, 200))
TURNS = (0, 90, 180, 270)
LETTERS = "harbour Łódź gołąb Straße garçon Ελλάδα λιμάνι Київ пристань 東京 서울 שלום سلام ไทย Հայ"
SIGNS = "№½€ \U0001d504\U0001f600 a̧ <b>& 1.234,56 |||||||||||||||"
WORDS = [*LETTERS.split(), *SIGNS.split()]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[StoredImage]:
    """Page images of every kind and size that a PDF file takes as it is, some turned or mirrored."""
    folder: Path = tmp_path_factory.mktemp("images")
    kinds = itertools.product(("1", "L", "RGB"), SIZES)
    stored = [_stored(mode, size, folder / f"{mode}-{size[0]}") for mode, size in kinds]
    return [
        replace(image.turned(TURNS[place % len(TURNS)]), mirrored=place % 5 == 0)
        for place, image in enumerate(stored)
    ]


def _stored(mode: str, size: tuple[int, int], path: Path) -> StoredImage:
    drawn = Image.effect_noise(size, 60).convert(mode)
    if mode == "1":
        drawn.save(path, "TIFF", compression="group4", strip_size=size[0] * size[1])
    else:
        drawn.save(path, "JPEG")
    with Image.open(path) as opened:
        found = stored_image(opened, path)
    assert found is not None
    return found


def _written(path: Path, pages: Sequence[Page], export_format: ExportFormat, write_tags: str) -> Path:
    exporter = exporter_for(export_format, path)
    parsed = ProcessingSettings.parse(export_format=export_format, write_tags=write_tags)
    exporter.start(DocumentSummary(len(pages), parsed))
    for page in pages:
        exporter.page(page)
    exporter.finish()
    return path


def _line(words: Sequence[str], *, top: int, slope: int) -> Line:
    """Words that are 20 pixels to a letter long, on a line that rises by ``slope`` from end to end."""
    found, texts, left = [], list[str](), 50
    for text in words:
        box = Box(left, top, left + 20 * len(text), top + 30)
        found.append(Word(text, box, 90.0, "English", len(texts), len(text)))
        texts.extend(text)
        left = box.right + 15
    box = enclosing([word.box for word in found])
    base = Baseline(box.left, box.bottom, box.right, box.bottom - slope)
    edges = array("i", [0] * 4 * len(texts))
    return Line(tuple(found), box, base, tuple(texts), edges, bytes(len(texts)))


def _drawn(chance: random.Random, number: int) -> Page:
    """A page as it may be: empty, or with headings, sloping lines and footers, of any size and resolution."""
    paragraphs = []
    for place in range(chance.choice((0, 1, 5, 20))):
        words = chance.choices(WORDS, k=chance.randint(1, 5))
        line = _line(words, top=50 + 60 * place, slope=chance.choice((0, 0, 12, -300)))
        role = chance.choice(list(ParagraphRole))
        paragraphs.append(Paragraph((line,), role, level=3 if role is ParagraphRole.HEADING else 0))
    width, height = chance.choice(SIZES)
    text = Block(BlockType.TEXT, Box(0, 0, width, height), tuple(paragraphs))
    return Page(
        number=number,
        original_width=width,
        original_height=height,
        original_dpi=100.0,
        width=width,
        height=height,
        dpi=chance.choice((50.0, 100.0, 300.0, 1200.0)),
        rotation=chance.choice(TURNS),
        skew=chance.uniform(-8, 8),
        to_original=Projection(),
        blocks=(text,) if paragraphs else (),
    )


def _shown(pages: Sequence[Page], images: Sequence[StoredImage], chance: random.Random) -> list[Page]:
    return [replace(page, stored=chance.choice(images)) for page in pages]


def test_three_hundred_files_conform(tmp_path: Path, images: list[StoredImage]) -> None:
    chance = random.Random(1)
    files: list[Path] = []

    def write(pages: Sequence[Page]) -> None:
        path = tmp_path / f"{len(files)}.pdf"
        tags = chance.choice(("write", "dontWrite"))
        files.append(_written(path, _shown(pages, images, chance), ExportFormat.PDFA, tags))

    @settings(max_examples=ANY, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(any_document())
    def write_any(pages: list[Page]) -> None:
        write(pages)

    for _ in range(DRAWN):
        write([_drawn(chance, number) for number in range(1, chance.choice((1, 1, 4)) + 1)])
    write_any()
    assert len(files) >= DRAWN + ANY
    found = preflight.complaints(files, tmp_path)
    assert {file.name: said for file, said in found.items() if said} == {}


def _plain(file: Path) -> None:
    """Leave the file as it is."""


def _with_action(file: Path) -> None:
    with pikepdf.open(file, allow_overwriting_input=True) as pdf:
        script = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert(1)")
        pdf.Root.OpenAction = pdf.make_indirect(script)
        pdf.save(file)


def _without_colours(file: Path) -> None:
    with pikepdf.open(file, allow_overwriting_input=True) as pdf:
        del pdf.Root.OutputIntents
        pdf.save(file)


@pytest.mark.parametrize(
    ("export_format", "spoil"),
    [
        (ExportFormat.PDF_SEARCHABLE, _plain),
        (ExportFormat.PDFA, _with_action),
        (ExportFormat.PDFA, _without_colours),
    ],
)
def test_what_does_not_conform_is_told(
    tmp_path: Path, images: list[StoredImage], export_format: ExportFormat, spoil: Callable[[Path], None]
) -> None:
    pages = _shown([_drawn(random.Random(2), 1)], images, random.Random(2))
    good = _written(tmp_path / "good.pdf", pages, ExportFormat.PDFA, "write")
    bad = _written(tmp_path / "bad.pdf", pages, export_format, "write")
    spoil(bad)
    found = preflight.complaints([good, bad], tmp_path)
    assert found[good] == []
    assert found[bad]
