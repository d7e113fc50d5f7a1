# SPDX-License-Identifier: Apache-2.0
"""Pages drawn with known text at known places, pages as recognition would give them, and the server's parts
without its workers: real store, files and methods, and HTTP in front of them.
"""

from __future__ import annotations

import re
import socket
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pendulum
import pytest
import requests
import sqlalchemy as sa
import uvicorn
from PIL import Image, ImageDraw, ImageFont

from airflow_provider_ocr.protocol.settings import ProcessingSettings
from airflow_provider_ocr.protocol.task import OcrTask
from airflow_provider_ocr.protocol.vocabulary import ExportFormat, TaskStatus
from airflow_provider_ocr.server.accounts.accounts import Accounts
from airflow_provider_ocr.server.accounts.passwords import hash_password
from airflow_provider_ocr.server.api.api_endpoint import ApiEndpoint
from airflow_provider_ocr.server.api.app import create_app
from airflow_provider_ocr.server.api.call import Call, RejectedError
from airflow_provider_ocr.server.api.lenient_http import LenientHTTPProtocol
from airflow_provider_ocr.server.api.methods import ApiMethods
from airflow_provider_ocr.server.api.result_endpoint import ResultEndpoint
from airflow_provider_ocr.server.api.signing import UrlSigner
from airflow_provider_ocr.server.document import (
    Baseline,
    Block,
    BlockType,
    Box,
    Line,
    Page,
    Paragraph,
    Projection,
    Word,
    enclosing,
)
from airflow_provider_ocr.server.files.results import ResultFiles
from airflow_provider_ocr.server.files.spool import Spool
from airflow_provider_ocr.server.recognition.engine import Engine
from airflow_provider_ocr.server.recognition.support import supported
from airflow_provider_ocr.server.recognition.tessdata import Tessdata, gather_tessdata
from airflow_provider_ocr.server.records.applications import Applications
from airflow_provider_ocr.server.records.choices import Choices
from airflow_provider_ocr.server.records.database import Database
from airflow_provider_ocr.server.records.database import tasks as tasks_table
from airflow_provider_ocr.server.records.sealing import Sealer
from airflow_provider_ocr.server.records.store import HeldImage, Store, new_task_id
from airflow_provider_ocr.server.records.stored_task import StoredTask
from airflow_provider_ocr.server.records.work import Work
from airflow_provider_ocr.server.stored_image import StoredImage
from airflow_provider_ocr.server.workers.children import RecognitionChild
from airflow_provider_ocr.server.workers.measuring import Measuring
from tests.unit.server import scans

PASSWORDS = {"my app": "pass:word", "other": "secret"}
SOURCE = "https://example.com/scan.png?signature=canary-source"
SECRET = b"a secret of thirty-two bytes ...."
TEXT = "\ufeffDear reader,\nthis is a result.\n" * 100

