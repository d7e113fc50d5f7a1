# SPDX-License-Identifier: Apache-2.0
"""ConcealingOperator: an operator whose arguments may hold secrets that only the service is to see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_provider_ocr.exceptions import CloudOcrParameterError
from airflow_provider_ocr.protocol.concealed import Concealed, reveal
from airflow_provider_ocr.protocol.redaction import (
    MASK,
    secrets_of_url,
    secrets_of_words,
    shown_url,
    spellings,
    without_url_secrets,
)
from airflow_provider_ocr.protocol.storage_path import (
    is_storage_path,
    secrets_of_storage_path,
    shown_storage_path,
)


@dataclass(frozen=True, slots=True)
class Concealment:
    """How an argument is kept from those who have no need of it.

    :param shown: what may be seen of a text.
    :param secrets: what in it nobody may see, in all its spellings.
    """

    shown: Callable[[str], str]
    secrets: Callable[[str], tuple[str, ...]]


URL = Concealment(shown=shown_url, secrets=secrets_of_url)
PATH = Concealment(shown=shown_storage_path, secrets=secrets_of_storage_path)
SOURCE = Concealment(
    shown=lambda text: (PATH if is_storage_path(text) else URL).shown(text),
    secrets=lambda text: (PATH if is_storage_path(text) else URL).secrets(text),
)
WORDS = Concealment(shown=without_url_secrets, secrets=secrets_of_words)
PASSWORD = Concealment(shown=lambda _: MASK, secrets=lambda text: spellings([text]))


class ConcealingOperator(BaseOperator):
    """Keeps some of its arguments as `protocol.concealed.Concealed`.

    Airflow's tables, lineage and debuggers see no more than that. Airflow is told to mask the secrets, too,
    as soon as templates are rendered, for the sake of code that reveals them and repeats them in an error.
    """

    concealments: ClassVar[Mapping[str, Concealment]] = {}
    """By the argument's name."""

    concealed_entries: ClassVar[Mapping[str, Mapping[str, Concealment]]] = {}
    """By the name of an argument that is a dict, and by the key in it."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Conceal what may hold a secret, whoever sets it: the constructor, a rendering, a mapping."""
        concealment = self.concealments.get(name)
        entries = self.concealed_entries.get(name, {})
        if concealment:
            value = _concealed(name, value, concealment)
        elif entries and isinstance(value, Mapping):
            value = {
                key: _concealed(f"{name}: {key}", entry, entries[key]) if key in entries else entry
                for key, entry in value.items()
            }
        super().__setattr__(name, value)

    def render_template(self, content: Any, *args: Any, **kwargs: Any) -> Any:
        """Render what a concealed text stands for; the result is concealed again as it is set."""
        return super().render_template(reveal(content), *args, **kwargs)

    def _do_render_template_fields(self, *args: Any, **kwargs: Any) -> None:
        """Render, and mask: here, where mapped operators come along, too, and no parsing of a DAG does."""
        try:
            super()._do_render_template_fields(*args, **kwargs)
        finally:
            self.mask_secrets()

    def mask_secrets(self) -> None:
        """Tell Airflow what to mask in other people's log lines."""
        from airflow.providers.common.compat.sdk import mask_secret

        secrets: set[str] = set()
        for value, concealment in self._concealed_arguments():
            if isinstance(value, Concealed):
                text = str(value.revealed)
                # The whole of it as well: a short secret, which Airflow leaves alone, is gone with the rest.
                secrets |= {*concealment.secrets(text), *spellings([text])}
        if secrets:
            mask_secret([*sorted(secrets)])

    def _concealed_arguments(self) -> Iterator[tuple[Any, Concealment]]:
        for name, concealment in self.concealments.items():
            yield getattr(self, name, None), concealment
        for name, entries in self.concealed_entries.items():
            given = getattr(self, name, None)
            if isinstance(given, Mapping):
                yield from ((given.get(key), concealment) for key, concealment in entries.items())


def _concealed(name: str, value: Any, concealment: Concealment) -> Any:
    """What an operator keeps of an argument that may hold a secret.

    A reference to an XCom, which has no text yet, stays as it is.
    """
    if isinstance(value, list | tuple | set | dict | bytes):
        raise CloudOcrParameterError(
            f"{name}: a {type(value).__name__} was given, one text is needed; "
            "for several documents use expand()."
        )
    # Templates that render to Python objects make a number of a password of digits.
    text = str(value) if isinstance(value, int | float) else value
    # An ObjectStoragePath is known by its options: DAGs without one need not wait for the import.
    if not text or not (isinstance(text, str) or hasattr(text, "storage_options")):
        return text
    shown = concealment.shown(str(text))
    return text if shown == str(text) else Concealed(shown=shown, revealed=text)
