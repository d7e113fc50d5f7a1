# SPDX-License-Identifier: Apache-2.0
"""What a landing tells Airflow and OpenLineage beside its return value: asset events and datasets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from airflow_provider_ocr.transfers.landed_places import asset_uri, dataset_name

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath
    from airflow.providers.openlineage.extractors import OperatorLineage


def tell_outlets(context: Context, outlets: Iterable[Any], manifest: dict[str, Any]) -> None:
    """Give an Airflow task's asset events their extra.

    The one event of an `Asset` gets the manifest. An `AssetAlias` gets an asset of its own for each file, and
    with it an event that holds what the manifest says of that file.

    :param context: of the Airflow task that landed the files.
    :param outlets: the Airflow task's.
    :param manifest: its return value.
    """
    from airflow.providers.common.compat.sdk import Asset, AssetAlias

    for outlet in outlets:
        if isinstance(outlet, AssetAlias):
            for file in manifest["files"]:
                # One that was there already, too: the try that wrote it may have been killed.
                told = {"ocr_task_id": manifest["ocr_task_id"], **file}
                context["outlet_events"][outlet].add(Asset(asset_uri(_path(file))), extra=told)
        else:
            context["outlet_events"][outlet].extra.update(manifest)


def lineage_of(manifest: dict[str, Any], service: str) -> OperatorLineage[Any, Any]:
    """What OpenLineage is told: an OCR task of a service became files.

    :param manifest: the return value of the Airflow task that landed them.
    :param service: the service's base URL.
    """
    from airflow.providers.common.compat.openlineage.facet import (
        Dataset,
        ExternalQueryRunFacet,
        OutputDataset,
        OutputStatisticsOutputDatasetFacet,
    )
    from airflow.providers.openlineage.extractors import OperatorLineage

    ocr_task_id = manifest["ocr_task_id"]
    outputs = []
    for file in manifest["files"]:
        namespace, name = dataset_name(_path(file))
        statistics = OutputStatisticsOutputDatasetFacet(size=file["size"], fileCount=1)
        outputs.append(
            OutputDataset(namespace=namespace, name=name, outputFacets={"outputStatistics": statistics})
        )
    return OperatorLineage(
        inputs=[Dataset(namespace=service, name=ocr_task_id)],
        outputs=outputs,
        run_facets={"externalQuery": ExternalQueryRunFacet(externalQueryId=ocr_task_id, source=service)},
    )


def _path(file: dict[str, Any]) -> ObjectStoragePath:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    return ObjectStoragePath(file["uri"])