LETTER = (
    "The quarterly report of the harbour office",
    "was sent to all members on 14 March 2026.",
    "It lists 318 ships and their cargo, among",
    "them coal, timber, wool and 27 tons of tin.",
    "Please return your comments by Friday.",
    "With kind regards, the secretary",
)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn page and where each of its words stands."""

    image: Image.Image
    words: tuple[tuple[str, Box], ...]

    @property
    def text(self) -> str:
        return " ".join(word for word, _ in self.words)

    def box_of(self, wanted: str) -> Box:
        return next(box for word, box in self.words if word == wanted)


@pytest.fixture(scope="session")
def draw() -> Callable[..., Drawing]:
    """Draws lines of text on a white page of 300 dpi."""

    def drawn(
        lines: Sequence[str] = LETTER,
        *,
        size: int = 44,
        width: int = 1500,
        height: int = 900,
        left: int = 150,
    ) -> Drawing:
        image = Image.new("L", (width, height), 255)
        pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=size)
        words = []
        for number, line in enumerate(lines):
            x, y = float(left), 120 + round(number * size * 1.7)
            for word in line.split():
                pen.text((x, y), word, font=font, fill=0)
                words.append((word, Box(*map(round, pen.textbbox((x, y), word, font=font)))))
                x += pen.textlength(word + " ", font=font)
        return Drawing(image, tuple(words))

    return drawn


@pytest.fixture(scope="session")
def tessdata(tmp_path_factory: pytest.TempPathFactory) -> Tessdata:
    """The data of the installed wheels."""
    return gather_tessdata(tmp_path_factory.mktemp("tessdata"))


@pytest.fixture(scope="session")
def engine(tessdata: Tessdata) -> Engine:
    """One engine for all tests."""
    return Engine(tessdata.folder)


@pytest.fixture(scope="session")
def make_line() -> Callable[..., Line]:
    """A line as the engine would give it: words with their left edge, 20 pixels to a letter, 30 high."""

    def made(
        *words: tuple[str, int], top: int = 100, confidence: int = 90, language: str = "English"
    ) -> Line:
        texts: list[str] = []
        edges: array[int] = array("i")
        made_words = []
        for text, left in words:
            box = Box(left, top, left + 20 * len(text), top + 30)
            made_words.append(Word(text, box, float(confidence), language, len(texts), len(text)))
            for place, character in enumerate(text):
                texts.append(character)
                edges.extend((left + 20 * place, top, left + 20 * place + 20, top + 30))
        box = enclosing([word.box for word in made_words])
        baseline = Baseline(box.left, top + 30, box.right, top + 30)
        return Line(tuple(made_words), box, baseline, tuple(texts), edges, bytes([confidence] * len(texts)))

    return made


@pytest.fixture(scope="session")
def make_page() -> Callable[..., Page]:
    """A page of 1000 x 1400 pixels with one text block for each sequence of lines."""

    def made(
        *blocks: Sequence[Line] | Block,
        number: int = 1,
        rotation: int = 0,
        to_original: Projection | None = None,
        image: Path | None = None,
        stored: StoredImage | None = None,
    ) -> Page:
        turned = rotation in (90, 270)
        return Page(
            number=number,
            original_width=1400 if turned else 1000,
            original_height=1000 if turned else 1400,
            original_dpi=100,
            width=1000,
            height=1400,
            dpi=100,
            rotation=rotation,
            skew=0.0,
            to_original=to_original or Projection(),
            blocks=tuple(block if isinstance(block, Block) else text_block(block) for block in blocks),
            image=image,
            stored=stored,
        )

    return made


def text_block(lines: Sequence[Line]) -> Block:
    return Block(BlockType.TEXT, enclosing([line.box for line in lines]), (Paragraph(tuple(lines)),))


class IdleWorkforce:
    """Takes tasks and does nothing with them."""

    def __init__(self) -> None:
        self.accepted: list[StoredTask] = []
        self.woken = 0

    def accept(self, task: StoredTask) -> None:
        self.accepted.append(task)

    def wake(self) -> None:
        self.woken += 1

    def seconds_until_done(self, task: StoredTask) -> int:
        return 7


class Tasks:
    """The tasks in a database, and the ways that bring them from one state to the next."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sealer = Sealer(SECRET)
        self.applications = Applications(database)
        self.store = Store(database, self.sealer)
        self.work = Work(database, self.sealer, server="here")

    def admit(self, *names: str, credits: int | None = None) -> None:  # noqa: A002 - the API's word
        """Let applications in that nobody can log in as."""
        for name in names:
            self.applications.add(name, "no password", credits=credits)

    def find(self, ocr_task_id: str) -> StoredTask:
        task = self.store.find(ocr_task_id)
        assert task is not None
        return task

    def set(self, ocr_task_id: str, **columns: Any) -> None:
        """Change columns of a task's row behind everybody's back."""
        with self.database.write() as connection:
            update = sa.update(tasks_table).where(tasks_table.c.id == ocr_task_id).values(columns)
            assert connection.execute(update).rowcount == 1

    def remote(self, application: str = "app", **settings: str) -> StoredTask:
        """A new task whose image is to be fetched."""
        parsed = ProcessingSettings.parse(export_format="txt", **settings)
        return self.store.add_remote(application=application, source=SOURCE, settings=parsed)

    def held(
        self, application: str = "app", *, pages: int = 1, start: bool = True, key: str = ""
    ) -> StoredTask:
        """A new task with an image that nobody wrote to disk: Queued or NotEnoughCredits, or Submitted."""
        return self.store.add_held(
            application=application,
            ocr_task_id=new_task_id(),
            image=HeldImage(size=100 * pages, pages=pages, billed_pages=pages),
            settings=ProcessingSettings.parse(export_format="txt"),
            start=start,
            key=key,
        )

    def image_fetched(self, ocr_task_id: str, *, pages: int = 1) -> None:
        """The image of a remote task has come: it is Queued, or NotEnoughCredits."""
        task = self.work.claim_source(ocr_task_id)
        assert task is not None
        assert self.work.fetched(task, HeldImage(size=100, pages=pages, billed_pages=pages))

    def claimed(self, ocr_task_id: str) -> StoredTask:
        """A Queued task is InProgress; no other may be queued."""
        task = self.work.claim()
        assert task is not None
        assert task.id == ocr_task_id
        return task

    def bring(self, ocr_task_id: str, status: TaskStatus, *, pages: int = 1) -> None:
        """Bring a task that processRemoteImage made to a state, through those before it."""
        if status is TaskStatus.SUBMITTED:
            return
        if status is TaskStatus.DELETED:
            assert self.store.delete(self.find(ocr_task_id))
            return
        if status is TaskStatus.NOT_ENOUGH_CREDITS:
            name = self.find(ocr_task_id).application
            left = self.applications.find(name)
            assert left is not None
            self.applications.credit(name, -(left.credits or 0))
        self.image_fetched(ocr_task_id, pages=pages)
        if status in (TaskStatus.QUEUED, TaskStatus.NOT_ENOUGH_CREDITS):
            return
        task = self.claimed(ocr_task_id)
        if status is TaskStatus.COMPLETED:
            assert self.work.complete(task, run="run-1", pages=pages, quality={"X-Ocr-Pages": str(pages)})
        if status is TaskStatus.PROCESSING_FAILED:
            assert self.work.fail(task, "The page is blank.")


