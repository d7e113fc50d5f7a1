# SPDX-License-Identifier: Apache-2.0
"""All files of all tasks: images, the pages recognised so far, and the results of each run.

A file is kept for good before anybody is told of it, and the results of a run are looked at only once the
database names that run. So whatever a crash leaves half done is never seen; `clear_up` removes it from the
local folder, and elsewhere whoever compares `owners` and `runs` with the database.
What a task had is gone when `delete` returns.
"""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pendulum

from airflow_provider_ocr.protocol.vocabulary import ExportFormat
from airflow_provider_ocr.server.files.storage import (
    FolderStorage,
    Storage,
    StoredFile,
    checked_key,
    is_key,
    open_plain,
    plain_files,
    remove,
    remove_empty,
)

_IMAGES, _PAGES, _RESULTS = "images", "pages", "results"
_OWNER = "database-identity"
_LISTINGS_AT_ONCE = 8


class OtherOwnerError(Exception):
    """The storage is marked as that of another database; its name is the only argument."""


class ResultFiles:
    """The files of all tasks. Every method may wait for a disk or a network.

    :param folder: a local folder that is this server's own.
    :param storage: where files lie for good; the local folder unless given.
    """

    def __init__(self, folder: Path, *, storage: Storage | None = None) -> None:
        self._incoming = folder / "incoming"
        self._work = folder / "work"
        for directory in (self._incoming, self._work):
            directory.mkdir(parents=True, exist_ok=True)
        self._own = storage is None
        self._storage = storage or FolderStorage(folder)
        self._replaced: dict[str, list[str]] = {}

    def claim(self, owner: str) -> None:
        """Mark the storage as an owner's, unless it is marked. The local folder needs no mark.

        :param owner: who may delete what is nobody's there: a database's identity.
        :raises OtherOwnerError: if it is marked as another's.
        """
        if self._own:
            return
        try:
            marked = self._owner()
        except FileNotFoundError:
            with self.incoming() as mark:
                mark.write_text(owner)
                self._storage.put({_OWNER: mark})
            # Another server may have done the same at this moment.
            marked = self._owner()
        if marked != owner:
            raise OtherOwnerError(str(self._storage))

    def _owner(self) -> str:
        with self._storage.open(_OWNER) as mark:
            return mark.read(0, mark.size).decode(errors="replace")

    @contextmanager
    def incoming(self) -> Iterator[Path]:
        """Where an image may be written to until `keep` takes it; gone afterwards if that did not happen."""
        path = self._incoming / uuid.uuid4().hex
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def keep(self, incoming: Path, ocr_task_id: str, number: int = 1) -> None:
        """Make a file that came in a task's image, for good when this returns.

        :param number: which of the task's images it is, counted from 1; one that is there is replaced.
        """
        self._storage.put({_key(_IMAGES, ocr_task_id, str(number)): incoming})

    @contextmanager
    def local_images(self, ocr_task_id: str, count: int) -> Iterator[tuple[Path, ...]]:
        """A task's images as local files, to be read and not to be changed.

        :raises FileNotFoundError: if one is not there.
        """
        keys = [_key(_IMAGES, ocr_task_id, str(number + 1)) for number in range(count)]
        places = [self._storage.local(key) for key in keys]
        found = tuple(place for place in places if place is not None)
        if len(found) == count:
            for image in found:
                open_plain(image).close()
            yield found
            return
        folder = self._work_folder(ocr_task_id, _IMAGES, uuid.uuid4().hex)
        try:
            folder.mkdir(parents=True)
            copies = {key: folder / key.rpartition("/")[2] for key in keys}
            self._storage.fetch(copies)
            yield tuple(copies.values())
        finally:
            remove(folder)
            self._tidy(ocr_task_id)

    def pages_folder(self, ocr_task_id: str, recognition: str) -> Path:
        """A local folder with the pages that have been recognised so far, to which more may be added.

        :param recognition: what settings they were recognised with.
        """
        key = _key(_PAGES, ocr_task_id, recognition)
        folder = self._storage.local(key)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            return folder
        folder = self._work_folder(ocr_task_id, _PAGES, recognition)
        folder.mkdir(parents=True, exist_ok=True)
        # Those that are only half fetched when something happens have names that are no page's.
        missing = self._storage.files(key).keys() - {page.name for page in plain_files(folder)}
        self._storage.fetch({_key(key, name): folder / f".{name}" for name in missing})
        for name in missing:
            (folder / f".{name}").replace(folder / name)
        return folder

    def keep_pages(self, ocr_task_id: str, recognition: str) -> None:
        """Keep what was added to the pages folder, for good when this returns. A page never changes."""
        key = _key(_PAGES, ocr_task_id, recognition)
        in_place = self._storage.local(key)
        # Those that lie in their places are still to be forced to the disk.
        kept = self._storage.files(key) if in_place is None else {}
        pages = plain_files(in_place or self._work_folder(ocr_task_id, _PAGES, recognition))
        self._storage.put(
            {_key(key, page.name): page for page in pages if kept.get(page.name) != page.lstat().st_size}
        )

    def release(self, ocr_task_id: str) -> None:
        """Remove the local copies of a task's pages, when this server does not work on them any more.

        Where pages are kept in the local folder itself there are no copies.
        """
        remove(self._work_folder(ocr_task_id, _PAGES))
        self._tidy(ocr_task_id)

    def new_run(self, ocr_task_id: str, run: str) -> Path:
        """An empty local folder to export into.

        :param run: its name, never used before.
        """
        folder = self._work_folder(ocr_task_id, _RESULTS, run)
        remove(folder)
        folder.mkdir(parents=True)
        return folder

    def publish(self, ocr_task_id: str, run: str) -> None:
        """Keep the files of a run, for good when this returns. Nobody looks at them before it is named."""
        others = [name for name in self._storage.names(_key(_RESULTS, ocr_task_id)) if name != run]
        folder = self._work_folder(ocr_task_id, _RESULTS, run)
        self._storage.put(
            {_key(_RESULTS, ocr_task_id, run, result.name): result for result in plain_files(folder)}
        )
        remove(folder)
        self._tidy(ocr_task_id)
        self._replaced[run] = others

    def discard_run(self, ocr_task_id: str, run: str) -> None:
        """Remove a run that was not, or will not be, named in the database."""
        self._replaced.pop(run, None)
        remove(self._work_folder(ocr_task_id, _RESULTS, run))
        self._tidy(ocr_task_id)
        self._storage.delete(_key(_RESULTS, ocr_task_id, run))

    def drop_other_runs(self, ocr_task_id: str, run: str) -> None:
        """Remove the runs that a run has replaced, after the database names it.

        Those are the ones that were there when it was published, with the lease in hand. One that came later
        may be the next to be named.
        """
        for other in self._replaced.pop(run, []):
            self._storage.delete(_key(_RESULTS, ocr_task_id, other))

    def open_result(
        self, ocr_task_id: str, run: str, position: int, export_format: ExportFormat
    ) -> StoredFile:
        """Open a result; ``position`` counts the export formats from 1.

        :raises FileNotFoundError: if it is not there.
        """
        name = f"result{position}.{export_format.file_type.extension}"
        return self._storage.open(_key(_RESULTS, ocr_task_id, run, name))

    def delete_images(self, ocr_task_id: str) -> None:
        """Remove a task's images and what was recognised on them, and leave its results."""
        for kind in (_IMAGES, _PAGES):
            self._storage.delete(_key(kind, ocr_task_id))
            remove(self._work_folder(ocr_task_id, kind))
        self._tidy(ocr_task_id)

    def delete(self, ocr_task_id: str) -> None:
        """Remove everything that belongs to a task."""
        for kind in (_IMAGES, _PAGES, _RESULTS):
            self._storage.delete(_key(kind, ocr_task_id))
        remove(self._work_folder(ocr_task_id))

    def clear_up(self, *, runs: Mapping[str, str | None], everything_else: bool) -> None:
        """Remove what a stopped server left half done; to be called before anything else.

        :param runs: the tasks whose files are to stay, and the run that the database names for each.
        :param everything_else: whether all other tasks' files and all other runs go from the storage too;
            not while another server uses it.
        """
        for leftover in (*self._incoming.iterdir(), *self._work.iterdir()):
            remove(leftover)
        if everything_else:
            for kind in (_IMAGES, _PAGES, _RESULTS):
                self._delete_others(kind, runs)
            folders = {_key(_RESULTS, name): {runs[name]} for name in self._storage.names(_RESULTS)}
            with ThreadPoolExecutor(_LISTINGS_AT_ONCE) as threads:
                for cleared in [threads.submit(self._delete_others, *item) for item in folders.items()]:
                    cleared.result()

    def owners(self) -> set[str]:
        """The IDs of all tasks that have files in the storage."""
        return {name for kind in (_IMAGES, _PAGES, _RESULTS) for name in self._storage.names(kind)}

    def runs(self, ocr_task_ids: Sequence[str]) -> dict[str, list[str]]:
        """The runs that each of these tasks has in the storage."""
        folders = [_key(_RESULTS, ocr_task_id) for ocr_task_id in ocr_task_ids]
        with ThreadPoolExecutor(_LISTINGS_AT_ONCE) as threads:
            found = [
                [name for name in names if is_key(name)]
                for names in threads.map(self._storage.names, folders)
            ]
        return dict(zip(ocr_task_ids, found, strict=True))

    def changed(self, ocr_task_id: str, run: str | None = None) -> pendulum.DateTime | None:
        """When the newest file of a task was put into the storage; None if there is none, or nobody can say.

        :param run: of this run only.
        """
        if run is not None:
            return self._storage.changed(_key(_RESULTS, ocr_task_id, run))
        times = [self._storage.changed(_key(kind, ocr_task_id)) for kind in (_IMAGES, _PAGES, _RESULTS)]
        return max((time for time in times if time is not None), default=None)

    def _delete_others(self, folder: str, names: Container[str | None]) -> None:
        for name in self._storage.names(folder):
            if name not in names:
                self._storage.delete(f"{folder}/{name}")

    def _work_folder(self, ocr_task_id: str, *names: str) -> Path:
        return self._work / _key(ocr_task_id, *names)

    def _tidy(self, ocr_task_id: str) -> None:
        """Leave no empty folders with a task's name."""
        folder = self._work_folder(ocr_task_id)
        for empty in (*(folder / kind for kind in (_IMAGES, _PAGES, _RESULTS)), folder):
            remove_empty(empty)


def _key(*parts: str) -> str:
    return checked_key("/".join(parts))
