"""manage.py verifyledger: is the ledger what it was when it was written and signed?"""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from consent.checkpoint import Checkpoint, LedgerKey, verify_checkpoint
from consent.errors import ConsentError, LedgerBroken
from consent.services.checkpoints import ledger_key
from consent.services.ledger_verify import ledger_verify

CHANGED: Final = 1
UNREADABLE: Final = 2
FORKED: Final = 3


class Command(BaseCommand):
    help = (
        "Compute every hash of the ledger anew and compare it with every checkpoint"
        " signed of it. Exit codes: 0 whole; 1 an entry was changed, removed or"
        " inserted; 2 a given checkpoint cannot be read or is of another ledger;"
        " 3 what was signed is of another ledger (a fork, or a forged checkpoint)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--checkpoint",
            action="append",
            type=Path,
            default=[],
            metavar="FILE",
            help="a checkpoint kept elsewhere; may be given several times",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        key = ledger_key()
        given = [_given(path, key) for path in options["checkpoint"]]
        try:
            size, root = ledger_verify(key=key, given=given)
        except LedgerBroken as error:
            forked = error.fault in ("fork", "checkpoint")
            code = FORKED if forked else CHANGED
            words = f"{error.sentence} [{error.fault}, entry {error.entry}]"
            raise CommandError(words, returncode=code) from error
        self.stdout.write(f"The ledger is whole: {size} entries, root {root.hex()}.")


def _given(path: Path, key: LedgerKey) -> Checkpoint:
    try:
        return verify_checkpoint(path.read_text(encoding="utf-8"), key)
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path}: {error}", returncode=UNREADABLE) from error
    except ConsentError as error:
        words = f"{path}: {error.sentence}"
        raise CommandError(words, returncode=UNREADABLE) from error
