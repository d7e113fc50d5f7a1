# SPDX-License-Identifier: Apache-2.0
"""Files made to harm whoever opens them. Each fails its own job with a reason that names what is wrong, and
the next job succeeds.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from PIL import Image

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.server.recognition.tessdata import Tessdata
from airflow_provider_ocr.server.workers.children import (
    Measurement,
    Progress,
    RecognitionChild,
    RecognitionFailed,
    RecognitionJob,
    UnsupportedDocumentError,
    WrongPasswordError,
)

TXT = ProcessingSettings.parse(export_format="txt")
DAMAGED = "Page 1 is damaged and cannot be read."
DAMAGED_PDF = "The PDF file is damaged and cannot be opened."
MANY_PIXELS = "Page 1 has more than 300 million pixels."
MANY_PAGES = "The document has more than 2000 pages; no more are read."
MEMORY = "Page 1 needs more memory than is allowed."
TIME = "Page 1 took longer than 20 seconds."
NO_IMAGE = (
    "The file is not an image that can be read. "
    "JPEG, PNG, TIFF, BMP, GIF, JPEG 2000, PCX, DCX, WebP or PDF is needed."
)


def png(width: int, height: int, *, data: bytes = b"", before: bytes = b"", depth: int = 1) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    parts = [png_chunk(b"IHDR", header), before, png_chunk(b"IDAT", data), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def tiff(*frames: dict[int, int], strip: bytes = b"\0" * 16, after_last: int = 0) -> bytes:
    """A little-endian TIFF; a frame gives values for tags. ``after_last`` is where the last frame leads."""
    content = bytearray(b"II*\0" + struct.pack("<I", 8 + len(strip)) + strip)
    for index, tags in enumerate(frames):
        length = 2 + 12 * len(tags) + 4
        following = len(content) + length if index + 1 < len(frames) else after_last
        entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(tags.items()))
        content += struct.pack("<H", len(tags)) + entries + struct.pack("<I", following)
    return bytes(content)


def frame(width: int, height: int, *, compression: int = 1, length: int = 16) -> dict[int, int]:
    return {256: width, 257: height, 258: 1, 259: compression, 262: 1, 273: 8, 278: height, 279: length}


def jpeg(size: tuple[int, int] = (64, 64), *, claimed: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 60).save(file, "JPEG")
    content = file.getvalue()
    if claimed is None:
        return content
    place = content.index(b"\xff\xc0") + 5
    return content[:place] + struct.pack(">HH", *claimed[::-1]) + content[place + 4 :]


def gif(width: int, height: int) -> bytes:
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    return b"GIF89a" + screen + b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\2\2L\1\0;"


def bmp(width: int, height: int, *, bits: int = 1, compression: int = 0) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 2, 0)
    return b"BM" + struct.pack("<IHHI", 62, 0, 0, 62) + header + b"\0\0\0\0\xff\xff\xff\0"


def pdf(*objects: bytes, start: bytes = b"%PDF-1.7\n") -> bytes:
    """A PDF file of these objects, numbered from 1; the first is the catalogue."""
    content, places = bytearray(start), []
    for number, item in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    content += (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (
            count,
            table,
            count,
            content.rindex(b"endobj") + 7,
        )
    )
    return bytes(content)


CATALOGUE = b"<</Type/Catalog/Pages 2 0 R>>"
TREE = b"<</Type/Pages/Count 1/Kids[3 0 R]/MediaBox[0 0 595 842]>>"


def stream(content: bytes, entries: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(content), content)


def pdf_page(content: bytes, *others: bytes, entries: bytes = b"") -> bytes:
    """A PDF file of one page; ``others`` are numbered from 5."""
    page = b"<</Type/Page/Parent 2 0 R/Contents 4 0 R%s>>" % entries
    return pdf(CATALOGUE, TREE, page, content, *others)


def many_pages_pdf(count: int) -> bytes:
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(count))
    tree = b"<</Type/Pages/Count %d/Kids[%s]/MediaBox[0 0 99 99]>>" % (count, kids)
    return pdf(CATALOGUE, tree, *[b"<</Type/Page/Parent 2 0 R>>"] * count)


def forms_within_forms(depth: int) -> bytes:
    """Forms that each draw the next one ten times."""
    forms = []
    for level in range(depth):
        resources = b"/Resources<</XObject<</F %d 0 R>>>>" % (6 + level) if level + 1 < depth else b""
        drawn = b"/F Do " * 10 if level + 1 < depth else b"0 0 9 9 re f"
        forms.append(stream(drawn, b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]" + resources))
    return pdf_page(stream(b"/F Do"), *forms, entries=b"/Resources<</XObject<</F 5 0 R>>>>")


def zeros(count: int) -> bytes:
    """So many zero bytes, compressed."""
    packer, block = zlib.compressobj(9), bytes(2**20)
    packed = [packer.compress(block) for _ in range(count // 2**20)]
    return b"".join([*packed, packer.flush()])


def endless_zeros(count: int) -> bytes:
    """The same, made quickly, with no end behind them."""
    packer = zlib.compressobj(9)
    start = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(2**20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + block * (count // 2**20)


def flate(content: bytes, times: int) -> bytes:
    """A stream that unpacks to so many zero bytes."""
    return stream(content, b"/Filter[%s]" % (b"/FlateDecode" * times))


def image_pdf(width: int, height: int, content: bytes) -> bytes:
    entries = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceRGB"
    image = stream(content, entries % (width, height) + b"/Filter/FlateDecode")
    resources = b"/Resources<</XObject<</I 5 0 R>>>>"
    return pdf_page(stream(b"595 0 0 842 0 0 cm /I Do"), image, entries=resources)


def protected(**options: Any) -> bytes:
    file = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        made.save(file, encryption=pikepdf.Encryption(owner="owner", **options))
    return file.getvalue()


@dataclass(frozen=True)
class Hostile:
    """A file, what is said about it, and how it fails."""

    name: str
    make: Callable[[], bytes]
    said: str | tuple[str, ...]
    kind: type[RecognitionFailed] = RecognitionFailed


HOSTILE = (
    Hostile("nothing", lambda: b"", "The file is empty."),
    Hostile("a text", lambda: b"Dear reader", NO_IMAGE, UnsupportedDocumentError),
    Hostile("a program", lambda: b"\x7fELF" + b"\1" * 999, NO_IMAGE, UnsupportedDocumentError),
    Hostile("an archive", lambda: b"PK\3\4" + bytes(999), NO_IMAGE, UnsupportedDocumentError),
    Hostile(
        "SVG",
        lambda: b"<svg/>",
        NO_IMAGE.replace(".", ". It looks like a web page.", 1),
        UnsupportedDocumentError,
    ),
    # PNG
    Hostile("PNG pixel bomb", lambda: png(60_000, 60_000, data=zeros(2**20)), MANY_PIXELS),
    Hostile("PNG of 4 billion columns", lambda: png(2**32 - 1, 1), MANY_PIXELS),
    Hostile("PNG of no size", lambda: png(0, 0, data=zlib.compress(b"")), DAMAGED),
    Hostile("PNG that is cut off", lambda: png(2000, 2000, data=zeros(2**20))[:100], DAMAGED),
    Hostile(
        "PNG with less data than it says", lambda: png(2000, 2000, data=zlib.compress(b"\0" * 99)), DAMAGED
    ),
    Hostile(
        "PNG with a profile that unpacks to 200 MB",
        lambda: png(9, 9, before=png_chunk(b"iCCP", b"p\0\0" + zeros(200 * 2**20))),
        DAMAGED,
    ),
    Hostile(
        "PNG with a comment that unpacks to 200 MB",
        lambda: png(9, 9, before=png_chunk(b"zTXt", b"p\0\0" + zeros(200 * 2**20))),
        DAMAGED,
    ),
    Hostile("PNG with a chunk beyond its end", lambda: png(9, 9)[:40] + b"\x7f\xff\xff\xffIDAT", DAMAGED),
    # TIFF
    Hostile("TIFF pixel bomb", lambda: tiff(frame(100_000, 100_000, compression=4)), MANY_PIXELS),
    Hostile("TIFF of no size", lambda: tiff(frame(0, 0)), DAMAGED),
    Hostile("TIFF whose data lie beyond its end", lambda: tiff(frame(9000, 9000, length=2**31)), DAMAGED),
    Hostile("TIFF with less data than it says", lambda: tiff(frame(9000, 9000, compression=5)), DAMAGED),
    Hostile("TIFF without tags", lambda: tiff({}), DAMAGED),
    Hostile("TIFF that leads nowhere", lambda: b"II*\0\xff\xff\xff\x7f", DAMAGED),
    Hostile("TIFF with 100,000 pages", lambda: tiff(*[frame(9, 9)] * 100_000), MANY_PAGES),
    # JPEG
    Hostile("JPEG pixel bomb", lambda: jpeg(claimed=(65_500, 65_500)), MANY_PIXELS),
    Hostile("JPEG that is less than it says", lambda: jpeg(claimed=(9000, 9000)), DAMAGED),
    Hostile("JPEG that is cut off", lambda: jpeg((500, 500))[:9000], DAMAGED),
    Hostile("JPEG of no size", lambda: jpeg(claimed=(0, 0)), DAMAGED),
    Hostile("JPEG that is a header", lambda: b"\xff\xd8\xff\xe0", DAMAGED),
    # GIF and BMP
    Hostile("GIF pixel bomb", lambda: gif(65_535, 65_535), MANY_PIXELS),
    Hostile("GIF of no size", lambda: gif(0, 0), DAMAGED),
    Hostile("GIF without an image", lambda: gif(99, 99)[:19] + b";", DAMAGED),
    Hostile("BMP pixel bomb", lambda: bmp(2**30, 2**30), MANY_PIXELS),
    Hostile("BMP of negative size", lambda: bmp(-9, -9), MANY_PIXELS),
    Hostile("BMP of a height that has no opposite", lambda: bmp(9, -(2**31)), MANY_PIXELS),
    Hostile("BMP of no size", lambda: bmp(0, 0), DAMAGED),
    Hostile("BMP with less data than it says", lambda: bmp(9000, 9000), DAMAGED),
    Hostile("BMP that compresses in no known way", lambda: bmp(99, 99, bits=8, compression=77), DAMAGED),
    # two types at once
    Hostile(
        "PNG and PDF",
        lambda: png(9, 9, before=png_chunk(b"tEXt", b"a\0%PDF-1.7 ")),
        "The file is made to be read as PNG and PDF at once; send one of one type.",
        UnsupportedDocumentError,
    ),
    Hostile(
        "PDF and web page",
        lambda: pdf(CATALOGUE, TREE, start=b"<html><script>alert(1)</script><!--%PDF-1.7\n"),
        "The file is made to be read as PDF and web page at once; send one of one type.",
        UnsupportedDocumentError,
    ),
    Hostile("GIF and script", lambda: b"GIF89a/*" + bytes(8) + b"*/=1;alert(1)", DAMAGED),
    # PDF
    Hostile("PDF without anything", lambda: b"%PDF-1.7", DAMAGED_PDF),
    Hostile(
        "PDF whose page tree is a loop",
        lambda: pdf(CATALOGUE, b"<</Type/Pages/Count 3/Kids[2 0 R 2 0 R]>>"),
        DAMAGED,
    ),
    Hostile(
        "PDF whose page tree is a longer loop",
        lambda: pdf(
            CATALOGUE, b"<</Type/Pages/Count 9/Kids[3 0 R]>>", b"<</Type/Pages/Count 9/Kids[2 0 R]>>"
        ),
        DAMAGED,
    ),
    Hostile("PDF with 100,000 pages", lambda: many_pages_pdf(100_000), MANY_PAGES),
    Hostile(
        "PDF that has less pages than it says",
        lambda: pdf(CATALOGUE, TREE.replace(b"Count 1", b"Count 1999"), b"<</Type/Page/Parent 2 0 R>>"),
        "Page 2 is damaged and cannot be read.",
    ),
    Hostile("PDF whose page is a number", lambda: pdf(CATALOGUE, TREE, b"7"), DAMAGED),
    Hostile(
        "PDF with a page of 200 inches",
        lambda: pdf(CATALOGUE, TREE.replace(b"595 842", b"14400 14400"), b"<</Type/Page/Parent 2 0 R>>"),
        "Page 1 measures 200 x 200 inches: too large.",
    ),
    Hostile("PDF with forms within forms", lambda: forms_within_forms(20), (TIME, MEMORY)),
    Hostile(
        "PDF with brackets within brackets",
        lambda: pdf(CATALOGUE, TREE, b"<</Type/Page/Parent 2 0 R/A" + b"[" * 500_000),
        DAMAGED,
    ),
    Hostile(
        "PDF with content that unpacks to 4 GB",
        lambda: pdf_page(flate(zlib.compress(endless_zeros(4 * 2**30)), 2)),
        MEMORY,
    ),
    Hostile(
        "PDF with a password",
        lambda: protected(user="user"),
        "The PDF file is protected by a password; send it as pdfPassword.",
        WrongPasswordError,
    ),
    Hostile(
        "PDF that forbids printing",
        lambda: protected(user="", allow=pikepdf.Permissions(print_lowres=False, print_highres=False)),
        "The PDF file does not permit its pages to be printed",
        UnsupportedDocumentError,
    ),
)


@pytest.fixture(scope="module")
def child(tessdata: Tessdata) -> Iterator[RecognitionChild]:
    """One for all: whatever a file does, the next one is opened."""
    made = RecognitionChild(
        tessdata=tessdata.folder, memory_bytes=800 * 2**20, seconds_per_page=20.0, seconds_to_measure=20.0
    )
    yield made
    made.close()


def read(child: RecognitionChild, content: bytes, folder: Path) -> tuple[Measurement, Progress]:
    """What happens to a file from its measurement on."""
    (folder / "image").write_bytes(content)
    (folder / "pages").mkdir(exist_ok=True)
    measured = child.measure([folder / "image"])
    job = RecognitionJob(images=(folder / "image",), settings=TXT, pages=folder / "pages")
    return measured, child.recognise(job)


@pytest.mark.parametrize("hostile", HOSTILE, ids=[hostile.name for hostile in HOSTILE])
def test_a_hostile_file_fails_its_own_job(child: RecognitionChild, tmp_path: Path, hostile: Hostile) -> None:
    with pytest.raises(RecognitionFailed) as failed:
        read(child, hostile.make(), tmp_path)
    assert str(failed.value).startswith(hostile.said)
    assert type(failed.value) is hostile.kind
    assert list((tmp_path / "pages").iterdir()) == []
    good = io.BytesIO()
    Image.new("L", (100, 50), 255).save(good, "PNG")
    assert read(child, good.getvalue(), tmp_path) == (Measurement(1, 1), Progress(1, 1))


@pytest.mark.parametrize(
    "make",
    [
        lambda: tiff(frame(9, 9), frame(9, 9), after_last=24),
        lambda: pdf(CATALOGUE, TREE.replace(b"Count 1", b"Count 2000000000"), b"<</Type/Page/Parent 2 0 R>>"),
        lambda: pdf(
            CATALOGUE,
            TREE.replace(b"595 842", b"9" * 38 + b" " + b"9" * 38),
            b"<</Type/Page/Parent 2 0 R>>",
        ),
        lambda: pdf_page(b"[" * 500_000),
        lambda: image_pdf(100_000, 100_000, zeros(2**20)),
        lambda: pdf_page(
            stream(b"/F Do"),
            stream(b"/F Do", b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>"),
            entries=b"/Resources<</XObject<</F 5 0 R>>>>",
        ),
        lambda: pdf(CATALOGUE, TREE, b"<</Type/Page/Parent 2 0 R>>") + b"<html><script>alert(1)</script>",
    ],
    ids=[
        "TIFF whose last page leads to its first",
        "PDF that says it has 2 billion pages",
        "PDF with a page of a size that is no number",
        "PDF whose content is brackets within brackets",
        "PDF with an image of 10 gigapixels",
        "PDF with a form that draws itself",
        "PDF with a web page behind it",
    ],
)
def test_a_file_that_shows_nothing_is_read_as_that(
    child: RecognitionChild, tmp_path: Path, make: Callable[[], bytes]
) -> None:
    measured, progress = read(child, make(), tmp_path)
    assert progress == Progress(measured.pages, measured.pages)
    assert measured.pages <= 2
