# SPDX-License-Identifier: Apache-2.0
"""A PDF file of blank pages with a text, invisible, upon them: it opens, and can be searched and copied."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from airflow_provider_ocr import __version__

_WIDTH, _HEIGHT = 595, 842  # points of A4
_TOP, _LEFT, _SIZE, _PITCH = 780, 50, 11, 14
_MAPPINGS_PER_BLOCK = 100  # the most that a CMap may have
_CATALOG, _PAGES, _FONT, _DESCENDANT, _DESCRIPTOR, _TO_UNICODE, _METADATA, _INFORMATION = range(1, 9)
_FIRST_PAGE = 9


def pdf(pages: Sequence[Sequence[str]], *, archival: bool = False) -> bytes:
    """The file.

    :param pages: the lines of each page.
    :param archival: mark it as PDF/A-1b.
    """
    characters = sorted({character for page in pages for line in page for character in line})
    numbers = {character: number for number, character in enumerate(characters, start=1)}
    kids = " ".join(f"{_FIRST_PAGE + 2 * place} 0 R" for place in range(len(pages)))
    objects = [
        f"<< /Type /Catalog /Pages {_PAGES} 0 R /Metadata {_METADATA} 0 R >>".encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        *_font(),
        _stream(_to_unicode(numbers).encode("ascii")),
        _stream(_metadata(archival=archival).encode(), "/Type /Metadata /Subtype /XML "),
        f"<< /Producer (airflow-provider-ocr {__version__}) >>".encode(),
    ]
    for place, page in enumerate(pages):
        objects += _page(page, numbers, content=_FIRST_PAGE + 2 * place + 1)
    return _file(objects)


def _font() -> list[bytes]:
    """A font that is not embedded, which invisible text needs not be, and whose characters are numbered."""
    return [
        f"<< /Type /Font /Subtype /Type0 /BaseFont /Arial /Encoding /Identity-H "
        f"/DescendantFonts [{_DESCENDANT} 0 R] /ToUnicode {_TO_UNICODE} 0 R >>".encode(),
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Arial /CIDToGIDMap /Identity /DW 500 "
        f"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
        f"/FontDescriptor {_DESCRIPTOR} 0 R >>".encode(),
        b"<< /Type /FontDescriptor /FontName /Arial /Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 "
        b"/Ascent 900 /Descent -200 /CapHeight 700 /StemV 80 >>",
    ]


def _page(lines: Sequence[str], numbers: dict[str, int], *, content: int) -> list[bytes]:
    shown = [
        f"1 0 0 1 {_LEFT} {_TOP - place * _PITCH} Tm "
        f"<{''.join(f'{numbers[character]:04X}' for character in line)}> Tj"
        for place, line in enumerate(lines)
    ]
    text = "\n".join(["BT", f"3 Tr /F0 {_SIZE} Tf", *shown, "ET"])
    return [
        f"<< /Type /Page /Parent {_PAGES} 0 R /MediaBox [0 0 {_WIDTH} {_HEIGHT}] "
        f"/Resources << /Font << /F0 {_FONT} 0 R >> >> /Contents {content} 0 R >>".encode(),
        _stream(text.encode("ascii")),
    ]


def _stream(data: bytes, entries: str = "") -> bytes:
    return f"<< {entries}/Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def _to_unicode(numbers: dict[str, int]) -> str:
    mappings = [
        f"<{number:04X}> <{character.encode('utf-16-be').hex().upper()}>"
        for character, number in numbers.items()
    ]
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <FFFF> endcodespacerange",
    ]
    for start in range(0, len(mappings), _MAPPINGS_PER_BLOCK):
        block = mappings[start : start + _MAPPINGS_PER_BLOCK]
        lines += [f"{len(block)} beginbfchar", *block, "endbfchar"]
    lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return "\n".join(lines)


def _metadata(*, archival: bool) -> str:
    mark = (
        '<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
        "<pdfaid:part>1</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>"
    )
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">'
        f"<pdf:Producer>airflow-provider-ocr {__version__}</pdf:Producer></rdf:Description>"
        f'{mark if archival else ""}</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    )


def _file(objects: Sequence[bytes]) -> bytes:
    """The objects, numbered from 1, with the table that says where they are."""
    written = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(written))
        written += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    identity = hashlib.sha256(written).hexdigest()[:32]
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    trailer = (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {len(objects) + 1} /Root {_CATALOG} 0 R /Info {_INFORMATION} 0 R "
        f"/ID [<{identity}> <{identity}>] >>\nstartxref\n{len(written)}\n%%EOF\n"
    )
    return bytes(written) + trailer.encode("ascii")