class Backend:
    """The methods on a database and files of their own."""

    def __init__(
        self,
        folder: Path,
        *,
        tessdata: Tessdata,
        measuring: Measuring,
        database: Database,
        choices: Choices | None = None,
    ) -> None:
        self.tasks = Tasks(database)
        self.store = self.tasks.store
        self.applications = self.tasks.applications
        self.files = ResultFiles(folder)
        self.signer = UrlSigner(SECRET)
        self.workforce = IdleWorkforce()
        self.methods = ApiMethods(
            store=self.store,
            applications=self.applications,
            files=self.files,
            signer=self.signer,
            runners=self.workforce,
            measure=measuring.measure,
            require_supported=partial(supported, tessdata=tessdata),
            choices=choices,
        )


class Server:
    """A backend whose methods are called without HTTP."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.tasks = backend.tasks
        self.applications = backend.applications
        self.store = backend.store
        self.files = backend.files
        self.methods = backend.methods
        self.workforce = backend.workforce
        self.accepted = backend.workforce.accepted

    def answer(
        self,
        method: str,
        query: dict[str, str] | None = None,
        application: str = "app",
        *,
        image: bytes = b"",
    ) -> Any:
        """What a method answers to a request that may come with an image."""
        found = self.methods.find(method)
        assert found is not None
        lower = {name.lower(): value for name, value in (query or {}).items()}
        call = Call(application=application, query=lower, base_url="http://ocr.example")
        if not image:
            return found.answer(call)
        with self.files.incoming() as path:
            path.write_bytes(image)
            return found.answer(replace(call, image=path))

    def call(
        self,
        method: str,
        query: dict[str, str] | None = None,
        application: str = "app",
        *,
        image: bytes = b"",
    ) -> list[OcrTask]:
        """The tasks that a method answers."""
        return list(self.answer(method, query, application, image=image))

    def submit(self, application: str = "app", **query: str) -> OcrTask:
        """A new task of processRemoteImage."""
        given = {"source": SOURCE, "exportFormat": "txt", **query}
        (task,) = self.call("processRemoteImage", given, application)
        return task

    def refusal(
        self,
        method: str,
        query: dict[str, str] | None = None,
        application: str = "app",
        *,
        image: bytes = b"",
    ) -> str:
        """Why a method refuses."""
        with pytest.raises(RejectedError) as refused:
            self.answer(method, query, application, image=image)
        return str(refused.value)

    def task_in(self, status: TaskStatus, application: str = "app", **query: str) -> str:
        """The ID of a task that has come to this state."""
        ocr_task_id = self.submit(application, **query).id
        self.tasks.bring(ocr_task_id, status)
        return ocr_task_id

    def set_changed(self, ocr_task_id: str, time: pendulum.DateTime, column: str = "changed_ms") -> None:
        """Set when a task last changed."""
        self.tasks.set(ocr_task_id, **{column: int(time.timestamp() * 1000)})


class Site:
    """A backend that is served over HTTP.

    :param url: where.
    """

    def __init__(self, backend: Backend, url: str) -> None:
        self.backend = backend
        self.url = url

    def get(
        self, path: str, /, application: str | None = "my app", password: str = "", **query: str
    ) -> requests.Response:
        """The answer to an application, or to nobody."""
        auth = (application, password or PASSWORDS[application]) if application else None
        return requests.get(f"{self.url}/{path}", params=query, auth=auth, timeout=10)

    def upload(self) -> str:
        """The ID of a new task that waits with an image."""
        auth = ("my app", PASSWORDS["my app"])
        answer = requests.post(f"{self.url}/submitImage", data=scans.png(), auth=auth, timeout=10)
        (ocr_task_id,) = re.findall('<task id="([0-9a-f-]{36})"', answer.text)
        return str(ocr_task_id)

    def submit(self, **query: str) -> str:
        """The ID of a new task."""
        given = {"source": SOURCE, "exportFormat": "txt", **query}
        answer = self.get("processRemoteImage", "my app", "", **given)
        assert answer.status_code == 200, answer.text
        (ocr_task_id,) = re.findall('<task id="([0-9a-f-]{36})"', answer.text)
        return str(ocr_task_id)

    def complete(self, **query: str) -> str:
        """The ID of a task that is completed, its results TEXT in every format."""
        ocr_task_id = self.submit(**query)
        tasks, files = self.backend.tasks, self.backend.files
        tasks.image_fetched(ocr_task_id, pages=3)
        task = tasks.claimed(ocr_task_id)
        run = files.new_run(ocr_task_id, "run-1")
        for place, name in enumerate(query.get("exportFormat", "txt").split(","), start=1):
            extension = ExportFormat(name).file_type.extension
            (run / f"result{place}.{extension}").write_text(TEXT, encoding="utf-8")
        files.publish(ocr_task_id, "run-1")
        assert tasks.work.complete(task, run="run-1", pages=3, quality={"X-Ocr-Pages": "3"})
        return ocr_task_id

    def result_urls(self, ocr_task_id: str) -> list[str]:
        """Fresh URLs of a task's results."""
        task = ET.fromstring(self.get("getTaskStatus", taskId=ocr_task_id).content)[0]
        return [value for name, value in task.attrib.items() if name.startswith("resultUrl")]

    @staticmethod
    def check_error(answer: requests.Response, status: int, *said: str) -> None:
        """Assert that the answer is an error document in the form that clients of all languages read."""
        assert answer.status_code == status
        assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
        declaration = '<?xml version="1.0" encoding="utf-8"?>'
        assert answer.text.startswith(f'{declaration}<error><message language="english">')
        assert answer.text.endswith("</message></error>")
        assert "\n" not in answer.text
        message = ET.fromstring(answer.content)[0].text or ""
        for words in said or (" ",):
            assert words in message


