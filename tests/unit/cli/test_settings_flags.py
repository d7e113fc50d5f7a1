# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_ocr.cli import settings_flags
from airflow_provider_ocr.cli.exits import CommandFailed, ExitCode
from airflow_provider_ocr.cli.settings_flags import settings_args, settings_of
from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.settings import ProcessingSettings


def settings(*words: str) -> ProcessingSettings:
    parser = argparse.ArgumentParser()
    for arg in settings_args():
        arg.add_to_parser(parser)
    return settings_of(parser.parse_args(words))


def test_no_flags_mean_the_defaults_of_the_api() -> None:
    assert settings() == ProcessingSettings()


def test_each_setting_has_a_flag_with_a_help() -> None:
    names = [item.name.replace("_", "-") for item in fields(ProcessingSettings)]
    args = settings_args()
    assert [arg.flags[0].removeprefix("--").removesuffix("-file") for arg in args] == names
    assert all(len(arg.kwargs["help"]) > 10 for arg in args)
    assert not any("repr" in arg.kwargs["help"] or "None" in arg.kwargs["help"] for arg in args)


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (("--language", "english,GERMAN"), {"language": "English,German"}),
        (("--profile", "textextraction"), {"profile": "textExtraction"}),
        (("--text-type", "normal,ocra"), {"text_type": "normal,ocrA"}),
        (("--image-source", "Photo"), {"image_source": "photo"}),
        (("--no-correct-orientation",), {"correct_orientation": False}),
        (("--no-correct-skew",), {"correct_skew": False}),
        (("--read-barcodes",), {"read_barcodes": True}),
        (("--no-read-barcodes",), {"read_barcodes": False}),
        (("--export-format", "txt, xml"), {"export_format": "txt,xml"}),
        (
            ("--export-format", "xml", "--write-recognition-variants"),
            {"export_format": "xml", "write_recognition_variants": True},
        ),
        (("--write-tags", "dontwrite"), {"write_tags": "dontWrite"}),
        (("--description", "invoice 17"), {"description": "invoice 17"}),
        (("--description", ""), {}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_flags_say_settings(words: tuple[str, ...], values: dict[str, Any]) -> None:
    assert settings(*words) == ProcessingSettings.parse(**values)


@pytest.mark.parametrize(
    ("words", "parameter"),
    [
        (("--language", "Germn"), "language"),
        (("--export-format", "txt,txt"), "exportFormat"),
        (("--write-recognition-variants",), "xml:writeRecognitionVariants"),
    ],
    ids=["language", "formats", "variants"],
)
def test_what_the_api_does_not_know_is_refused(words: tuple[str, ...], parameter: str) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        settings(*words)
    assert caught.value.parameter == parameter


def test_no_flag_takes_a_password_itself() -> None:
    flags = [flag for arg in settings_args() for flag in arg.flags if "password" in flag]
    assert flags == ["--pdf-password-file"]


def test_a_password_is_the_first_line_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_bytes(b"open sesame \r\nand more\n")
    assert settings("--pdf-password-file", str(file)).pdf_password == "open sesame "


def test_a_password_comes_through_a_pipe(piped: Callable[[str], None]) -> None:
    piped("open sesame\n")
    assert settings("--pdf-password-file", "-").pdf_password == "open sesame"


def test_a_password_is_typed_unseen(typed: Callable[[str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    typed("")
    asked: list[str] = []

    def typing(prompt: str) -> str:
        asked.append(prompt)
        return "open sesame"

    monkeypatch.setattr(settings_flags, "getpass", typing)
    assert settings("--pdf-password-file", "-").pdf_password == "open sesame"
    assert asked == ["pdf_password: "]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["no file", "no text"])
def test_a_password_file_that_cannot_be_read_is_told_without_what_may_be_the_password(
    content: bytes | None, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandFailed, match="The file of --pdf-password-file cannot be read: ") as caught:
        settings("--pdf-password-file", str(file))
    assert caught.value.code is ExitCode.USAGE
    assert str(file) not in str(caught.value)


@pytest.mark.parametrize("command", [("submit", "https://a.example/b"), ("resume", "some-task")])
@pytest.mark.parametrize(
    "flag",
    [
        "--p",
        "--pd",
        "--pdf-pass",
        "--pdf-password",
        "--pdf-password-",
        "--pdf-password-fil",
        "--password",
        "--pass",
        "--pdf_password",
        "--pdfPassword",
    ],
)
@pytest.mark.parametrize("between", [" ", "="], ids=["blank", "equals"])
def test_a_password_on_the_command_line_is_refused_and_not_repeated(
    command: tuple[str, ...], flag: str, between: str, ocr: Callable[..., Any]
) -> None:
    ran = ocr(*command, *f"{flag}{between}hunter2".split())
    assert (ran.code, ran.out) == (2, "")
    assert "--pdf-password-file FILE" in ran.err
    assert "hunter2" not in ran.err
    assert ran.err.count("\n") == 1


def test_what_is_refused_is_not_offered(
    parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser.parse_args(["ocr", "submit", "--help"])
    assert "--pdf-password-file" in (shown := capsys.readouterr().out)
    assert "--password" not in shown
