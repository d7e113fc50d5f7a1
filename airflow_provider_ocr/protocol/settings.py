# SPDX-License-Identifier: Apache-2.0
"""ProcessingSettings: how a document is to be recognised and exported, as values and as query parameters.

One class serves both ends: the client validates and sends it, the server reads and validates it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from airflow_provider_ocr.protocol.characters import is_xml_text
from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.languages import one_spelling, require_language
from airflow_provider_ocr.protocol.suggestions import nearest, shown, suggestion
from airflow_provider_ocr.protocol.vocabulary import (
    ExportFormat,
    ImageSource,
    Profile,
    TextType,
    Value,
    WriteTags,
    find_value,
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
            if value is not _DEFAULTS[parameter.field]:
                # In the API's own type too: text equals the member of an enumeration that it spells.
                object.__setattr__(self, parameter.field, parameter.require(value))
        _require_some("language", self.language)
        _require_some("textType", self.text_type)
        _require_some("exportFormat", self.export_format)
        self._require_formats()
        self._require_texts()

    def _require_formats(self) -> None:
        _require_few(self.export_format)
        formats = ", ".join(self.export_format)
        if self.write_recognition_variants and not _XML_FORMATS.intersection(self.export_format):
            raise InvalidParameterError(
                "xml:writeRecognitionVariants",
                f"true is allowed only where exportFormat has {' or '.join(sorted(_XML_FORMATS))}; it has "
                f"{formats}.",
            )

    def _require_texts(self) -> None:
        if len(self.description) > MAX_DESCRIPTION_LENGTH:
            raise InvalidParameterError(
                "description",
                f"{len(self.description)} characters are too long, at most {MAX_DESCRIPTION_LENGTH} are "
                f"allowed: {shown(self.description)}",
            )
        if not is_xml_text(self.description):
            raise InvalidParameterError(
                "description", f"{shown(self.description)} has control characters, which XML cannot carry."
            )
        if not _is_sendable(self.pdf_password):
            raise InvalidParameterError("pdfPassword", "it has characters that cannot be sent.")

    @classmethod
    def parse(cls, **values: Any) -> ProcessingSettings:
        """Settings from what a person writes.

        Keyword arguments are named as the fields. Lists may be sequences or comma-separated text,
        enumerated values and languages are text in any case, switches are bool or "true"/"false".
        A value that is None or empty means the API's default.

        :param values: by the fields' names.
        :raises InvalidParameterError: if a value is not the API's.
        :raises TypeError: if a name is not a field.
        """
        unknown = sorted(values.keys() - _BY_FIELD.keys())
        if unknown:
            raise TypeError(f"not a processing setting: {', '.join(map(_with_guess, unknown))}")
        given = {name: value for name, value in values.items() if not _is_empty(value)}
        return cls(**{name: _BY_FIELD[name].read(value) for name, value in given.items()})

    @classmethod
    def check(cls, *, is_later: Callable[[Any], bool], **values: Any) -> None:
        """Refuse what cannot become right any more, of settings that are not all known yet.

        :param is_later: whether a value, or an entry of a list, is still to come, for example from a
            template; a rule that it takes part in is not applied, all others are.
        :param values: as `parse` takes them.
        :raises InvalidParameterError: if a value is not the API's, or two contradict each other.
        :raises TypeError: if a name is not a field.
        """
        known = {name: value for name, value in values.items() if not is_later(value)}
        for name in known.keys() & _LISTS:
            if _is_list(known[name]) and any(map(is_later, known[name])):
                if name == "export_format":
                    _require_few(known[name])
                known[name] = [item for item in known[name] if not is_later(item)]
                if not known[name]:
                    del known[name]
        if known.get("export_format") != values.get("export_format"):
            known["export_format"] = _with_xml(known.get("export_format", []))
        cls.parse(**known)

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> ProcessingSettings:
        """Settings from query parameters, their names and values in any case.

        :param query: the parameters; an empty value means the API's default.
        :raises InvalidParameterError: if a name or a value is not the API's.
        """
        values: dict[str, str] = {}
        for name, text in query.items():
            parameter = _BY_FOLDED_NAME.get(name.casefold())
            if parameter is None:
                raise InvalidParameterError(
                    name,
                    "the service knows no such parameter."
                    f"{suggestion(name, [known.name for known in _PARAMETERS])}",
                )
            if parameter.field in values:
                raise InvalidParameterError(parameter.name, "the parameter is given more than once.")
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
            # That profile looks for nothing else.
            only_barcodes = self.profile is Profile.BARCODE_RECOGNITION
            return only_barcodes or bool(_XML_FORMATS.intersection(self.export_format))
        return self.read_barcodes


@dataclass(frozen=True, slots=True)
class _Parameter:
    """How one field is named on the wire, and how it is read from what a person writes.

    :param is_secret: whether no message may show the value.
    """

    name: str
    field: str
    read: Callable[[Any], Any]
    is_secret: bool = False

    def require(self, value: Any) -> Any:
        """``value`` in the API's type, if it is in the API's form already."""
        known = self.read(value)
        if known != value:
            what = "the value" if self.is_secret else shown(value)
            raise InvalidParameterError(
                self.name, f"{what} is not in the API's form; ProcessingSettings.parse makes it so."
            )
        return known


def _one(kind: type[Value], name: str) -> Callable[[Any], Value]:
    return lambda value: require_value(kind, str(value), parameter=name)


def _several(kind: type[Value], name: str) -> Callable[[Any], tuple[Value, ...]]:
    return lambda value: tuple(require_value(kind, item, parameter=name) for item in _items(name, value))


def _switch(name: str) -> Callable[[Any], bool]:
    def read(value: Any) -> bool:
        text = str(value).strip().casefold()
        if text not in ("true", "false"):
            raise InvalidParameterError(name, f"{shown(value)} is not one of true, false.")
        return text == "true"

    return read


def _text(value: Any) -> str:
    # Blanks alone say nothing, and an empty parameter is not sent.
    text = str(value)
    return text if text.strip() else ""


def _languages(value: Any) -> tuple[str, ...]:
    return tuple(require_language(item) for item in _items("language", value))


def _items(name: str, value: Any) -> list[str]:
    """A list value: text split at commas, or a sequence of text."""
    if isinstance(value, str):
        if value.strip().startswith(("[", "(")):
            raise InvalidParameterError(
                name, f"{shown(value)} is a list that was turned into text; write the values with commas."
            )
        value = value.split(",")
    if not _is_list(value):
        raise InvalidParameterError(name, f"{shown(value)} is neither text nor a list.")
    items = [str(part).strip() for part in value]
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
    _Parameter("description", "description", _text),
    _Parameter("pdfPassword", "pdf_password", str, is_secret=True),
)
_BY_FIELD = {parameter.field: parameter for parameter in _PARAMETERS}
_BY_FOLDED_NAME = {parameter.name.casefold(): parameter for parameter in _PARAMETERS}
_DEFAULTS = {item.name: item.default for item in fields(ProcessingSettings)}


_LISTS = frozenset({"language", "text_type", "export_format"})


def _is_list(value: Any) -> bool:
    # A set has an order of its own in each process, and the order is that of the results.
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def _require_few(formats: Sequence[Any]) -> None:
    if len(formats) > MAX_EXPORT_FORMATS:
        raise InvalidParameterError(
            "exportFormat",
            f"{len(formats)} formats ({', '.join(map(str, formats))}) are too many, at most "
            f"{MAX_EXPORT_FORMATS} are allowed.",
        )


def _with_xml(formats: Sequence[Any]) -> list[Any]:
    """The formats with one more if need be, with which every rule holds between formats and others."""
    has_it = any(find_value(ExportFormat, str(item)) in _XML_FORMATS for item in formats)
    return list(formats) if has_it else [*formats, ExportFormat.XML]


def _require_some(name: str, values: tuple[str, ...]) -> None:
    if not values:
        raise InvalidParameterError(name, "at least one value is needed.")
    # By value: a member of an enumeration would show its own name.
    texts = [str(value) for value in values]
    kinds = [one_spelling(text) for text in texts]
    repeated = sorted({text for text, kind in zip(texts, kinds, strict=True) if kinds.count(kind) > 1})
    if repeated:
        raise InvalidParameterError(name, f"given more than once: {', '.join(repeated)}.")


def _is_sendable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _with_guess(name: str) -> str:
    near = nearest(name, _BY_FIELD)
    return f"{name} (did you mean {near[0]}?)" if near else name


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, Sized) and len(value) == 0)


def _write(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(value)
    return value.value if isinstance(value, StrEnum) else str(value)
