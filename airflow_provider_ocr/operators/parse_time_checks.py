# SPDX-License-Identifier: Apache-2.0
"""Judges the arguments of ProcessRemoteImageOperator that are known while a DAG file is parsed.

What only a run knows, which is templates, references to XComs and functions, is left to the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from airflow.sdk.definitions.mappedoperator import MappedOperator, OperatorPartial

from airflow_provider_ocr.hooks.cloud_ocr import airflow_errors
from airflow_provider_ocr.mapped_arguments import LATER, default_args, one_by_one
from airflow_provider_ocr.protocol.concealed import reveal
from airflow_provider_ocr.protocol.errors import InvalidParameterError
from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.source_url import SourceAccess, require_image, require_way
from airflow_provider_ocr.submitting import require_distinct_keys, require_key_of_each, terms_of
from airflow_provider_ocr.templates import is_later
from airflow_provider_ocr.waiting import check_waiting

if TYPE_CHECKING:
    from airflow.sdk.definitions._internal.expandinput import (
        OperatorExpandArgument,
        OperatorExpandKwargsArgument,
    )

MAX_OWN_DESCRIPTION_LENGTH = 224
"""Characters of the API's 255 that the key of a submission leaves to the author."""

SETTINGS = tuple(ProcessingSettings.__dataclass_fields__)
"""The names of the operator's arguments that are the service's settings."""


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse what no run can make right.

    :param arguments: some or all of the operator's, by name; those that are no settings, say not how to
        wait, and are not ``source`` or ``source_access``, are passed over.
    :raises CloudOcrParameterError: for a value that the service does not take, or two that contradict
        each other.
    """
    given = {name: reveal(value) for name, value in arguments.items()}
    check_waiting(given)
    terms_of(given)
    with airflow_errors():
        if "source" in given and not is_later(given["source"]):
            require_image(given["source"])
        if "source_access" in given and not is_later(given["source_access"]):
            access = SourceAccess.parse(given["source_access"])
            if "source" in given and not is_later(given["source"]):
                require_way(require_image(given["source"]), access)
        _require_room(given.get("description"))
        ProcessingSettings.check(
            is_later=is_later, **{name: given[name] for name in SETTINGS if name in given}
        )


def _require_room(description: Any) -> None:
    if description is None or is_later(description) or not str(description).strip():
        return
    length = len(str(description))
    if length > MAX_OWN_DESCRIPTION_LENGTH:
        raise InvalidParameterError(
            "description",
            f"{length} characters are too long, at most {MAX_OWN_DESCRIPTION_LENGTH} are allowed: the rest "
            "of the service's 255 is needed to find the task again after a crash.",
        )


class CheckedPartial(OperatorPartial):
    """What `partial` gives; its arguments are judged with those of `expand` and `expand_kwargs`."""

    @classmethod
    def of(cls, partial: OperatorPartial) -> Self:
        """The same, judged.

        :param partial: as Airflow made it.
        :raises CloudOcrParameterError: if one of its literals is not the service's.
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
        still_to_come = dict.fromkeys(set(SETTINGS) - partial.kwargs.keys(), LATER)
        check_arguments({**still_to_come, **default_args(partial.kwargs), **partial.kwargs})
        require_key_of_each(partial.kwargs)
        checked._expand_called = False
        return checked

    def expand(self, **mapped_kwargs: OperatorExpandArgument) -> MappedOperator:
        """As Airflow's, and each literal value is judged.

        :param mapped_kwargs: values of an argument, by its name.
        :raises CloudOcrParameterError: if a literal is not the service's.
        """
        self._expand_called = True  # Airflow warns of one that is refused, and so not expanded
        self._check(one_by_one(mapped_kwargs))
        if "idempotency_key" not in mapped_kwargs:
            require_key_of_each(default_args(self.kwargs))
        keys = mapped_kwargs.get("idempotency_key")
        require_distinct_keys(keys if isinstance(keys, Sequence) else ())
        self._expand_called = False
        return super().expand(**mapped_kwargs)

    def expand_kwargs(self, kwargs: OperatorExpandKwargsArgument, *, strict: bool = True) -> MappedOperator:
        """As Airflow's, and each literal value is judged.

        :param kwargs: the arguments of each task.
        :param strict: whether an argument of `partial` may not be given again.
        :raises CloudOcrParameterError: if a literal is not the service's.
        """
        literal = kwargs if isinstance(kwargs, Sequence) else ()
        self._expand_called = True
        tasks = [item for item in literal if isinstance(item, Mapping)]
        self._check(tasks)
        defaults = default_args(self.kwargs)
        require_distinct_keys([{**defaults, **item}.get("idempotency_key") for item in tasks])
        self._expand_called = False
        return super().expand_kwargs(kwargs, strict=strict)

    def _check(self, mapped: Iterable[Mapping[str, Any]]) -> None:
        for arguments in mapped:
            check_arguments({**default_args(self.kwargs), **self.kwargs, **arguments})
