# SPDX-License-Identifier: Apache-2.0
"""PDF files: each page rendered as a viewer shows it, with what people have typed into its forms."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
from pypdfium2 import raw

from airflow_provider_ocr.server.recognition.errors import (
    PageError,
    PasswordError,
    RecognitionError,
    UnsupportedError,
)
from airflow_provider_ocr.server.recognition.page_image import (
    WORKING_PIXELS,
    PageImage,
    damaged,
    working_page,
)
from airflow_provider_ocr.server.recognition.resolution import BELIEVABLE_DPI, Resolution

PDF_DPI = 300

_POINTS_PER_INCH = 72
_MAY_PRINT = 1 << 2  # of the permissions that a protected file gives, as its format numbers them


class PdfFile:
    """A PDF file.

    :param password: opens the file if it is protected.
    :raises PasswordError: if it does not.
    :raises UnsupportedError: if the file forbids to be printed, or is protected in a way that is not known.
    :raises RecognitionError: if the file is damaged.
    """

    def __init__(self, path: Path, *, password: str = "") -> None:
        self._document = _open_pdf(path, password)
        self._forms_shown = False
        if not raw.FPDF_GetDocPermissions(self._document) & _MAY_PRINT:
            self.close()
            raise UnsupportedError(
                "The PDF file does not permit its pages to be printed, so they are not turned into images; "
                "send one that permits it, or its owner's password as pdfPassword."
            )

    @property
    def pages(self) -> int:
        """How many pages the file says that it has."""
        return len(self._document)

    def inches(self, number: int) -> tuple[float, float]:
        """Width and height of a page, without its content.

        :raises PageError: if it is damaged or beyond a limit.
        """
        return self._inches_and_dpi(number)[0]

    def page(self, number: int, *, colours: bool = True) -> PageImage:
        """A page, rendered.

        :param colours: False if a page that is rendered with fewer pixels than others, because it is so
            large, may come in shades of grey.
        :raises PageError: if it is damaged or beyond a limit.
        """
        _, dpi = self._inches_and_dpi(number)
        if not self._forms_shown:
            self._document.init_forms()  # what people have typed into form fields is part of the page
            self._forms_shown = True
        try:
            page = self._document[number - 1]
            grey = not colours and dpi < PDF_DPI
            bitmap = page.render(scale=dpi / _POINTS_PER_INCH, rev_byteorder=True, grayscale=grey)
            page.close()
            image = bitmap.to_pil().convert("L" if grey else "RGB")  # a copy, where it had another mode
            bitmap.close()
        except pypdfium2.PdfiumError:
            raise damaged(number) from None
        return working_page(image, number=number, size=image.size, resolution=Resolution(dpi, dpi))

    def stored(self, number: int) -> None:
        """No page of a PDF file is an image alone, for what anyone can tell without rendering it."""

    def close(self) -> None:
        """Give the file up."""
        self._document.close()

    def _inches_and_dpi(self, number: int) -> tuple[tuple[float, float], float]:
        """A page's width and height, and the pixels per inch that it is rendered in."""
        try:
            points = self._document.get_page_size(number - 1)
        except pypdfium2.PdfiumError:
            raise damaged(number) from None
        width, height = (side / _POINTS_PER_INCH for side in points)
        dpi = min(PDF_DPI, (WORKING_PIXELS / (width * height)) ** 0.5) if width * height > 0 else 0.0
        if dpi < BELIEVABLE_DPI[0]:
            measure = "too large" if width * height > 0 else "nothing to read"
            raise PageError(number, f"Page {number} measures {width:.0f} x {height:.0f} inches: {measure}.")
        return (width, height), dpi


def _open_pdf(path: Path, password: str) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(path, password=password or None)
    except pypdfium2.PdfiumError as error:
        if error.err_code == raw.FPDF_ERR_PASSWORD and password:
            return _open_without(path)
        if error.err_code == raw.FPDF_ERR_PASSWORD:
            raise PasswordError("The PDF file is protected by a password; send it as pdfPassword.") from None
        if error.err_code == raw.FPDF_ERR_SECURITY:
            raise UnsupportedError("The PDF file is protected in a way that is not known here.") from None
        raise RecognitionError("The PDF file is damaged and cannot be opened.") from None


def _open_without(path: Path) -> pypdfium2.PdfDocument:
    """The file, which a password does not open, if it opens without one as well."""
    try:
        return _open_pdf(path, "")
    except PasswordError:
        raise PasswordError("The pdfPassword that came with it does not open the PDF file.") from None
