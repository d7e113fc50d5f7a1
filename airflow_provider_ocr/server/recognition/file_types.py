# SPDX-License-Identifier: Apache-2.0
"""Which files could be images, by their first bytes. Loads no decoder, so that the process that answers HTTP
can ask.
"""

from __future__ import annotations

from pathlib import Path

PDF = "PDF"
PDF_SIGNATURE = b"%PDF-"
HEADER_BYTES = 1024  # readers look for a PDF file's signature in so many: some writers put others first

_IMAGE_SIGNATURES = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    # TIFF, and with 64-bit offsets, and by writers that mix up the order of bytes
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"MM*\0", b"II\0*"),
    "BMP": (b"BM",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "JPEG 2000": (b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),  # in a box, and bare
    "PCX": tuple(bytes((10, version, 1, bits)) for version in (0, 2, 3, 4, 5) for bits in (1, 2, 4, 8)),
    "DCX": (b"\xb1\x68\xde\x3a",),
}

TYPES = (*_IMAGE_SIGNATURES, "WebP", PDF)
"""What is read, as people call it."""

ONE_OF_THEM = f"{', '.join(TYPES[:-1])} or {TYPES[-1]}"
"""For messages that say what is needed."""


def known_types(start: bytes) -> list[str]:
    """The types that recognition reads and that a file claims to be of; several where it is made to deceive.

    :param start: its first ``HEADER_BYTES``.
    """
    found = [name for name, signatures in _IMAGE_SIGNATURES.items() if start.startswith(signatures)]
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":  # a length lies in between
        found.append("WebP")
    return [*found, PDF] if PDF_SIGNATURE in start else found


def looks_like_a_web_page(start: bytes) -> bool:
    """Whether a browser would take a file for HTML.

    :param start: its first bytes.
    """
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def read_start(path: Path) -> bytes:
    """The first ``HEADER_BYTES`` of a file."""
    with path.open("rb") as file:
        return file.read(HEADER_BYTES)


def is_known_type(path: Path) -> bool:
    """Whether the file begins like one of a type that recognition reads."""
    return bool(known_types(read_start(path)))
