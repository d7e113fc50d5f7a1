# SPDX-License-Identifier: Apache-2.0
"""What it costs to import our operators, beside two official providers', on top of ``airflow.sdk``.

    python -m benchmarks.import_time            five minutes; renews docs/benchmarks.md
    python -m benchmarks.import_time --quick    two rounds, for a first look; writes nothing

All three are installed into an environment that is made for this and thrown away. Each measurement is a
process of its own, and the rounds are interleaved, so that what else the machine does hits all alike. The
exit status is 1 if one of ours costs more than it may, or loads a package that the SDK has not loaded.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from uv import find_uv_bin

from benchmarks.report import aligned_table, machine, write_between_markers
from demo.processes import clean_environment

_PROJECT = Path(__file__).parents[1]
_PAGE = _PROJECT / "docs" / "benchmarks.md"
_ROUNDS = 10
_QUICK_ROUNDS = 2
_BUDGET_MS = 40.0

_OURS: Mapping[str, str] = MappingProxyType(
    {
        "ProcessRemoteImageOperator": "airflow_provider_ocr.operators.cloud_ocr",
        "CloudOcrTaskSensor": "airflow_provider_ocr.sensors.cloud_ocr",
        "CloudOcrToObjectStorageOperator": "airflow_provider_ocr.transfers.cloud_ocr_to_object_storage",
    }
)
_OFFICIAL: Mapping[str, str] = MappingProxyType(
    {
        "DbtCloudRunJobOperator": "airflow.providers.dbt.cloud.operators.dbt",
        "DbtCloudJobRunSensor": "airflow.providers.dbt.cloud.sensors.dbt",
        "HttpOperator": "airflow.providers.http.operators.http",
        "HttpSensor": "airflow.providers.http.sensors.http",
    }
)
_PACKAGES = ("apache-airflow-providers-dbt-cloud", "apache-airflow-providers-http")

# Everything but the import itself is imported before the clock starts.
_PROBE = """
import importlib, json, sys, time
from airflow.sdk import DAG
before = set(sys.modules)
start = time.perf_counter()
module = importlib.import_module(sys.argv[1])
milliseconds = (time.perf_counter() - start) * 1000
assert hasattr(module, sys.argv[2])
added = set(sys.modules) - before
known = {name.partition(".")[0] for name in before} | set(sys.stdlib_module_names)
packages = {name.partition(".")[0] for name in added} - known - {"airflow_provider_ocr"}
print(json.dumps([milliseconds, len(added), sorted(packages)]))
"""


@dataclass(slots=True)
class Cost:
    """What one import costs.

    :param milliseconds: one figure a round.
    :param modules: how many modules it adds to those of the SDK.
    :param packages: what it loads that the SDK has not loaded.
    """

    milliseconds: list[float] = field(default_factory=list)
    modules: int = 0
    packages: Sequence[str] = ()

    @property
    def is_within_budget(self) -> bool:
        """Whether one of ours may cost that much."""
        return statistics.median(self.milliseconds) <= _BUDGET_MS and not self.packages


def _install(folder: Path) -> Path:
    """An environment with all three providers; gives its interpreter."""
    python = folder / "bin" / "python"
    constraints = ("--constraint", str(_PROJECT / "constraints.txt"))
    _uv("venv", "--quiet", "--python", sys.executable, str(folder))
    _uv("pip", "install", "--quiet", "--python", str(python), *constraints, str(_PROJECT), *_PACKAGES)
    return python


def _uv(*arguments: str) -> None:
    subprocess.run([find_uv_bin(), *arguments], env=clean_environment(), check=True)  # noqa: S603 - uv itself


def _measure(python: Path, home: Path, rounds: int) -> dict[str, Cost]:
    costs = {name: Cost() for name in (*_OURS, *_OFFICIAL)}
    for number in range(rounds + 1):
        _say(f"round {number} of {rounds}" if number else "warming up")
        for name, module in {**_OURS, **_OFFICIAL}.items():
            milliseconds, modules, packages = _probe(python, home, module, name)
            if number:  # the first round compiles the modules
                costs[name].milliseconds.append(milliseconds)
                costs[name].modules, costs[name].packages = modules, packages
    return costs


def _probe(python: Path, home: Path, module: str, name: str) -> tuple[float, int, list[str]]:
    environment = {**clean_environment(), "AIRFLOW_HOME": str(home)}
    done = subprocess.run(  # noqa: S603 - the environment's own interpreter
        [str(python), "-c", _PROBE, module, name],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    milliseconds, modules, packages = json.loads(done.stdout.splitlines()[-1])
    return milliseconds, modules, packages


def _table(costs: Mapping[str, Cost]) -> str:
    cells = [("import", "provider", "best", "median", "modules", "packages", "verdict")]
    for name, cost in costs.items():
        verdict = "" if name in _OFFICIAL else "met" if cost.is_within_budget else "MISSED"
        cells.append(
            (
                f"`{name}`",
                _provider(name),
                f"{min(cost.milliseconds):.0f} ms",
                f"{statistics.median(cost.milliseconds):.0f} ms",
                str(cost.modules),
                str(len(cost.packages)),
                verdict,
            )
        )
    return aligned_table(cells)


def _provider(name: str) -> str:
    if name in _OURS:
        return "this one"
    return "dbt-cloud" if "dbt" in _OFFICIAL[name] else "http"


def _report(costs: Mapping[str, Cost], python: Path, rounds: int) -> str:
    shown = ("apache-airflow", *_PACKAGES)
    probe = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    done = subprocess.run(  # noqa: S603 - the environment's own interpreter
        [str(python), "-c", probe, *shown], capture_output=True, text=True, check=True
    )
    versions = ", ".join(" ".join(pair) for pair in zip(shown, done.stdout.split(), strict=True))
    sentences = [
        f"`python -m benchmarks.import_time` on {machine()}; {versions}.",
        "Milliseconds, modules and third-party packages that an import adds to `from airflow.sdk import DAG`",
        f"in a fresh process each time; {rounds} interleaved rounds after one that compiles.",
        f"Target for ours: a median of at most {_BUDGET_MS:.0f} ms, and no package.",
    ]
    loaded = sorted({package for cost in costs.values() for package in cost.packages})
    closing = textwrap.wrap(f"The packages that are loaded: {', '.join(loaded)}.", 120)
    return "\n".join(
        [*textwrap.wrap(" ".join(sentences), 120, break_on_hyphens=False), "", _table(costs), "", *closing]
    )


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)  # noqa: T201 - it talks to whoever waits for it


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit status is 1 if one of our imports misses its target."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.import_time", description=__doc__)
    parser.add_argument("--rounds", type=int, default=_ROUNDS, metavar="N", help="10 by default")
    parser.add_argument("--quick", action="store_true", help="a small run that writes nothing")
    options = parser.parse_args(arguments)
    rounds = _QUICK_ROUNDS if options.quick else options.rounds
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "airflow"
        home.mkdir()
        _say("installing the three providers")
        python = _install(Path(folder) / "environment")
        costs = _measure(python, home, rounds)
        report = _report(costs, python, rounds)
    print(report)  # noqa: T201 - this is what the command is for
    if not options.quick:
        write_between_markers(_PAGE, "import_time", report)
    return 0 if all(costs[name].is_within_budget for name in _OURS) else 1


if __name__ == "__main__":
    sys.exit(main())
