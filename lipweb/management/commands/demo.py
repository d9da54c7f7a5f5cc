"""manage.py demo: the whole way of one deliverable, on the demo production."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consent.errors import ConsentError
from lipweb.demo_production import demo_deliverable, demo_people
from lipweb.dubbing import outcome
from lipweb.house import queue_and_worker
from lipweb.launcher import CannotStart
from synthesis.errors import SynthesisError


class Command(BaseCommand):
    help = (
        "Dub the demo scene in Spanish: consent, render, label, invisible mark,"
        " manifest, read back. Prints the steps, then one JSON line."
    )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            with queue_and_worker():
                demo = demo_people()
                deliverable = demo_deliverable(demo, self._say)
                result = outcome(deliverable, acting_user=demo.producer, say=self._say)
        except (ConsentError, SynthesisError) as error:
            raise CommandError(f"{error.sentence} [{error.code}]") from error
        except CannotStart as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(json.dumps(result))

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
