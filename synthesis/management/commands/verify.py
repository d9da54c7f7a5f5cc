"""manage.py verify FILE: what is this file, and does consent stand today?"""

from __future__ import annotations

import json
import math
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from synthesis.provenance.verdict import Code
from synthesis.services.verification import SEEK_S, Step, file_verify, unreported

OURS: Final = 0
CHANGED: Final = 3
NOT_OURS: Final = 4
NOT_STANDING: Final = 5
COPIED: Final = 6
EXIT_CODES: Final = {
    Code.UNCHANGED: OURS,
    Code.CHANGED: CHANGED,
    Code.STRIPPED: CHANGED,
    Code.RELABELLED: CHANGED,
    Code.MISFIT: COPIED,
    Code.PASTED: COPIED,
    Code.UNRECORDED: NOT_OURS,
    Code.FOREIGN: NOT_OURS,
    Code.FOREIGN_BROKEN: NOT_OURS,
    Code.NOTHING: NOT_OURS,
}
MEANINGS: Final = f"""exit codes:
  {OURS}  made here, unchanged, and every consent stands today
  1  the file cannot be opened
  2  the command was not typed right
  {CHANGED}  made here, but changed since, or its credential is gone or not ours
  {NOT_OURS}  not recognised as made here
  {NOT_STANDING}  made here, whether changed or not, but a consent does not stand today
  {COPIED}  our credential or our mark on something that is not the file it belongs to
"""


class Command(BaseCommand):
    help = "Say what FILE is. The verify page runs this very command."
    # Whoever asks about a file is not to be told of the installation.
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, epilog=MEANINGS, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--steps",
            action="store_true",
            help="before it a JSON line for each step: its name, and the share done",
        )
        parser.add_argument(
            "--whole",
            action="store_true",
            help="search the whole film for the mark, instead of for"
            f" {SEEK_S / 60:.0f} minutes at most",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        found = file_verify(
            options["file"],
            report=self.step if options["steps"] else unreported,
            seek_s=math.inf if options["whole"] else SEEK_S,
        )
        if options["json"]:
            self.stdout.write(json.dumps(found))
        else:
            self.stdout.write(found["verdict"])
            for one in found["consent"]:
                self.stdout.write(f"Consent of {one['actor']} today: {one['status']}")
        sys.exit(exit_code(found))

    def step(self, step: Step, share: float | None) -> None:
        self.stdout.write(json.dumps({"step": step, "share": share}))
        self.stdout.flush()


def exit_code(found: dict[str, Any]) -> int:
    """What file_verify found, as a number. Consent goes first: a file that is ours
    may be whole, and yet nobody should show it."""
    of_file = EXIT_CODES[Code(found["code"])]
    stands = all(one["status"] == "active" for one in found["consent"])
    return of_file if stands or of_file not in (OURS, CHANGED) else NOT_STANDING
