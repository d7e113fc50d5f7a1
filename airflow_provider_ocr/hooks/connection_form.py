# SPDX-License-Identifier: Apache-2.0
"""What Airflow's connection form shows for a ``cloud_ocr`` connection, said once.

Airflow 3.2 and newer read the form as data; older ones ask the hook for widgets. Both come from `FIELDS` and
`STANDARD_FIELDS`. This module is read at every start of Airflow, so it imports nothing of anybody else's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

DEFAULT_CONN_ID = "cloud_ocr_default"


class Location(StrEnum):
    """Where images are processed: a location of the vendor's cloud, or a server of one's own."""

    CLOUD_EU = "cloud-eu"
    CLOUD_WESTUS = "cloud-westus"
    OWN_SERVER = "own-server"

    @property
    def host(self) -> str | None:
        """The host name of the vendor's server there; None for a server of one's own."""
        return None if self is Location.OWN_SERVER else f"{self.value}.ocrsdk.com"


_LOCATION_NAMES: Mapping[str, str] = MappingProxyType(
    {
        Location.CLOUD_EU: "Europe (cloud-eu.ocrsdk.com)",
        Location.CLOUD_WESTUS: "USA (cloud-westus.ocrsdk.com)",
        Location.OWN_SERVER: "Own server (its URL is a standard field)",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """A field of a connection's ``extra`` that the form shows as a field of its own.

    :param name: its key in ``extra``.
    :param label: what the form calls it.
    :param description: what the form says below it.
    :param kind: its JSON type, ``string`` or ``integer``.
    :param choices: the values of a drop-down and what it shows for each; none for free text.
    :param is_secret: whether the form hides what is typed.
    :param minimum: the smallest value of an integer.
    """

    name: str
    label: str
    description: str
    kind: str = "string"
    choices: Mapping[str, str] = field(default_factory=dict)
    is_secret: bool = False
    minimum: int | None = None

    @property
    def json_schema(self) -> dict[str, Any]:
        """The field as JSON schema; every field may be left empty."""
        schema: dict[str, Any] = {"type": [self.kind, "null"]}
        if self.choices:
            schema |= {"enum": [str(value) for value in self.choices]}
            schema |= {"values_display": {str(value): shown for value, shown in self.choices.items()}}
        if self.is_secret:
            schema["format"] = "password"
        if self.minimum is not None:
            schema["minimum"] = self.minimum
        return schema


FIELDS: Sequence[FormField] = (
    FormField(
        name="location",
        label="Processing location",
        description="Where the application was registered. Left empty, the host decides.",
        choices=_LOCATION_NAMES,
    ),
    FormField(
        name="timeout",
        label="Timeout (seconds)",
        description="How long to wait for an answer of the server, 20 by default.",
        kind="integer",
        minimum=1,
    ),
    FormField(
        name="ca_bundle",
        label="CA bundle (path)",
        description="A file with the certificate authorities to trust, on every machine that runs Airflow.",
    ),
    FormField(
        name="proxy",
        label="Proxy (URL)",
        description="As http://user:password@proxy.example:3128. Left empty, the environment decides.",
        is_secret=True,
    ),
)

_HIDDEN: Sequence[str] = ("schema",)
_LABELS: Mapping[str, str] = MappingProxyType(
    {"host": "Own server's URL", "login": "Application ID", "password": "Application password"}
)
_PLACEHOLDERS: Mapping[str, str] = MappingProxyType(
    {
        "host": "https://ocr.example.com; empty for a location of the vendor's cloud",
        "login": "the application's name",
    }
)


def form_fields() -> dict[str, Any]:
    """The extra fields as data: ``conn-fields`` of the provider info."""
    return {
        each.name: {"label": each.label, "description": each.description, "schema": each.json_schema}
        for each in FIELDS
    }


def form_behaviour() -> dict[str, Any]:
    """What becomes of Airflow's own fields: ``ui-field-behaviour`` of the provider info."""
    return {
        "hidden-fields": list(_HIDDEN),
        "relabeling": dict(_LABELS),
        "placeholders": dict(_PLACEHOLDERS),
    }


def form_widgets() -> dict[str, Any]:
    """The extra fields as WTForms widgets, for Airflow older than 3.2.

    A drop-down shows the bare values there, and a minimum is not checked.

    :raises ImportError: where WTForms is not installed; Airflow asks only where it is.
    """
    from wtforms import (  # type: ignore[import-untyped]  # a part of Airflow only where it is needed
        IntegerField,
        PasswordField,
        StringField,
    )
    from wtforms.validators import Optional, any_of  # type: ignore[import-untyped]  # the same

    def widget(shown: FormField) -> Any:
        choices = [any_of([str(value) for value in shown.choices])] if shown.choices else []
        kinds = {"integer": IntegerField, "string": PasswordField if shown.is_secret else StringField}
        return kinds[shown.kind](
            shown.label, validators=[Optional(), *choices], description=shown.description
        )

    return {each.name: widget(each) for each in FIELDS}
