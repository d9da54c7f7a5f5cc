"""Signed checkpoints, which are never changed either, and the agents' addresses."""

from django.db import migrations, models

TABLE = "consent_ledgercheckpoint"

SQLITE_INSTALL = [
    f"CREATE TRIGGER checkpoints_no_{act.lower()} BEFORE {act} ON {TABLE} "
    "BEGIN SELECT RAISE(ABORT, 'what was signed stays'); END"
    for act in ("UPDATE", "DELETE")
]
SQLITE_REMOVE = [f"DROP TRIGGER checkpoints_no_{act}" for act in ("update", "delete")]
POSTGRESQL_INSTALL = [
    "CREATE FUNCTION checkpoints_only_grow() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'what was signed stays'; END $$",
    f"CREATE TRIGGER checkpoints_no_change BEFORE UPDATE OR DELETE ON {TABLE} "
    "FOR EACH ROW EXECUTE FUNCTION checkpoints_only_grow()",
    f"CREATE TRIGGER checkpoints_no_truncate BEFORE TRUNCATE ON {TABLE} "
    "FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_only_grow()",
]
POSTGRESQL_REMOVE = [
    f"DROP TRIGGER checkpoints_no_truncate ON {TABLE}",
    f"DROP TRIGGER checkpoints_no_change ON {TABLE}",
    "DROP FUNCTION checkpoints_only_grow()",
]
STATEMENTS = {
    "sqlite": (SQLITE_INSTALL, SQLITE_REMOVE),
    "postgresql": (POSTGRESQL_INSTALL, POSTGRESQL_REMOVE),
}


def _run(schema_editor, which):
    for statement in STATEMENTS[schema_editor.connection.vendor][which]:
        schema_editor.execute(statement)


def install(apps, schema_editor):
    _run(schema_editor, 0)


def remove(apps, schema_editor):
    _run(schema_editor, 1)


class Migration(migrations.Migration):
    dependencies = [("consent", "0003_proposals_and_suspension")]

    operations = [
        migrations.CreateModel(
            name="LedgerCheckpoint",
            fields=[
                ("size", models.BigIntegerField(primary_key=True, serialize=False)),
                ("note", models.TextField()),
                ("made_at", models.DateTimeField(db_index=True)),
            ],
            options={"ordering": ["size"]},
        ),
        migrations.AddField(
            model_name="actor",
            name="agent_email",
            field=models.EmailField(
                blank=True,
                help_text="of the actor's agent, who gets every receipt too",
                max_length=254,
            ),
        ),
        migrations.RunPython(install, remove),
    ]