@pytest.fixture(scope="session")
def measuring(tessdata: Tessdata) -> Iterator[Measuring]:
    """Measures images for all tests."""
    measuring = Measuring(partial(RecognitionChild, tessdata=tessdata.folder))
    yield measuring
    measuring.stop()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database, of each kind that the server works with."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def tasks(database: Database) -> Tasks:
    """The tasks in the database; ``app`` and ``other`` may have some."""
    tasks = Tasks(database)
    tasks.admit("app", "other")
    return tasks


@pytest.fixture
def make_backend(
    tmp_path: Path, tessdata: Tessdata, measuring: Measuring, database: Database
) -> Callable[..., Backend]:
    """A backend on ``tmp_path`` and the database, with the applications ``app`` and ``other``."""

    def made(choices: Choices | None = None) -> Backend:
        backend = Backend(
            tmp_path, tessdata=tessdata, measuring=measuring, database=database, choices=choices
        )
        backend.tasks.admit("app", "other")
        return backend

    return made


@pytest.fixture
def server(make_backend: Callable[..., Backend]) -> Server:
    """The methods without HTTP."""
    return Server(make_backend())


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, tessdata: Tessdata, measuring: Measuring
) -> Iterator[Site]:
    """A backend on the loopback address that the tests of a module share."""
    folder = tmp_path_factory.mktemp("data")
    database = Database.in_folder(folder)
    backend = Backend(folder, tessdata=tessdata, measuring=measuring, database=database)
    for name, password in PASSWORDS.items():
        backend.applications.add(name, hash_password(password))
    spool = Spool(folder, budget_bytes=2**40, min_free_bytes=0, held_bytes=backend.store.unprocessed_bytes)
    app = create_app(
        api=ApiEndpoint(
            accounts=Accounts(backend.applications.find),
            methods=backend.methods,
            spool=spool,
            files=backend.files,
        ),
        results=ResultEndpoint(store=backend.store, files=backend.files, signer=backend.signer),
        check=database.check,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # As run_server has it: uvicorn's own access log would print queries.
        config = uvicorn.Config(
            app, http=LenientHTTPProtocol, access_log=False, log_config=None, log_level="warning"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield Site(backend, f"http://127.0.0.1:{listener.getsockname()[1]}")
        server.should_exit = True
        thread.join()
    database.close()
