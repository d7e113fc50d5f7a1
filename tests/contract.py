# SPDX-License-Identifier: Apache-2.0
"""Reads ``docs/contract.md``, and makes a whole run fail in which a test that the page names did not run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
PAGE = PROJECT / "docs" / "contract.md"
RUNS = ("not long", "long")
"""What `make test` and `make test-long` select; together they are all tests."""

_NARROWING = ("keyword", "collectonly", "deselect", "ignore", "lf", "stepwise")
_HEADING = re.compile(r"^##+ (?P<number>\d(?:\.\d)?)\.? ")
_TEST = re.compile(r"`(tests/[^`]+\.py::test_\w+)`")
_CELLS = 4


@dataclass(frozen=True, slots=True)
class Row:
    """One promise of the contract.

    :param section: the number of its heading, such as ``2.1``.
    :param name: what it is about; unique within its section.
    :param tests: the node IDs of the tests that prove it, without their parameters.
    :param untested: the reasons that it gives for having no test, on either side.
    """

    section: str
    name: str
    tests: tuple[str, ...]
    untested: tuple[str, ...]


def rows() -> Iterator[Row]:
    """The rows of the page, in its order.

    :raises ValueError: for a row with another number of cells than the tables have.
    """
    section = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if heading := _HEADING.match(line):
            section = heading["number"]
        elif line.startswith("| ") and not line.startswith(("| Row |", "| --- |")):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if len(cells) != _CELLS:
                raise ValueError(f"{PAGE.name}: this row has {len(cells)} cells and not {_CELLS}: {line}")
            sides = cells[2:]
            untested = tuple(side.removeprefix("No test: ") for side in sides if side.startswith("No test"))
            yield Row(section, cells[0], tuple(_TEST.findall(" ".join(sides))), untested)


@cache
def marks(file: str) -> dict[str, frozenset[str]]:
    """The tests of a file, each with the names of its marks and its module's; none if there is no file."""
    path = PROJECT / file
    if not path.is_file():
        return {}
    module = ast.parse(path.read_text(encoding="utf-8"))
    everywhere = {
        mark
        for statement in module.body
        if isinstance(statement, ast.Assign) and "pytestmark" in map(ast.unparse, statement.targets)
        for mark in _marks(statement.value)
    }
    return {
        function.name: frozenset(everywhere.union(*map(_marks, function.decorator_list)))
        for function in module.body
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name.startswith("test_")
    }


def _marks(tree: ast.expr) -> set[str]:
    """``pytest.mark.x`` and ``pytest.mark.x(...)``, wherever in an expression they stand."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pytest.mark"
    }


class RowsAreProven:
    """Notes which of some tests ran, and lets a run fail in which one of them did not.

    :param tests: the node IDs, without their parameters. One case that ran is enough.
    """

    def __init__(self, tests: frozenset[str]) -> None:
        self.missing = set(tests)

    @classmethod
    def of(cls, config: pytest.Config) -> RowsAreProven | None:
        """What to note in this run; None unless it is a whole one, in the process that sees all of it."""
        option = config.option
        is_whole = (
            config.args_source is pytest.Config.ArgsSource.TESTPATHS
            and option.markexpr in RUNS
            and not any(getattr(option, name, None) for name in _NARROWING)
        )
        if hasattr(config, "workerinput") or not is_whole:
            return None
        is_long_run = option.markexpr == "long"
        named = {test for row in rows() for test in row.tests}
        return cls(frozenset(test for test in named if _is_long(test) == is_long_run))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test whose body was run."""
        if report.when == "call" and not report.skipped:
            self.missing.discard(report.nodeid.partition("[")[0])

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail if all else was well."""
        if exitstatus == pytest.ExitCode.OK and self.missing:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """Say which tests are missing, where nothing else went wrong that explains it."""
        if exitstatus == pytest.ExitCode.OK and self.missing:
            terminalreporter.section(f"{PAGE.name} names these tests, and they did not run", red=True)
            for test in sorted(self.missing):
                terminalreporter.line(test)


def _is_long(test: str) -> bool:
    file, _, name = test.partition("::")
    return "long" in marks(file).get(name, frozenset())
