"""What a site under test has stored: read from outside, by SQL, after the fact."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

FINAL = ("complete", "stopped", "failed", "interrupted")
RUNNING = ("queued", "streaming")


@dataclass(frozen=True)
class Row:
    """An answer with its newest generation; `path` is its conversation's page."""

    id: int
    message_id: int
    path: str
    status: str
    error_code: str
    stop_reason: str
    prompt: str
    text: str
    owner: str

    @property
    def is_final(self) -> bool:
        return self.status in FINAL


@dataclass(frozen=True)
class EventRow:
    seq: int
    kind: str
    data: dict[str, Any]


class Records:
    """A reader of one database; `url` as DATABASE_URL has it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._is_sqlite = url.startswith("sqlite")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        if self._is_sqlite:
            path = Path(self._url.removeprefix("sqlite:///"))
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as read:
                return read.execute(sql).fetchall()
        with psycopg.connect(self._url) as connection:
            return connection.execute(sql.encode()).fetchall()

    def generations(self, *paths: str) -> list[Row]:
        """Return the generations of some conversations' pages that have a log."""
        # Not those of all: other tests leave answers of 20 MB behind.
        ids = ", ".join(f"'{self._conversation_id(path)}'" for path in paths)
        rows = self.query(
            "SELECT g.id, g.message_id, g.conversation_id, g.status, g.error_code, "  # noqa: S608
            "g.stop_reason, p.text, m.text, g.owner_id FROM chat_generation g "
            "JOIN chat_message m ON m.id = g.message_id "
            "JOIN chat_message p ON p.id = m.parent_id "
            f"WHERE NOT g.is_pruned AND g.conversation_id IN ({ids}) ORDER BY g.id"
        )
        return [
            Row(pk, message, page_path(of), status, code, reason, prompt, text, str(owner or ""))
            for pk, message, of, status, code, reason, prompt, text, owner in rows
        ]

    def newest(self, path: str) -> Row:
        return self.generations(path)[-1]

    def owner_pid(self, row: Row) -> int:
        """Return the number that the system gave to the process which has an answer."""
        ((name,),) = self.query(
            "SELECT p.name FROM chat_generation g JOIN chat_process p ON p.id = g.owner_id "  # noqa: S608
            f"WHERE g.id = {int(row.id)}"
        )
        return int(name.rpartition(":")[2])

    def lock_waiters(self) -> int:
        """Return how many connections of PostgreSQL wait for a lock."""
        sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        ((number,),) = self.query(sql)
        return int(number)

    def prompts(self, path: str) -> list[str]:
        """Return the user's messages of a conversation, oldest first."""
        rows = self.query(
            "SELECT text FROM chat_message WHERE role = 'user' "  # noqa: S608
            f"AND conversation_id = '{self._conversation_id(path)}' ORDER BY id"
        )
        return [text for (text,) in rows]

    def count(self, table: str, path: str) -> int:
        """Return how many rows of a table belong to a conversation."""
        column = "id" if table == "chat_conversation" else "conversation_id"
        ((number,),) = self.query(
            f"SELECT count(*) FROM {table} "  # noqa: S608
            f"WHERE {column} = '{self._conversation_id(path)}'"
        )
        return int(number)

    def events(self, generation_id: int) -> list[EventRow]:
        rows = self.query(
            "SELECT seq, kind, data FROM chat_event "  # noqa: S608
            f"WHERE generation_id = {int(generation_id)} ORDER BY seq"
        )
        return [EventRow(seq, kind, json.loads(data)) for seq, kind, data in rows]

    def _conversation_id(self, path: str) -> str:
        wanted = UUID(path.strip("/").split("/")[1])
        return wanted.hex if self._is_sqlite else str(wanted)


def page_path(conversation_id: Any) -> str:
    return f"/c/{conversation_id if isinstance(conversation_id, UUID) else UUID(conversation_id)}/"


def text_of(events: Sequence[EventRow]) -> str:
    """Return the text that a log holds."""
    parts: list[str] = []
    for event in events:
        if event.kind == "content_block_start":
            parts.append(event.data["content_block"].get("text", ""))
        elif event.kind == "content_block_delta":
            parts.append(event.data["delta"].get("text", ""))
    return "".join(parts)
