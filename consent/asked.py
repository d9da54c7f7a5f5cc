"""The policy's two questions to the database, spelled out.

They are asked before every step that makes or hands out pixels, and Django takes
longer to spell such a query than PostgreSQL to answer it. What they return are rows as
Django's own queries return them, read anew each time."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from django.db import connection
from django.db.models import Field, Model

from consent.models import (
    Grant,
    LedgerEntry,
    PasskeyCredential,
    Revocation,
    Suspension,
)

Logged: TypeAlias = list[tuple[str, dict[str, Any]]]
Converter: TypeAlias = Callable[[Any, Any, Any], Any]

_ID: Final = Grant._meta.get_field("id")


def grants_signed(*, actor_id: UUID, project_id: UUID) -> list[Grant]:
    """Return the signed grants of an actor for a project, the newest first, each with
    its credential, was_taken_back and was_suspended: whether there is any row of a
    revocation, or of a suspension."""
    rest = (
        "g.actor_id = %s AND g.project_id = %s AND g.signed_at IS NOT NULL"
        " ORDER BY g.signed_at DESC"
    )
    return _grants(rest, [actor_id, project_id])


def grant_as_it_stands(grant_id: UUID) -> Grant | None:
    """Return one grant, read anew, with what grants_signed adds; None if it is gone."""
    return next(iter(_grants("g.id = %s", [grant_id])), None)


def logged_about(grant_id: UUID, credential_id: UUID | None) -> Logged:
    """Return kind and payload of the ledger's entries on a grant and a passkey."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT kind, content FROM {LedgerEntry._meta.db_table}"  # noqa: S608
            ' WHERE subject IN (%s, %s) ORDER BY "index"',
            [str(grant_id), str(credential_id)],
        )
        rows = cursor.fetchall()
    return [(kind, json.loads(bytes(content))["payload"]) for kind, content in rows]


class _Columns(NamedTuple):
    """A model's columns in the order of its fields, and what turns a column's value
    into the field's, by place in the row."""

    names: list[str]
    converters: list[tuple[int, Converter, Any]]

    def read(self, model: type[Any], row: Sequence[Any]) -> Any:
        values = list(row)
        for place, convert, column in self.converters:
            values[place] = convert(values[place], column, connection)
        return model.from_db(connection.alias, self.names, values)


@cache
def _columns(model: type[Model], vendor: str) -> _Columns:
    fields: Sequence[Field[Any, Any]] = model._meta.concrete_fields
    converters: list[tuple[int, Converter, Any]] = []
    for place, field in enumerate(fields):
        column = field.get_col(model._meta.db_table)
        for convert in (
            *connection.ops.get_db_converters(column),
            *column.get_db_converters(connection),
        ):
            converters.append((place, convert, column))
    return _Columns([field.attname for field in fields], converters)


@cache
def _select() -> str:
    """Everything up to the condition; the names in it are our own tables'."""
    columns = [f'g."{field.column}"' for field in Grant._meta.concrete_fields]
    keys = PasskeyCredential._meta.concrete_fields
    columns += [f'c."{field.column}"' for field in keys]
    for words in (Revocation, Suspension):
        about = f"FROM {words._meta.db_table} w WHERE w.grant_id = g.id"
        columns.append(f"EXISTS(SELECT 1 {about})")
    return (
        f"SELECT {', '.join(columns)} FROM {Grant._meta.db_table} g"  # noqa: S608
        f" LEFT JOIN {PasskeyCredential._meta.db_table} c ON c.id = g.credential_id"
        " WHERE "
    )


def _grants(rest: str, ids: Sequence[UUID]) -> list[Grant]:
    prepared = [_ID.get_db_prep_value(one, connection) for one in ids]
    with connection.cursor() as cursor:
        cursor.execute(_select() + rest, prepared)
        return [_grant(row) for row in cursor.fetchall()]


def _grant(row: Sequence[Any]) -> Grant:
    own = _columns(Grant, connection.vendor)
    keys = _columns(PasskeyCredential, connection.vendor)
    *columns, taken_back, suspended = row
    split = len(own.names)
    grant: Grant = own.read(Grant, columns[:split])
    if grant.credential_id is not None and columns[split] is not None:
        grant.credential = keys.read(PasskeyCredential, columns[split:])
    grant.was_taken_back = bool(taken_back)  # type: ignore[attr-defined]
    grant.was_suspended = bool(suspended)  # type: ignore[attr-defined]
    return grant
