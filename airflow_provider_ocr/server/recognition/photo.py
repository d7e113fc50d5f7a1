# SPDX-License-Identifier: Apache-2.0
"""Photos of a sheet, made flat: what a camera held askew has bent gets its right angles back.

What lies around the sheet is left out. A camera does not know how large a sheet is, so its resolution is
estimated from the flat sheet.
"""

from __future__ import annotations

from dataclasses import replace

from airflow_provider_ocr.protocol.vocabulary import ImageSource
from airflow_provider_ocr.server.recognition.page_image import PageImage
from airflow_provider_ocr.server.recognition.resolution import of_size
from airflow_provider_ocr.server.recognition.sheet import find_sheet, flat_view, is_tilted


def flattened(source: PageImage, kind: ImageSource) -> PageImage:
    """The page as if it had been scanned; itself where it is no photo, or no sheet is seen on it.

    :param source: the page as it came.
    :param kind: ``auto`` leaves alone what may be a scan: a sheet all of whose corners are right angles.
    """
    if kind is ImageSource.SCANNER:
        return source
    corners = find_sheet(source.image)
    if corners is None or (kind is ImageSource.AUTO and not is_tilted(corners)):
        return source
    view = flat_view(corners, *source.image.size)
    return replace(
        source,
        image=view.of(source.image),
        dpi=of_size(view.width, view.height).across,
        to_original=view.back.then(source.to_original),
    )
