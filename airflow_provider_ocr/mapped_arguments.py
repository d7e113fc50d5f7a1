# SPDX-License-Identifier: Apache-2.0
"""What is known of the arguments of mapped tasks while a DAG file is parsed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

LATER = "{{ mapped }}"
"""Stands for a value that only a run knows."""


def default_args(partial_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """What a mapped task gets from its DAG and its task group; Airflow adds it only when the task runs.

    :param partial_kwargs: of ``partial``.
    """
    places = (partial_kwargs.get("dag"), partial_kwargs.get("task_group"))
    return {name: value for place in places if place for name, value in (place.default_args or {}).items()}


def one_by_one(mapped: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Each literal value of each mapped argument, while all the other mapped ones are still to come.

    :param mapped: of ``expand``.
    """
    others = dict.fromkeys(mapped, LATER)
    for name, values in mapped.items():
        if isinstance(values, Mapping):
            yield from ({**others, name: item} for item in values.items())
        elif isinstance(values, Sequence):
            yield from ({**others, name: item} for item in values)
