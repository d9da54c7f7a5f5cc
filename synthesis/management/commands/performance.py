"""manage.py performance RENDER: what animation tools read, for a pipeline."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from consent.errors import ConsentError
from synthesis.errors import SynthesisError
from synthesis.media.aside import written_aside
from synthesis.models import Render
from synthesis.performance.files import FORMATS
from synthesis.services.performances import performance_export


class Command(BaseCommand):
    help = (
        "Write the performance of a finished render to a file: curves, visemes or an"
        " animated face. Asks for consent and writes a ledger row, as the page does."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("render", help="id of the render")
        parser.add_argument("--format", choices=sorted(FORMATS), default="arkit-json")
        parser.add_argument("--out", type=Path, required=True, metavar="FILE")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            render = Render.objects.get(id=options["render"])
        except (Render.DoesNotExist, ValidationError, ValueError) as error:
            raise CommandError(f"There is no render {options['render']}.") from error
        try:
            # In the name of the producer who asked for the render.
            file = performance_export(
                render=render, form=options["format"], acting_user=render.requested_by
            )
            with written_aside(options["out"]) as out:
                out.write(file.content)
        except (ConsentError, SynthesisError) as error:
            raise CommandError(f"{error.sentence} [{error.code}]") from error
        self.stdout.write(f"{options['out']}: {len(file.content)} bytes")
