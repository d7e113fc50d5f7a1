# SPDX-License-Identifier: Apache-2.0
"""ProcessingSettings: how a document is to be recognised and exported, as values and as query parameters.

One class serves both ends: the client validates and sends it, the server reads and validates it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from airflow_provider_ocr.protocol.characters import is_xml_text
from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.languages import require_language
from airflow_provider_ocr.protocol.vocabulary import (
    ExportFormat,
    ImageSource,
    Profile,
    TextType,
    Value,
    WriteTags,
    require_value,
)

MAX_EXPORT_FORMATS = 3
MAX_DESCRIPTION_LENGTH = 255

_XML_FORMATS = frozenset({ExportFormat.XML, ExportFormat.XML_FOR_CORRECTED_IMAGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingSettings:
    """The parameters of ``processRemoteImage`` other than ``source``; the defaults are the API's.

    :param language: names of recognition languages, for example ``("English", "German")``.
    :param profile: what the result is for.
    :param text_type: how the text was put on paper.
    :param image_source: where the image comes from.
    :param correct_orientation: turn pages upright.
    :param correct_skew: straighten pages.
    :param read_barcodes: find barcodes; None means the API's rule: only when XML is exported.
    :param export_format: one to three formats; result files come in this order.
    :param write_recognition_variants: write character variants into XML.
    :param write_tags: tag PDF results.
    :param description: up to 255 characters that the service keeps with the task.
    :param pdf_password: opens a protected PDF; left out of ``repr``.
    :raises InvalidParameterError: if values contradict each other or exceed a limit.
    """

    language: tuple[str, ...] = ("English",)
    profile: Profile = Profile.DOCUMENT_CONVERSION
    text_type: tuple[TextType, ...] = (TextType.NORMAL,)
    image_source: ImageSource = ImageSource.AUTO
    correct_orientation: bool = True
    correct_skew: bool = True
    read_barcodes: bool | None = None
    export_format: tuple[ExportFormat, ...] = (ExportFormat.RTF,)
    write_recognition_variants: bool = False
    write_tags: WriteTags = WriteTags.AUTO
    description: str = ""
    pdf_password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        for parameter in _PARAMETERS:
            value = getattr(self, parameter.field)
            if not _is_empty(value) and parameter.read(value) != value:
                raise InvalidParameterError(
                    parameter.name,
                    f"{value!r} is not in the API's form; ProcessingSettings.parse makes it so.",
                )
        _require_some("language", self.language)
        _require_some("textType", self.text_type)
        _require_some("exportFormat", self.export_format)
        if len(self.export_format) > MAX_EXPORT_FORMATS:
            raise InvalidParameterError(
                "exportFormat",
                f"{len(self.export_format)} formats were given, at most {MAX_EXPORT_FORMATS} are allowed.",
            )
        if self.write_recognition_variants and not _XML_FORMATS.intersection(self.export_format):
            raise InvalidParameterError(
                "xml:writeRecognitionVariants", "true is allowed only where exportFormat has xml."
            )
        if len(self.description) > MAX_DESCRIPTION_LENGTH:
            raise InvalidParameterError(
                "description",
                f"{len(self.description)} characters are too long, "
                f"at most {MAX_DESCRIPTION_LENGTH} are allowed.",
            )
        if not is_xml_text(self.description):
            raise InvalidParameterError("description", "it has control characters, which XML cannot carry.")

    @classmethod
    def parse(cls, **values: Any) -> ProcessingSettings:
        """Settings from what a person writes.

        Keyword arguments are named as the fields. Lists may be sequences or comma-separated text,
        enumerated values and languages are text in any case, switches are bool or "true"/"false".
        A value that is None or empty means the API's default.

        :raises InvalidParameterError: if a value is not the API's.
        :raises TypeError: if a name is not a field.
        """
        unknown = values.keys() - _BY_FIELD.keys()
        if unknown:
            raise TypeError(f"not a processing setting: {', '.join(sorted(unknown))}")
        given = {name: value for name, value in values.items() if not _is_empty(value)}
        return cls(**{name: _BY_FIELD[name].read(value) for name, value in given.items()})

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> ProcessingSettings:
        """Settings from query parameters, their names and values in any case.

        :raises InvalidParameterError: if a name or a value is not the API's.
        """
        values = {}
        for name, text in query.items():
            parameter = _BY_FOLDED_NAME.get(name.casefold())
            if parameter is None:
                raise InvalidParameterError(name, "the service knows no such parameter.")
            values[parameter.field] = text
        return cls.parse(**values)

    def to_query(self) -> dict[str, str]:
        """Query parameters in the API's spelling: language, formats, and what differs from the defaults."""
        always = {"language", "export_format"}
        return {
            parameter.name: _write(getattr(self, parameter.field))
            for parameter in _PARAMETERS
            if parameter.field in always or getattr(self, parameter.field) != _DEFAULTS[parameter.field]
        }

    @property
    def reads_barcodes(self) -> bool:
        """Whether barcodes are looked for, the API's rule applied where the author left it open."""
        if self.read_barcodes is None:
            return bool(_XML_FORMATS.intersection(self.export_format))
        return self.read_barcodes


