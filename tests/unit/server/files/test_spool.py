# SPDX-License-Identifier: Apache-2.0
"""Nothing is accepted while the spool is full or the disk nearly so, and to ask costs nothing."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_ocr.server.files.spool import Spool, SpoolFullError, SpoolLevel, room_on_disk

FREE = 1000


class Measured:
    """A spool in a folder on a disk with 1000 free bytes.

    :param folder: the data folder.
    """

    def __init__(self, folder: Path) -> None:
        self.incoming = folder / "incoming"
        self.incoming.mkdir()
        self.held = 0
        self.measurements = 0
        self._folder = folder

    def spool(self, **options: Any) -> Spool:
        given = {"budget_bytes": 500, "min_free_bytes": 100, "valid_seconds": 0.0, **options}
        return Spool(self._folder, held_bytes=self._count, **given)

    def _count(self) -> int:
        self.measurements += 1
        return self.held


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Measured:
    """A spool's surroundings."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=FREE))
    return Measured(tmp_path)


@pytest.mark.parametrize(
    ("held", "incoming", "expected", "full"),
    [
        (0, 0, 0, False),
        (499, 0, 0, False),
        (500, 0, 0, True),
        (0, 499, 0, False),
        (0, 500, 0, True),
        (250, 250, 0, True),
        (250, 200, 0, False),
        (0, 0, 499, False),
        (0, 0, 500, True),
        # What has arrived of that which is expected is expected no more.
        (200, 200, 299, False),
        (200, 200, 300, True),
        (200, 299, 200, False),
    ],
)
def test_a_budget_is_kept(*, held: int, incoming: int, expected: int, full: bool, measured: Measured) -> None:
    measured.held = held
    for number in range(2):
        (measured.incoming / str(number)).write_bytes(bytes(incoming // 2 + number * (incoming % 2)))
    spool = measured.spool()
    if full:
        with pytest.raises(SpoolFullError, match="as many unfinished images as it has room for") as refused:
            spool.room(expected_bytes=expected)
        assert 0 < refused.value.retry_after_seconds < 300
        assert refused.value.reason == str(refused.value)
    else:
        spool.room(expected_bytes=expected)


@pytest.mark.parametrize(
    ("watermark", "incoming", "expected", "full"),
    [
        (FREE, 0, 0, False),
        (FREE + 1, 0, 0, True),
        (FREE - 100, 0, 100, False),
        (FREE - 100, 0, 101, True),
        # What has arrived is on the disk already.
        (FREE, 100, 0, False),
        (FREE - 100, 100, 200, False),
        (FREE - 100, 100, 201, True),
    ],
)
def test_the_disk_is_not_filled(
    *, watermark: int, incoming: int, expected: int, full: bool, measured: Measured
) -> None:
    (measured.incoming / "image").write_bytes(bytes(incoming))
    spool = measured.spool(min_free_bytes=watermark)
    if full:
        with pytest.raises(SpoolFullError, match="The disk of the server is nearly full") as refused:
            spool.room(expected_bytes=expected)
        assert 0 < refused.value.retry_after_seconds <= 300
    else:
        spool.room(expected_bytes=expected)


def test_a_real_disk_has_a_watermark(tmp_path: Path) -> None:
    (tmp_path / "incoming").mkdir()
    free = shutil.disk_usage(tmp_path).free
    Spool(tmp_path, budget_bytes=1, min_free_bytes=free // 2, held_bytes=lambda: 0).room()
    with pytest.raises(SpoolFullError, match="disk"):
        Spool(tmp_path, budget_bytes=1, min_free_bytes=free * 2, held_bytes=lambda: 0).room()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_turns_out_to_be_full_is_a_spool_without_room(number: int) -> None:
    with (
        pytest.raises(SpoolFullError, match="The disk of the server is nearly full") as refused,
        room_on_disk(),
    ):
        raise OSError(number, "the disk is full")
    assert 0 < refused.value.retry_after_seconds <= 300


def test_another_fault_of_the_disk_stays_what_it_is() -> None:
    with pytest.raises(OSError, match="worn out") as raised, room_on_disk():
        raise OSError(errno.EIO, "worn out")
    assert raised.value.errno == errno.EIO


def test_asking_again_does_not_measure_again(measured: Measured) -> None:
    spool = measured.spool(valid_seconds=60)
    for _ in range(1000):
        spool.room()
    measured.held = 500
    spool.room()
    assert measured.measurements == 1


def test_a_measurement_does_not_count_for_ever(measured: Measured) -> None:
    spool = measured.spool()
    spool.room()
    measured.held = 500
    with pytest.raises(SpoolFullError):
        spool.room()


def test_what_was_measured_can_be_told(measured: Measured) -> None:
    measured.held = 7
    (measured.incoming / "image").write_bytes(b"12345")
    assert measured.spool().level() == SpoolLevel(held=7, incoming=5, free=FREE)


def test_a_spool_that_could_not_be_measured_is_measured_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path, budget_bytes=1, min_free_bytes=0, held_bytes=lambda: 0)
    with pytest.raises(FileNotFoundError):
        spool.room()
    (tmp_path / "incoming").mkdir()
    spool.room()
