"""Keys that are retired or come by recovery, and people who sign beside an actor."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0005_notices_and_returned_files"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PasskeyRetirement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "canonical",
                    models.BinaryField(help_text="RFC 8785 bytes of what is signed"),
                ),
                ("shown_text", models.TextField()),
                ("authenticator_data", models.BinaryField(blank=True, null=True)),
                ("client_data_json", models.BinaryField(blank=True, null=True)),
                ("signature", models.BinaryField(blank=True, null=True)),
                ("signed_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.AlterField(
            model_name="passkeycredential",
            name="actor",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="passkeys",
                to="consent.actor",
            ),
        ),
        migrations.CreateModel(
            name="CoSignature",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "canonical",
                    models.BinaryField(help_text="RFC 8785 bytes of what is signed"),
                ),
                ("shown_text", models.TextField()),
                ("authenticator_data", models.BinaryField(blank=True, null=True)),
                ("client_data_json", models.BinaryField(blank=True, null=True)),
                ("signature", models.BinaryField(blank=True, null=True)),
                ("signed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "credential",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="consent.passkeycredential",
                    ),
                ),
                (
                    "grant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cosignature",
                        to="consent.grant",
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Cosigner",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("agent", "The actor's agent"),
                            ("union", "A union"),
                            ("other", "Somebody else"),
                        ],
                        max_length=8,
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="cosigner",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.AddField(
            model_name="grant",
            name="cosigner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="grants",
                to="consent.cosigner",
            ),
        ),
        migrations.AddField(
            model_name="passkeycredential",
            name="cosigner",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="passkeys",
                to="consent.cosigner",
            ),
        ),
        migrations.CreateModel(
            name="KeyRecovery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "reason",
                    models.TextField(
                        help_text="as every receipt of the new key will show it"
                    ),
                ),
                ("opened_at", models.DateTimeField(auto_now_add=True)),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("telephone", "By telephone"),
                            ("video", "In a video call"),
                            ("in-person", "Face to face"),
                        ],
                        max_length=12,
                    ),
                ),
                ("compared_at", models.DateTimeField(blank=True, null=True)),
                ("grants_from", models.DateTimeField(blank=True, null=True)),
                (
                    "actor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="recoveries",
                        to="consent.actor",
                    ),
                ),
                (
                    "compared_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-opened_at"],
            },
        ),
        migrations.AddField(
            model_name="passkeycredential",
            name="recovery",
            field=models.OneToOneField(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="passkey",
                to="consent.keyrecovery",
            ),
        ),
        migrations.AddConstraint(
            model_name="passkeycredential",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("actor__isnull", True), ("cosigner__isnull", False)),
                    models.Q(("actor__isnull", False), ("cosigner__isnull", True)),
                    _connector="OR",
                ),
                name="one_holder_a_passkey",
            ),
        ),
        migrations.AddField(
            model_name="passkeyretirement",
            name="credential",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="consent.passkeycredential",
            ),
        ),
        migrations.AddField(
            model_name="passkeyretirement",
            name="passkey",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="retirement",
                to="consent.passkeycredential",
            ),
        ),
    ]
