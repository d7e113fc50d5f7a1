# SPDX-License-Identifier: Apache-2.0
"""Judges mapped landings as a DAG is parsed.

Those are refused, too, that would put all documents into one file, where only the last one would stay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from airflow.sdk.definitions.mappedoperator import MappedOperator, OperatorPartial

from airflow_provider_ocr.exceptions import CloudOcrParameterError
from airflow_provider_ocr.mapped_arguments import LATER, default_args, one_by_one
from airflow_provider_ocr.protocol.concealed import reveal
from airflow_provider_ocr.templates import is_later
from airflow_provider_ocr.transfers.landing_arguments import LANDING, check_landing

if TYPE_CHECKING:
    from airflow.sdk.definitions._internal.expandinput import (
        OperatorExpandArgument,
        OperatorExpandKwargsArgument,
    )

OF_A_DOCUMENT = "{ocr_task_id}"


def require_place_of_each(arguments: Mapping[str, Any]) -> None:
    """Refuse one literal place for whatever OCR tasks come.

    :param arguments: of an operator that lands several; what differs between them, or only a run knows, is
        a template or a reference.
    :raises CloudOcrParameterError: if all documents would get one name in one folder.
    """
    place = _place(arguments)
    # Each format of one document has a name of its own.
    if place and is_later(arguments.get("ocr_task_id")) and not is_later(arguments.get("export_format")):
        raise _error(place[0])


def _place(arguments: Mapping[str, Any]) -> tuple[str, str] | None:
    """Name and folder, if they are known and are not made of the document's ID."""
    name, destination = reveal(arguments.get("name")), reveal(arguments.get("destination"))
    if not name or is_later(name) or OF_A_DOCUMENT in str(name):
        return None
    if is_later(destination):
        return None
    return str(name), str(destination).rstrip("/")


def _error(name: str) -> CloudOcrParameterError:
    return CloudOcrParameterError(
        f"name: all documents of the mapped task would be {name!r} in one folder, where only the last one "
        "would stay. Put {ocr_task_id} into it, or map name or destination as well."
    )


class CheckedLandings(OperatorPartial):
    """What `partial` gives; its arguments are judged with those of `expand` and `expand_kwargs`."""

    @classmethod
    def of(cls, partial: OperatorPartial) -> Self:
        """The same, judged.

        :param partial: as Airflow made it.
        :raises CloudOcrParameterError: if one of its literals cannot be meant.
        """
        # Airflow warns of one that goes away without having been expanded.
        partial._expand_called = True
        checked = cls(
            operator_class=partial.operator_class,
            kwargs=partial.kwargs,
            params=partial.params,
            expand_called=True,
        )
        # A mapped argument may be what makes another one right, so that rules between them wait.
        check_landing({**dict.fromkeys(LANDING, LATER), **checked._known()})
        checked._expand_called = False
        return checked

    def expand(self, **mapped_kwargs: OperatorExpandArgument) -> MappedOperator:
        """As Airflow's.

        :param mapped_kwargs: values of an argument, by its name.
        :raises CloudOcrParameterError: if a literal cannot be meant, or all documents would get one
            name in one folder.
        """
        self._expand_called = True  # Airflow warns of one that is refused, and so not expanded
        for values in one_by_one(mapped_kwargs):
            check_landing({**self._known(), **values})
        require_place_of_each({**self._known(), **dict.fromkeys(mapped_kwargs, LATER)})
        self._expand_called = False
        return super().expand(**mapped_kwargs)

    def expand_kwargs(self, kwargs: OperatorExpandKwargsArgument, *, strict: bool = True) -> MappedOperator:
        """As Airflow's.

        :param kwargs: the arguments of each task.
        :param strict: whether an argument of `partial` may not be given again.
        :raises CloudOcrParameterError: if a literal cannot be meant, or two documents would get one
            name in one folder.
        """
        self._expand_called = True
        if isinstance(kwargs, Sequence):
            tasks = [{**self._known(), **item} for item in kwargs if isinstance(item, Mapping)]
            for task in tasks:
                check_landing(task)
            _require_distinct(tasks)
        elif strict:
            mapped = {"ocr_task_id", "name", "destination", "export_format"} - self.kwargs.keys()
            require_place_of_each({**dict.fromkeys(mapped, LATER), **self.kwargs})
        self._expand_called = False
        return super().expand_kwargs(kwargs, strict=strict)

    def _known(self) -> dict[str, Any]:
        return {**default_args(self.kwargs), **self.kwargs}


def _require_distinct(tasks: Sequence[Mapping[str, Any]]) -> None:
    documents: dict[tuple[str, str], Any] = {}
    for task in tasks:
        place = _place(task)
        if place and documents.setdefault(place, task.get("ocr_task_id")) != task.get("ocr_task_id"):
            raise _error(place[0])
