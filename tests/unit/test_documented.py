# SPDX-License-Identifier: Apache-2.0
"""Every public name of what others build on is explained where it is defined, down to each parameter."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import airflow_provider_ocr

PACKAGE = Path(airflow_provider_ocr.__file__).parent
FOLDERS = (
    *("protocol", "client", "hooks", "operators", "sensors", "triggers", "transfers", "lifecycle", "cli"),
)
MODULES = [
    PACKAGE / "exceptions.py",
    PACKAGE / "testing.py",
    *(path for name in FOLDERS for path in (PACKAGE / name).glob("*.py")),
]
NAMES = sorted(str(path.relative_to(PACKAGE)) for path in MODULES if path.name != "__init__.py")

# What every author of a DAG knows from Airflow itself is not explained again.
KNOWN = {"self", "cls", "kwargs", "context"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Public:
    """A public class, function or method.

    :param name: with the class that it is in.
    :param node: where it is defined.
    :param docstring: its own, or for a constructor also the class's.
    """

    name: str
    node: ast.ClassDef | Function
    docstring: str


def public_names(module: ast.Module) -> Iterator[Public]:
    """The classes and functions of a module, and the methods of its classes."""
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            whole = ast.get_docstring(node) or ""
            yield Public(node.name, node, whole)
            for inner in node.body:
                if isinstance(inner, Function) and inner.name == "__init__":
                    yield Public(f"{node.name}()", inner, whole + (ast.get_docstring(inner) or ""))
                elif isinstance(inner, Function) and not inner.name.startswith("_"):
                    yield Public(f"{node.name}.{inner.name}", inner, ast.get_docstring(inner) or "")
        elif isinstance(node, Function) and not node.name.startswith("_"):
            yield Public(node.name, node, ast.get_docstring(node) or "")


def fields_of(node: ast.ClassDef) -> Iterator[str]:
    """The fields of a dataclass that its constructor takes."""
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        for inner in node.body:
            is_field = isinstance(inner, ast.AnnAssign) and "ClassVar" not in ast.unparse(inner.annotation)
            if is_field and not (name := ast.unparse(inner.target)).startswith("_"):
                yield name


def module_of(name: str) -> str:
    """The name by which a file is imported."""
    return f"{PACKAGE.name}.{name.removesuffix('.py').replace('/', '.')}"


def inherited(name: str, public: Public) -> str:
    """What is said by the class and those that it is made from, which explain what they take."""
    kind = getattr(importlib.import_module(module_of(name)), public.name.removesuffix("()"))
    return public.docstring + "".join(inspect.getdoc(base) or "" for base in kind.__mro__)


def overrides_a_strangers(name: str, public: Public) -> bool:
    """Whether a method replaces one of Airflow's or requests', where its parameters are explained."""
    kind_name, _, method = public.name.partition(".")
    kind = getattr(importlib.import_module(module_of(name)), kind_name)
    bases = kind.__mro__[1:] if isinstance(kind, type) else ()
    return any(method in vars(base) for base in bases if not base.__module__.startswith(PACKAGE.name))


def taken_by(public: Public) -> Iterator[str]:
    """What a function or a method takes from whoever calls it; fixtures are called by pytest."""
    if isinstance(public.node, Function) and not public.name.endswith("()"):
        if any("fixture" in ast.unparse(decorator) for decorator in public.node.decorator_list):
            return
        arguments = public.node.args
        optional = filter(None, (arguments.vararg,))
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *optional):
            yield argument.arg


def parameters_of(public: Public) -> Iterator[str]:
    """What a constructor takes."""
    if isinstance(public.node, ast.ClassDef):
        yield from fields_of(public.node)
    elif public.name.endswith("()"):
        arguments = public.node.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            yield argument.arg


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_says_what_it_is(name: str) -> None:
    module = ast.parse((PACKAGE / name).read_text())
    assert ast.get_docstring(module)
    silent = [public.name for public in public_names(module) if not public.docstring.strip()]
    assert silent == []


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_of_a_public_constructor_is_explained(name: str) -> None:
    module = ast.parse((PACKAGE / name).read_text())
    unexplained = [
        f"{public.name}: {parameter}"
        for public in public_names(module)
        for parameter in parameters_of(public)
        if parameter not in KNOWN and f":param {parameter}:" not in inherited(name, public)
    ]
    assert unexplained == []


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_of_a_public_function_or_method_is_explained(name: str) -> None:
    module = ast.parse((PACKAGE / name).read_text())
    unexplained = [
        f"{public.name}: {parameter}"
        for public in public_names(module)
        for parameter in taken_by(public)
        if parameter not in KNOWN
        and f":param {parameter}:" not in public.docstring
        and not overrides_a_strangers(name, public)
    ]
    assert unexplained == []


def test_there_is_something_to_walk() -> None:
    assert {"exceptions.py", "client/client.py", "hooks/cloud_ocr.py", "protocol/settings.py"} <= set(NAMES)
    module = ast.parse("class A:\n    def __init__(self, x: int) -> None: ...\n    def f(self) -> None: ...")
    found = {public.name: list(parameters_of(public)) for public in public_names(module)}
    assert found == {"A": [], "A()": ["self", "x"], "A.f": []}
    taken = {
        public.name: list(taken_by(public))
        for public in public_names(
            ast.parse(
                "class A:\n    def f(self, x, *y, z): ...\n@pytest.fixture\ndef g(x): ...\ndef h(x): ..."
            )
        )
    }
    assert taken == {"A": [], "A.f": ["self", "x", "z", "y"], "g": [], "h": ["x"]}
