# SPDX-License-Identifier: Apache-2.0
"""What Airflow is told about this provider. Airflow reads it at every start, so it costs next to nothing."""

from __future__ import annotations

from typing import Any

from airflow_provider_ocr import __version__
from airflow_provider_ocr.hooks.connection_form import form_behaviour, form_fields

_PACKAGE = "airflow_provider_ocr"
_INTEGRATION = "Cloud OCR"


def get_provider_info() -> dict[str, Any]:
    """The provider's description, in the form of Airflow's ``provider_info.schema.json``."""
    return {
        "package-name": "airflow-provider-ocr",
        "name": _INTEGRATION,
        "description": "Turns images at a URL into text and documents through the ABBYY Cloud OCR SDK API.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://www.ocrsdk.com/",
                "tags": ["service"],
            }
        ],
        "hooks": [_modules("hooks.cloud_ocr")],
        "operators": [_modules("operators.cloud_ocr")],
        "sensors": [_modules("sensors.cloud_ocr")],
        "triggers": [_modules("triggers.cloud_ocr", "triggers.submission_gate")],
        "transfers": [
            {
                "source-integration-name": _INTEGRATION,
                "target-integration-name": "Object storage",
                "python-module": f"{_PACKAGE}.transfers.cloud_ocr_to_object_storage",
            }
        ],
        "extra-links": [f"{_PACKAGE}.links.CloudOcrResultLink"],
        "connection-types": [_connection_type()],
        "cli": [f"{_PACKAGE}.cli.definition.get_cloud_ocr_cli_commands"],
    }


def _connection_type() -> dict[str, Any]:
    return {
        "connection-type": "cloud_ocr",
        "hook-class-name": f"{_PACKAGE}.hooks.cloud_ocr.CloudOcrHook",
        "hook-name": "Cloud OCR",
        "ui-field-behaviour": form_behaviour(),
        "conn-fields": form_fields(),
    }


def _modules(*names: str) -> dict[str, Any]:
    return {"integration-name": _INTEGRATION, "python-modules": [f"{_PACKAGE}.{name}" for name in names]}
