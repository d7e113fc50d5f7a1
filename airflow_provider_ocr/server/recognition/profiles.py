# SPDX-License-Identifier: Apache-2.0
"""What each profile has found on a page: the intents of the API's documentation, as switches."""

from __future__ import annotations

from typing import NamedTuple

from airflow_provider_ocr.protocol.vocabulary import Profile


class Findings(NamedTuple):
    """What is looked for.

    :param text: text in its layout.
    :param tables: grids and their cells; without them their text is text like any other.
    :param pictures: where pictures are.
    :param all_text: text inside pictures and in small or poor areas, too.
    """

    text: bool = True
    tables: bool = False
    pictures: bool = False
    all_text: bool = False


_FINDINGS = {
    Profile.DOCUMENT_CONVERSION: Findings(tables=True, pictures=True),
    Profile.DOCUMENT_ARCHIVING: Findings(tables=True, pictures=True, all_text=True),
    Profile.TEXT_EXTRACTION: Findings(all_text=True),
    Profile.BARCODE_RECOGNITION: Findings(text=False),
}


def findings_of(profile: Profile) -> Findings:
    """What is looked for under ``profile``."""
    return _FINDINGS[profile]