@dataclass(frozen=True, slots=True)
class _Parameter:
    """How one field is named on the wire, and how it is read from what a person writes."""

    name: str
    field: str
    read: Callable[[Any], Any]


def _one(kind: type[Value], name: str) -> Callable[[Any], Value]:
    return lambda value: require_value(kind, str(value), parameter=name)


def _several(kind: type[Value], name: str) -> Callable[[Any], tuple[Value, ...]]:
    return lambda value: tuple(require_value(kind, item, parameter=name) for item in _items(name, value))


def _switch(name: str) -> Callable[[Any], bool]:
    def read(value: Any) -> bool:
        text = str(value).strip().casefold()
        if text not in ("true", "false"):
            raise InvalidParameterError(name, f"{value!r} is not one of true, false.")
        return text == "true"

    return read


def _languages(value: Any) -> tuple[str, ...]:
    return tuple(require_language(item) for item in _items("language", value))


def _items(name: str, value: Any) -> list[str]:
    """A list value: text split at commas, or a sequence of text."""
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, Iterable):
        raise InvalidParameterError(name, f"{value!r} is neither text nor a list.")
    items = [str(part).strip() for part in parts]
    if not all(items):
        raise InvalidParameterError(name, "the list has an empty entry.")
    return items


_PARAMETERS = (
    _Parameter("language", "language", _languages),
    _Parameter("profile", "profile", _one(Profile, "profile")),
    _Parameter("textType", "text_type", _several(TextType, "textType")),
    _Parameter("imageSource", "image_source", _one(ImageSource, "imageSource")),
    _Parameter("correctOrientation", "correct_orientation", _switch("correctOrientation")),
    _Parameter("correctSkew", "correct_skew", _switch("correctSkew")),
    _Parameter("readBarcodes", "read_barcodes", _switch("readBarcodes")),
    _Parameter("exportFormat", "export_format", _several(ExportFormat, "exportFormat")),
    _Parameter(
        "xml:writeRecognitionVariants",
        "write_recognition_variants",
        _switch("xml:writeRecognitionVariants"),
    ),
    _Parameter("pdf:writeTags", "write_tags", _one(WriteTags, "pdf:writeTags")),
    _Parameter("description", "description", str),
    _Parameter("pdfPassword", "pdf_password", str),
)
_BY_FIELD = {parameter.field: parameter for parameter in _PARAMETERS}
_BY_FOLDED_NAME = {parameter.name.casefold(): parameter for parameter in _PARAMETERS}
_DEFAULTS = {item.name: item.default for item in fields(ProcessingSettings)}


def _require_some(name: str, values: tuple[str, ...]) -> None:
    if not values:
        raise InvalidParameterError(name, "at least one value is needed.")
    repeated = sorted({str(value) for value in values if values.count(value) > 1})
    if repeated:
        raise InvalidParameterError(name, f"given more than once: {', '.join(repeated)}.")


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, Sized) and len(value) == 0)


def _write(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    return value.value if isinstance(value, StrEnum) else str(value)
