"""manage.py demoproduction: the demo's people and consent; with --scene its dub too."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consent.errors import ConsentError
from lipweb.demo_production import (
    PEOPLE,
    demo_deliverable,
    demo_email,
    demo_logins,
    demo_people,
)
from synthesis.errors import SynthesisError
from synthesis.models import Deliverable


class Command(BaseCommand):
    help = "Make the demo production, or find it. Prints one login per role."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--scene",
            action="store_true",
            help="dub the demo scene too, through the queue (a worker must run)",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        demo = demo_people()
        if options["scene"]:
            made = Deliverable.objects.filter(render__dub__scene__project=demo.project)
            if not made.exists():
                try:
                    demo_deliverable(demo, lambda text: None)
                except (ConsentError, SynthesisError) as error:
                    raise CommandError(error.sentence) from error
            return
        logins = demo_logins()
        for part, name in PEOPLE.items():
            self.stdout.write(
                f"{part:<10}{demo_email(part):<26}{logins[part]:<16}{name}"
            )
