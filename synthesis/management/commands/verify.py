"""manage.py verify FILE: what is this file, and does consent stand today?"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from synthesis.provenance.verdict import Code
from synthesis.services.verification import file_verify

OURS = 0
CHANGED = 3
NOT_OURS = 4
EXIT_CODES = {
    Code.UNCHANGED: OURS,
    Code.STRIPPED: CHANGED,
    Code.CHANGED: CHANGED,
    Code.RELABELLED: CHANGED,
}


class Command(BaseCommand):
    help = (
        "Say what FILE is. Exit code 0: ours and unchanged, 3: ours but changed or"
        " stripped, 4: not recognised as ours, 1: the file cannot be opened."
    )

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
        sys.exit(EXIT_CODES.get(Code(found["code"]), NOT_OURS))
