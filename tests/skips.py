# SPDX-License-Identifier: Apache-2.0
"""Lets a run fail that skipped something, where everything that tests need is to be there."""

from __future__ import annotations

import os

import pytest

VARIABLE = "CLOUD_OCR_TESTS_SKIP_NONE"
"""Set to anything, it makes a skipped test a failure; continuous integration sets it."""


class NothingIsSkipped:
    """Notes what was skipped, and lets a run fail in which something was."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    @classmethod
    def of(cls, config: pytest.Config) -> NothingIsSkipped | None:
        """What to note in this run; None unless it matters, in the process that sees all of it."""
        return cls() if os.environ.get(VARIABLE) and not hasattr(config, "workerinput") else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that was skipped; one that was expected to fail, and did, was not."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that was skipped."""
        if report.skipped:
            self.skipped.append(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Fail if all else was well."""
        if exitstatus == pytest.ExitCode.OK and self.skipped:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say that this is why."""
        if self.skipped:
            terminalreporter.section(f"{VARIABLE} is set, and these were skipped", red=True)
            for test in sorted(self.skipped):
                terminalreporter.line(test)
