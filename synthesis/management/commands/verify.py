"""manage.py verify FILE: what is this file, and does consent stand today?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from synthesis.provenance.verdict import Code
from synthesis.services.verification import file_verify

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
    help = "Say what FILE is, just as the verify page does. Nothing of it is kept."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        parser = super().create_parser(prog_name, subcommand, epilog=MEANINGS, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        found = file_verify(options["file"])
        if options["json"]:
            self.stdout.write(json.dumps(found))
        else:
            self.stdout.write(found["verdict"])
            for one in found["consent"]:
                self.stdout.write(f"Consent of {one['actor']} today: {one['status']}")
        sys.exit(exit_code(found))


def exit_code(found: dict[str, Any]) -> int:
    """What file_verify found, as a number. Consent goes first: a file that is ours
    may be whole, and yet nobody should show it."""
    of_file = EXIT_CODES[Code(found["code"])]
    stands = all(one["status"] == "active" for one in found["consent"])
    return of_file if stands or of_file not in (OURS, CHANGED) else NOT_STANDING
