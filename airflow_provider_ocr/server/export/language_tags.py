# SPDX-License-Identifier: Apache-2.0
"""BCP 47 tags of the languages that can be read, as XML and documents want them."""

from __future__ import annotations

from airflow_provider_ocr.protocol.languages import tesseract_codes

# Of the tesseract codes that are no tags themselves.
_TAGS = """
afr af, sqi sq, ara ar, hye hy, aze_cyrl az-Cyrl, aze az-Latn, eus eu, bel be, bre br, bul bg, cat ca,
chi_sim zh-Hans, chi_tra zh-Hant, cos co, hrv hr, ces cs, dan da, nld nl, eng en, epo eo, est et, fao fo,
fas fa, fin fi, fra fr, fry fy, gla gd, glg gl, deu de, ltz lb, ell el, heb he, hun hu, isl is, ind id,
gle ga, ita it, ita_old it, jpn ja, kaz kk, kir ky, kor ko, lat la, lav lv, lit lt, mkd mk, msa ms, mlt mt,
mri mi, mon mn, nor no, pol pl, por pt, oci oc, que qu, ron ro, rus ru, srp sr-Cyrl, srp_latn sr-Latn,
slk sk, slv sl, spa es, spa_old es, sun su, swa sw, swe sv, fil tl, tgk tg, tat tt, tha th, ton to, tur tr,
uig ug, ukr uk, uzb_cyrl uz-Cyrl, uzb uz-Latn, vie vi, cym cy, yid yi
"""
_BY_CODE = dict(pair.split() for pair in _TAGS.split(","))


def language_tag(language: str) -> str | None:
    """The tag of a language, for example ``de``; None for one that no tesseract data is known for.

    :param language: the API's canonical name.
    """
    (code,) = tesseract_codes([language])
    return None if code is None else _BY_CODE.get(code, code)
