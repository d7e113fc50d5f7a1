# SPDX-License-Identifier: Apache-2.0
"""Which files could be images, by their first bytes. Loads no decoder, so that the process that answers HTTP
can ask.
"""

from __future__ import annotations

from pathlib import Path

PDF_SIGNATURE = b"%PDF-"
PDF_HEADER_WITHIN = 1024  # bytes, where readers look for it: some writers put other bytes first

IMAGE_SIGNATURES = (
    b"\xff\xd8\xff",  # JPEG
    b"\x89PNG\r\n\x1a\n",
    *(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),  # TIFF, and with 64-bit offsets
    *(b"MM*\0", b"II\0*"),  # TIFF by writers that mix up the order of bytes
    b"BM",
    *(b"GIF87a", b"GIF89a"),
)


def is_known_type(path: Path) -> bool:
    """Whether the file begins like one of a type that recognition reads."""
    with path.open("rb") as file:
        start = file.read(PDF_HEADER_WITHIN)
    return start.startswith(IMAGE_SIGNATURES) or PDF_SIGNATURE in start
