"""manage.py checkpoint: sign the ledger as it stands, and print the signed note."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consent.errors import LedgerBroken
from consent.services.checkpoints import checkpoint_make


class Command(BaseCommand):
    help = (
        "Sign the ledger as it stands now and print the checkpoint, or write it to a"
        " file. Keep copies where this house's administrators cannot reach them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--export", type=Path, metavar="FILE")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            made = checkpoint_make()
        except LedgerBroken as error:
            raise CommandError(f"Nothing was signed. {error.sentence}") from error
        if made is None:
            raise CommandError("The ledger is empty: there is nothing to sign yet.")
        if options["export"]:
            options["export"].write_text(made.note, encoding="utf-8")
        else:
            self.stdout.write(made.note, ending="")
