# SPDX-License-Identifier: Apache-2.0
"""Apache PDFBox Preflight, which had no part in writing PDF/A files, judges them."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lxml import etree  # type: ignore[import-untyped]  # lxml carries no types

_JAVA = shutil.which("java")
_JARS = [
    Path("/usr/share/java") / f"{name}.jar"
    for name in (
        *("preflight", "pdfbox2", "fontbox2", "xmpbox"),
        *("commons-logging", "javax.activation", "jaxb-api"),
    )
]
_PROGRAM = "org.apache.pdfbox.preflight.Validator_A1b"


def missing() -> str:
    """What is not installed that Preflight needs; nothing if all is there."""
    files = [str(jar) for jar in _JARS if not jar.exists()]
    return ", ".join(([] if _JAVA else ["java"]) + files)


def complaints(files: Sequence[Path], folder: Path) -> dict[Path, list[str]]:
    """Why each of the files is no PDF/A-1b; nothing for one that is.

    :param files: judged by one process, because its start takes longer than a file.
    :param folder: where the verdict is written.
    """
    assert _JAVA is not None
    listed = folder / "preflight.txt"
    listed.write_text("".join(f"{file}\n" for file in files))
    command = [_JAVA, "-cp", ":".join(map(str, _JARS)), _PROGRAM, "xml", "group", str(listed)]
    subprocess.run(command, check=True, capture_output=True, timeout=1200)
    verdicts = etree.parse(folder / "preflight.txt.preflight.xml").getroot().findall("preflight")
    assert [verdict.get("name") for verdict in verdicts] == [file.name for file in files]
    return {file: _complaints(verdict) for file, verdict in zip(files, verdicts, strict=True)}


def _complaints(verdict: etree._Element) -> list[str]:
    found = [" ".join(error.itertext()).strip() for error in verdict.iter("error")]
    if not found and verdict.findtext("isValid") != "true":
        return [" ".join(verdict.itertext()).strip() or "not valid"]
    return found
