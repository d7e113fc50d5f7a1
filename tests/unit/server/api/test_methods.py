# SPDX-License-Identifier: Apache-2.0
"""Every method is found by its name in any case, and nothing else is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.server.conftest import Server


NAMES = (
    *("processRemoteImage", "processImage", "submitImage", "processDocument", "getTaskStatus"),
    *("listTasks", "listFinishedTasks", "deleteTask", "getApplicationInfo"),
)
# Which names there are, no database has a part in.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_methods_are_found_in_any_case(server: Server) -> None:
    for name in NAMES:
        assert server.methods.find(name) is not None
        assert server.methods.find(name.upper()) == server.methods.find(name.lower())
        assert server.methods.find(name.lower()) == server.methods.find(name)


def test_what_is_no_method_is_not_found(server: Server) -> None:
    for name in ("", "process", "getTaskStatus ", "__init__", "find", "processFields"):
        assert server.methods.find(name) is None


def test_two_methods_take_an_image_and_those_that_bring_one_in_need_room(server: Server) -> None:
    methods = {name: server.methods.find(name) for name in NAMES}
    taking = {name for name, method in methods.items() if method and method.takes_image}
    needing = {name for name, method in methods.items() if method and method.needs_room}
    assert taking == {"processImage", "submitImage"}
    assert needing == {"processRemoteImage", "processImage", "submitImage"}
