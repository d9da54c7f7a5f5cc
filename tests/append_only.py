"""Lets the test runner empty tables that the database itself keeps append-only.

Transactional tests end with a flush, which triggers on the ledger rightly refuse. They
are set aside for the flush alone and stand again before the next test."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    operations = type(connection.ops)
    flush_plainly = operations.execute_sql_flush

    def flush_sqlite(self: Any, sql_list: list[str]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            for name, _ in triggers:
                cursor.execute(f'DROP TRIGGER "{name}"')
            try:
                flush_plainly(self, sql_list)
            finally:
                for _, sql in triggers:
                    cursor.execute(sql)

    def flush_postgres(self: Any, sql_list: list[str]) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            try:
                flush_plainly(self, sql_list)
            finally:
                cursor.execute("SET session_replication_role = DEFAULT")

    flush = flush_sqlite if connection.vendor == "sqlite" else flush_postgres
    monkeypatch.setattr(operations, "execute_sql_flush", flush)
