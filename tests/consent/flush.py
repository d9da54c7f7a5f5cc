"""Emptying the test database between transactional tests, past the ledger's triggers.

The triggers refuse what a test's clean-up must do. They are taken off for the length
of the flush alone, so that every test runs with them in place. Imported by the root
conftest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

import pytest
from django.db.backends.base.operations import BaseDatabaseOperations

ledger_migration: Any = import_module("consent.migrations.0002_ledger_is_append_only")


@pytest.fixture(scope="session", autouse=True)
def flush_past_the_ledger() -> Iterator[None]:
    flush = BaseDatabaseOperations.execute_sql_flush

    def execute(operations: Any, statements: Iterable[str]) -> None:
        with operations.connection.schema_editor() as editor:
            ledger_migration.remove(None, editor)
        try:
            flush(operations, statements)
        finally:
            with operations.connection.schema_editor() as editor:
                ledger_migration.install(None, editor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", execute)
        yield
