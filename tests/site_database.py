"""A database of one site under test: a SQLite file, or one on the server of DATABASE_URL."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import uuid
from pathlib import Path
from typing import Any, LiteralString, Self
from urllib.parse import urlsplit

import psycopg
from psycopg import sql


class SiteDatabase:
    """A context manager: made on entry, gone after exit. `url` is as DATABASE_URL has it.

    Args:
        folder: of the SQLite file, where DATABASE_URL names no server.
        template: what to begin with; nobody may be connected to it.
    """

    def __init__(self, folder: Path, template: SiteDatabase | None = None) -> None:
        server = os.environ.get("DATABASE_URL", "")
        self.is_sqlite = not server.startswith("postgres")
        self._file = folder / "site.sqlite3"
        self._name = f"site_{uuid.uuid4().hex}"
        self._template = template
        self._maintenance = _with_name(server, "postgres")
        self.url = f"sqlite:///{self._file}" if self.is_sqlite else _with_name(server, self._name)

    def __enter__(self) -> Self:
        template = self._template
        if self.is_sqlite and template:
            shutil.copyfile(template._file, self._file)
        elif not self.is_sqlite:
            self._execute(
                "CREATE DATABASE {} TEMPLATE {}", template._name if template else "template1"
            )
        return self

    def __exit__(self, *error: object) -> None:
        if not self.is_sqlite:
            # Processes that were killed may still be connected.
            self._execute("DROP DATABASE {} WITH (FORCE)")

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return rows; `?` stands for a parameter."""
        if self.is_sqlite:
            file = f"file:{self._file}?mode=ro"
            with contextlib.closing(sqlite3.connect(file, uri=True)) as connection:
                return connection.execute(query, parameters).fetchall()
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.replace("?", "%s").encode(), parameters).fetchall()

    def _execute(self, command: LiteralString, *names: str) -> None:
        identifiers = map(sql.Identifier, (self._name, *names))
        with psycopg.connect(self._maintenance, autocommit=True) as connection:
            connection.execute(sql.SQL(command).format(*identifiers))


def _with_name(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()
