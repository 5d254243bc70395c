"""Packages of which no more is loaded than is asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chatsite.on_demand import import_on_demand

PACKAGE = {
    "__init__.py": "from .one import One as One, other as another\nfrom .two import *\n",
    "one.py": "class One: ...\nother = 1\n",
    "two.py": "star = 2\n",
    "three.py": "from . import one\nfrom .inner import Inner\n",
    "inner/__init__.py": "from .inside import Inner\n__all__ = ['Inner']\n",
    "inner/inside.py": "Inner = 3\n",
    "busy/__init__.py": "from ..one import One\ndone = True\n",
}


@pytest.fixture
def name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """A package that is imported on demand."""
    name = f"on_demand_{request.node.name}"
    for path, text in PACKAGE.items():
        file = tmp_path / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    import_on_demand(name)
    return name


def loaded(name: str) -> set[str]:
    return {module.removeprefix(f"{name}.") for module in sys.modules if f"{name}." in module}


def test_nothing_is_loaded_before_it_is_asked_for(name: str) -> None:
    __import__(name)
    assert loaded(name) == set()


def test_name_is_loaded_from_where_it_comes(name: str) -> None:
    package = __import__(name)
    assert (package.One.__module__, package.another) == (f"{name}.one", 1)
    assert loaded(name) == {"one"}


def test_module_is_loaded_as_an_attribute(name: str) -> None:
    assert __import__(name).three.Inner == 3
    assert loaded(name) == {"three", "one", "inner", "inner.inside"}


def test_name_that_is_not_exported_by_its_name_has_all_loaded(name: str) -> None:
    package = __import__(name)
    assert package.star == 2
    assert loaded(name) == {"one", "two"}


def test_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError):
        _ = __import__(name).nowhere


def test_package_that_does_more_than_export_runs(name: str) -> None:
    assert __import__(f"{name}.busy").busy.done
    assert loaded(name) == {"busy", "one"}


def test_most_of_the_sdk_stays_where_it_is() -> None:
    code = "import sys, chatsite, chat.claude.stream; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules = {name for name in run.stdout.split() if name.startswith("anthropic")}
    assert "anthropic.resources.messages.messages" in modules
    assert len(modules) < 1_000
