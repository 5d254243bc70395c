"""The rows of logs: a group of events in one transaction, and events inside the caller's.

A group writes only to logs whose generation this process still owns and nobody finished:
a process that was held up and lost its generations can add nothing to them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, IntegrityError, connections, transaction

from chat.events.entry import Entry
from chat.models import Event, Generation

if TYPE_CHECKING:
    from chat.events.commit import Log


def insert_entries(generation_id: int, entries: Iterable[Entry]) -> None:
    """Insert events inside the caller's transaction."""
    _insert((generation_id, entry) for entry in entries)


def write(groups: dict[Log, list[Entry]]) -> set[int]:
    """Write one group in one transaction; return the ids of the generations that took it."""
    if connections[DEFAULT_DB_ALIAS].vendor == "postgresql" and _write_at_once(groups):
        return {log.generation_id for log in groups}
    with transaction.atomic():
        owned = _lock_owned(groups)
        _insert(
            (log.generation_id, entry)
            for log, entries in groups.items()
            if log.generation_id in owned
            for entry in entries
        )
    return owned


def _write_at_once(groups: dict[Log, list[Entry]]) -> bool:
    """Do on PostgreSQL what `write` does, in one statement; False where rows are missing still.

    It goes to the server once instead of four times. Some row is left out where a generation is
    not owned any more, or where it is there already: then what is there is looked at one by one.
    """
    rows = [
        {
            "generation_id": log.generation_id,
            "owner_id": str(log.process_id),
            "seq": entry.seq,
            "kind": entry.kind,
            "data": entry.data,
            "at": entry.at.isoformat(),
        }
        for log, entries in groups.items()
        for entry in entries
    ]
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(_WRITE_AT_ONCE, [json.dumps(rows), Generation.Status.STREAMING])
        return bool(cursor.rowcount == len(rows))


def _lock_owned(logs: Iterable[Log]) -> set[int]:
    """Lock what its owner still writes, so that nobody claims or ends it before the commit."""
    own = connections[DEFAULT_DB_ALIAS]
    owners = {log.generation_id: _as_stored(log.process_id, own.vendor) for log in logs}
    with own.cursor() as cursor:
        cursor.execute(_lock_sql(len(owners), own.vendor), [*owners, Generation.Status.STREAMING])
        return {pk for pk, owner in cursor.fetchall() if owner == owners[pk]}


@cache
def _lock_sql(number: int, vendor: str) -> str:
    # A tenth of the CPU of the same by the ORM, which makes its SQL anew each time.
    own = connections[DEFAULT_DB_ALIAS]
    has_locks = own.features.has_select_for_update
    return (
        f"SELECT id, owner_id FROM {Generation._meta.db_table} "  # noqa: S608
        f"WHERE id IN ({', '.join(['%s'] * number)}) AND status = %s ORDER BY id "
        f"{own.ops.for_update_sql(no_key=True) if has_locks else ''}"
    )


@lru_cache(maxsize=8)
def _as_stored(process_id: UUID, vendor: str) -> Any:
    """Return an owner as this kind of database stores it."""
    field = Generation._meta.get_field("owner")
    return field.get_db_prep_value(process_id, connections[DEFAULT_DB_ALIAS])


def _insert(rows: Iterable[tuple[int, Entry]]) -> None:
    """Insert events; those that are there already, word for word, stay as they are.

    Where a connection breaks during a commit, nobody knows whether it was done; then the same
    events come again.

    Raises:
        IntegrityError: something else stands under the number of one of them.
    """
    rows = list(rows)
    if not rows:
        return
    # Not by way of django.db.connection, which looks for the thread's own at each use.
    own = connections[DEFAULT_DB_ALIAS]
    adapt = own.ops.adapt_datetimefield_value
    with own.cursor() as cursor:
        cursor.executemany(_INSERT, [(pk, e.seq, e.kind, e.data, adapt(e.at)) for pk, e in rows])
        if cursor.rowcount != len(rows):
            _check_written(rows)


# A third of bulk_create's CPU a row: measured with SQLite, 20 rows a commit.
_INTO = f"INSERT INTO {Event._meta.db_table} (generation_id, seq, kind, data, at) "
_UNLESS_THERE = "ON CONFLICT (generation_id, seq) DO NOTHING"
_INSERT = f"{_INTO} VALUES (%s, %s, %s, %s, %s) {_UNLESS_THERE}"

# The locks are taken in the order of the ids, as everywhere.
_WRITE_AT_ONCE = f"""
WITH new AS (
  SELECT * FROM json_to_recordset(%s) AS new (
    generation_id bigint, owner_id uuid, seq integer, kind text, data text, at timestamptz
  )
), owned AS (
  SELECT id, owner_id FROM {Generation._meta.db_table}
  WHERE id IN (SELECT generation_id FROM new) AND status = %s ORDER BY id FOR NO KEY UPDATE
)
{_INTO} SELECT generation_id, seq, kind, data, at FROM new
JOIN owned ON owned.id = generation_id AND owned.owner_id = new.owner_id
{_UNLESS_THERE}
"""  # noqa: S608


def _check_written(rows: Sequence[tuple[int, Entry]]) -> None:
    for pk, entry in rows:
        # The time tells one event from another that says the same.
        if not Event.objects.filter(generation_id=pk, **entry._asdict()).exists():
            raise IntegrityError(f"generation {pk}: event {entry.seq} is not unique")
