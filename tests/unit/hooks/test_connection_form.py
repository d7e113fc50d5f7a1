# SPDX-License-Identifier: Apache-2.0
"""Both ways in which Airflow asks for the connection form give the same one, as far as the older goes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService
from airflow.providers_manager import ConnectionFormWidgetInfo, ProvidersManager

from airflow_provider_ocr.hooks.cloud_ocr import CloudOcrHook
from airflow_provider_ocr.hooks.connection_form import FIELDS, Location, form_behaviour, form_fields

ONLY_AS_DATA = {"minimum", "values_display"}


def as_shown_from_widgets() -> dict[str, Any]:
    """The form that Airflow makes of the hook's widgets."""
    widgets = {
        f"extra__cloud_ocr__{name}": ConnectionFormWidgetInfo(
            "CloudOcrHook", "airflow-provider-ocr", widget, name, False
        )
        for name, widget in CloudOcrHook.get_connection_form_widgets().items()
    }
    return HookMetaService._convert_extra_fields(widgets)["cloud_ocr"]


def as_shown_from_data() -> dict[str, Any]:
    """The form that Airflow makes of the provider info, less what widgets cannot say."""
    shown = {
        name: ProvidersManager()._to_api_format(name, definition)
        for name, definition in form_fields().items()
    }
    for each in shown.values():
        for word in ONLY_AS_DATA:
            each["schema"].pop(word, None)
    return shown


def test_the_form_as_data_and_the_form_as_widgets_are_the_same() -> None:
    assert list(as_shown_from_widgets()) == list(as_shown_from_data())
    for name, shown in as_shown_from_data().items():
        widget = as_shown_from_widgets()[name]
        assert widget["schema"] == shown["schema"], name
        assert widget["description"] == shown["description"], name


def test_the_usual_fields_are_the_same_in_both() -> None:
    data = form_behaviour()
    assert CloudOcrHook.get_ui_field_behaviour() == {
        "hidden_fields": data["hidden-fields"],
        "relabeling": data["relabeling"],
        "placeholders": data["placeholders"],
    }


def test_the_processing_location_is_a_drop_down_of_all_locations() -> None:
    schema = form_fields()["location"]["schema"]
    assert schema["enum"] == ["cloud-eu", "cloud-westus", "own-server"] == [*Location]
    assert list(schema["values_display"]) == schema["enum"]
    assert form_fields()["location"]["label"] == "Processing location"


def test_every_field_may_be_left_empty_and_says_what_that_means() -> None:
    for each in FIELDS:
        assert "null" in each.json_schema["type"]
        assert each.description.endswith(".")


def test_the_proxy_is_hidden_as_it_is_typed() -> None:
    assert form_fields()["proxy"]["schema"]["format"] == "password"


@pytest.mark.parametrize("module", ["wtforms", "flask", "flask_appbuilder", "airflow"])
def test_reading_the_provider_info_loads_no_library(module: str) -> None:
    probe = "import sys; from airflow_provider_ocr.get_provider_info import get_provider_info as info; info()"
    done = subprocess.run(
        [sys.executable, "-c", f"{probe}; sys.exit({module!r} in sys.modules)"], timeout=60, check=False
    )
    assert done.returncode == 0
