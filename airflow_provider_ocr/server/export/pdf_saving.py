# SPDX-License-Identifier: Apache-2.0
"""The two kinds of PDF files that a document is saved as: plain ones, and PDF/A-1b for archives."""

from __future__ import annotations

from pathlib import Path

import pikepdf

from airflow_provider_ocr import __version__

_PRODUCER = f"airflow-provider-ocr {__version__}"


def save_plain(pdf: pikepdf.Pdf, path: Path) -> None:
    """Save ``pdf`` to ``path`` as it is."""
    pdf.docinfo["/Producer"] = _PRODUCER
    pdf.save(path)


def save_for_archives(pdf: pikepdf.Pdf, path: Path) -> None:
    """Save ``pdf`` to ``path`` as PDF/A-1b, with colours that mean those of sRGB.

    :raises pikepdf.pdfa.PdfaError: if what was written is found not to conform; there is no file then.
    """
    from pikepdf import pdfa  # takes long to load, and only this format needs it

    pdf.docinfo["/Creator"] = _PRODUCER  # the producer will be said to be pikepdf
    pdfa.save(pdf, path, "1b", output_intent="sRGB")
