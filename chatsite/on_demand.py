"""Loads of large packages only what is asked for, as Python 3.15 will by itself (PEP 810).

An `__init__` that only re-exports names loads all modules of its package for the sake of the few
that are used: of the SDK 3,000, which take 40 MB and a second. Here it is read, not run, and each
name is looked up where it comes from when it is first asked for (PEP 562).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any


def import_on_demand(*packages: str) -> None:
    """Have these packages, and those in them that only re-export, loaded name by name.

    Whatever else the `__init__` of a named one does is left out until something is asked for that
    it does not re-export: then it runs. One that was imported before stays as it is.
    """
    sys.meta_path.insert(0, _Finder(packages))


class _Finder:
    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = packages

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        is_named = name in self._packages
        if not is_named and not name.startswith(tuple(f"{each}." for each in self._packages)):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec and spec.submodule_search_locations and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(name, spec.loader.path, is_named=is_named)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, *, is_named: bool) -> None:
        super().__init__(name, path)
        self._is_named = is_named

    def exec_module(self, module: ModuleType) -> None:
        body = ast.parse(self.get_data(self.path)).body
        if not self._is_named and not all(map(_only_exports, body)):
            return super().exec_module(module)
        origins = dict(_origins(body, self.name))
        module.__dict__["__getattr__"] = partial(_find, module, origins, super().exec_module)


def _only_exports(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign):
        return ast.unparse(statement.targets[0]) == "__all__"
    return isinstance(statement, ast.ImportFrom) or _is_docstring(statement)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _origins(body: Sequence[ast.stmt], package: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield for each name which module it comes from, and what it is called there."""
    root = package.partition(".")[0]
    for statement in body:
        # `from . import name` is a module, which is found by its name.
        if not isinstance(statement, ast.ImportFrom) or not statement.module:
            continue
        if statement.level or statement.module.partition(".")[0] == root:
            module = "." * statement.level + statement.module
            for each in statement.names:
                yield each.asname or each.name, (module, each.name)


def _find(
    module: ModuleType, origins: Mapping[str, tuple[str, str]], run: Any, name: str
) -> object:
    """Return what a package would hold under a name. Raises: AttributeError."""
    if name in origins:
        origin, original = origins[name]
        found = getattr(import_module(origin, module.__name__), original)
        setattr(module, name, found)
        return found
    if PathFinder.find_spec(f"{module.__name__}.{name}", module.__path__):
        return import_module(f"{module.__name__}.{name}")
    module.__dict__.pop("__getattr__", None)
    run(module)
    return getattr(module, name)
