"""Queries whose SQL is made once: the ORM makes it anew for each call, and that takes longer than
the database does.

For what every prompt asks and writes. A query is written as ever; its compiler, which Django
documents for database backends alone, says what SQL that is and how rows become objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Field, Model, QuerySet

T = TypeVar("T")
M = TypeVar("M", bound=Model)
Value = int | UUID | str
Kind = type[int] | type[UUID] | type[str]

_SAMPLE = 2_000_000_000  # no id that a query names by itself, and a value that every field takes


class _Plan(NamedTuple):
    """`places` says which argument each parameter is; None: none of them, but what it is."""

    sql: str
    params: Sequence[Any]
    places: Sequence[int | None]
    converters: Sequence[tuple[int, Sequence[Callable[..., Any]], Any]]
    model: type[Model] | None
    names: Sequence[str]
    annotations: Sequence[tuple[str, int]]


class Prepared(Generic[T]):
    """A query that differs from call to call in nothing but ids, numbers and texts.

    Args:
        build: returns the query for some arguments; of objects, without related ones, or of
            tuples (`values_list`).
        kinds: what each argument is.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, T]], *kinds: Kind) -> None:
        self._build = build
        self._kinds = kinds

    def __call__(self, *arguments: Value) -> list[T]:
        """Ask the database."""
        # Not by way of django.db.connection, which looks for the thread's own at each use.
        plan, own = self._plan, connections[DEFAULT_DB_ALIAS]
        with own.cursor() as cursor:
            cursor.execute(plan.sql, _filled(plan.params, plan.places, arguments, own))
            rows = cursor.fetchall()
        return list(_read(rows, plan, own))

    @cached_property
    def _plan(self) -> _Plan:
        samples = _samples(self._kinds)
        query = self._build(*samples).query
        compiler = query.get_compiler(DEFAULT_DB_ALIAS)
        sql, params = compiler.as_sql()
        columns = [expression for expression, *_ in compiler.select]
        converters = compiler.get_converters(columns).items()
        found = compiler.klass_info if query.default_cols else None
        fields = [columns[place] for place in found["select_fields"]] if found else []
        return _Plan(
            sql,
            params,
            _places(params, samples),
            [(place, each, column) for place, (each, column) in converters],
            found["model"] if found else None,
            [field.target.attname for field in fields],
            list((compiler.annotation_col_map or {}).items()) if found else [],
        )


class Insert(Generic[M]):
    """Stores a new object of one model; no signals are sent."""

    def __init__(self, model: type[M]) -> None:
        self._model = model

    def __call__(self, made: M) -> M:
        (sql, fields), own = self._plan, connections[DEFAULT_DB_ALIAS]
        params = [field.get_db_prep_save(field.pre_save(made, add=True), own) for field in fields]
        with own.cursor() as cursor:
            cursor.execute(sql, params)
            (made.pk,) = cursor.fetchone()
        made._state.adding, made._state.db = False, DEFAULT_DB_ALIAS
        return made

    @cached_property
    def _plan(self) -> tuple[str, Sequence[Field[Any, Any]]]:
        meta, quoted = self._model._meta, connection.ops.quote_name
        fields = [field for field in meta.concrete_fields if field is not meta.pk]
        columns = ", ".join(quoted(str(field.column)) for field in fields)
        values = ", ".join(["%s"] * len(fields))
        into = f"{quoted(meta.db_table)} ({columns})"
        returned = quoted(str(meta.pk.column))
        return f"INSERT INTO {into} VALUES ({values}) RETURNING {returned}", fields  # noqa: S608


class Update:
    """Sets some fields of the rows that a query finds, which knows one table; counts them.

    Args:
        build, kinds: as for Prepared.
        sets: the names of the fields.
    """

    def __init__(
        self, build: Callable[..., QuerySet[Any]], *kinds: Kind, sets: Sequence[str]
    ) -> None:
        self._build = build
        self._kinds = kinds
        self._sets = sets

    def __call__(self, *arguments: Value, **values: Any) -> int:
        (sql, fields, params, places), own = self._plan, connections[DEFAULT_DB_ALIAS]
        new = [field.get_db_prep_save(values[field.attname], own) for field in fields]
        if not len(new) == len(values) == len(self._sets):
            raise TypeError("other fields than were prepared")
        with own.cursor() as cursor:
            cursor.execute(sql, [*new, *_filled(params, places, arguments, own)])
            return int(cursor.rowcount)

    @cached_property
    def _plan(
        self,
    ) -> tuple[str, Sequence[Field[Any, Any]], Sequence[Any], Sequence[int | None]]:
        samples = _samples(self._kinds)
        found = self._build(*samples)
        meta, quoted = found.model._meta, connection.ops.quote_name
        fields = [field for field in meta.concrete_fields if field.attname in self._sets]
        sets = ", ".join(f"{quoted(str(field.column))} = %s" for field in fields)
        where, params = found.query.get_compiler(DEFAULT_DB_ALIAS).compile(found.query.where)
        sql = f"UPDATE {quoted(meta.db_table)} SET {sets} WHERE {where}"  # noqa: S608
        return sql, fields, params, _places(params, samples)


def _samples(kinds: Sequence[Kind]) -> list[Value]:
    return [
        UUID(int=_SAMPLE + n) if kind is UUID else str(_SAMPLE + n) if kind is str else _SAMPLE + n
        for n, kind in enumerate(kinds)
    ]


def _places(params: Sequence[Any], samples: Sequence[Value]) -> list[int | None]:
    """Return which argument each parameter is; None: none of them."""
    own = connections[DEFAULT_DB_ALIAS]
    given = [_adapted(sample, own) for sample in samples]
    if not all(sample in params for sample in given):
        raise TypeError("the query leaves an argument out")
    return [given.index(param) if param in given else None for param in params]


def _filled(
    params: Sequence[Any],
    places: Sequence[int | None],
    arguments: Sequence[Value],
    own: BaseDatabaseWrapper,
) -> list[Any]:
    given = [_adapted(argument, own) for argument in arguments]
    return [
        param if place is None else given[place]
        for param, place in zip(params, places, strict=True)
    ]


def _adapted(value: Value, own: BaseDatabaseWrapper) -> Any:
    is_text = isinstance(value, UUID) and not own.features.has_native_uuid_field
    return value.hex if is_text else value  # type: ignore[union-attr]


def _read(rows: Sequence[Sequence[Any]], plan: _Plan, own: BaseDatabaseWrapper) -> Iterator[Any]:
    for row in map(list, rows):
        for place, converters, column in plan.converters:
            for convert in converters:
                row[place] = convert(row[place], column, own)
        if plan.model is None:
            yield tuple(row)
            continue
        # An object's own columns come first.
        made = plan.model.from_db(DEFAULT_DB_ALIAS, plan.names, row[: len(plan.names)])
        for name, place in plan.annotations:
            setattr(made, name, row[place])
        yield made
