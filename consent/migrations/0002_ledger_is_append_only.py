"""The database itself refuses to change or remove what the ledger holds."""

from django.db import migrations

TABLE = "consent_ledgerentry"

SQLITE_INSTALL = [
    f"CREATE TRIGGER ledger_no_{act.lower()} BEFORE {act} ON {TABLE} "
    "BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END"
    for act in ("UPDATE", "DELETE")
]
# INSERT OR REPLACE removes a row without its delete trigger being asked.
SQLITE_INSTALL.append(
    f"CREATE TRIGGER ledger_no_replace BEFORE INSERT ON {TABLE} "
    f'WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE "index" = NEW."index") '
    "BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END"
)
SQLITE_REMOVE = [
    f"DROP TRIGGER ledger_no_{act}" for act in ("update", "delete", "replace")
]

POSTGRESQL_INSTALL = [
    "CREATE FUNCTION ledger_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the ledger only grows'; END $$",
    f"CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON {TABLE} "
    "FOR EACH ROW EXECUTE FUNCTION ledger_only_grows()",
    f"CREATE TRIGGER ledger_no_truncate BEFORE TRUNCATE ON {TABLE} "
    "FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows()",
]
POSTGRESQL_REMOVE = [
    f"DROP TRIGGER ledger_no_truncate ON {TABLE}",
    f"DROP TRIGGER ledger_no_change ON {TABLE}",
    "DROP FUNCTION ledger_only_grows()",
]
STATEMENTS = {
    "sqlite": (SQLITE_INSTALL, SQLITE_REMOVE),
    "postgresql": (POSTGRESQL_INSTALL, POSTGRESQL_REMOVE),
}


def _run(schema_editor, which):
    vendor = schema_editor.connection.vendor
    if vendor not in STATEMENTS:
        raise NotImplementedError(f"The ledger has no triggers for {vendor}.")
    for statement in STATEMENTS[vendor][which]:
        schema_editor.execute(statement)


def install(apps, schema_editor):
    _run(schema_editor, 0)


def remove(apps, schema_editor):
    _run(schema_editor, 1)


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial")]

    operations = [migrations.RunPython(install, remove)]
