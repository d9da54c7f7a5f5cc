"""manage.py dub SCENE SOUND --grant ID: the main job for a pipeline."""

from __future__ import annotations

import json
from argparse import ArgumentParser, BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consent.errors import ConsentError
from consent.models import Grant, Role
from consent.record import CONTENT
from lipweb.dubbing import (
    faces_assign,
    line_put,
    outcome,
    render_make,
    scene_bring,
)
from lipweb.house import queue_and_worker
from lipweb.launcher import CannotStart
from lipweb.models import User
from synthesis.delivery import Delivery, Sound
from synthesis.errors import SynthesisError
from synthesis.media.formats import formats_here
from synthesis.models import Dub
from synthesis.services.renders import delivery_usual
from synthesis.services.scenes import dub_declare


class Command(BaseCommand):
    help = (
        "Dub SCENE with SOUND on a signed grant: upload, analysis, render, marks and"
        " manifest, read back. Prints the steps, then one JSON line."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("scene", type=Path)
        parser.add_argument("sound", type=Path)
        parser.add_argument("--grant", required=True, help="id of the signed grant")
        parser.add_argument("--track", type=int, help="which face, counted from 1")
        parser.add_argument(
            "--language", help="BCP-47; needed if the grant has several"
        )
        parser.add_argument("--source-language", default="en")
        parser.add_argument(
            "--holds",
            nargs="*",
            choices=CONTENT,
            help="what lines or scene hold of what actors can exclude; with nothing"
            " after it: none of that. Needed if the grant excludes any",
        )
        parser.add_argument(
            "--format",
            choices=[str(one) for one in formats_here()],
            help="what to write: h264 (the default), hevc, or the 10-bit masters prores"
            " (422 HQ) and dnxhr (HQX); by default as the dub was written last",
        )
        parser.add_argument(
            "--sound",
            dest="sound_kept",
            choices=[str(one) for one in Sound],
            help="as-it-came (the default; never encoded with loss) or aac",
        )
        parser.add_argument(
            "--scene-sounds",
            action=BooleanOptionalAction,
            help="keep the scene's further sound tracks after the dub's (the default)",
        )
        parser.add_argument("--out", type=Path, help="folder for a copy of the file")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            grant = Grant.objects.select_related("actor", "project").get(
                id=options["grant"]
            )
        except (Grant.DoesNotExist, ValueError, TypeError) as error:
            raise CommandError(f"There is no grant {options['grant']}.") from error
        for name in ("scene", "sound"):
            if not options[name].is_file():
                raise CommandError(f"There is no file {options[name]}.")
        try:
            with queue_and_worker():
                self._dub(grant, options)
        except (ConsentError, SynthesisError) as error:
            raise CommandError(f"{error.sentence} [{error.code}]") from error
        except CannotStart as problem:
            raise CommandError(str(problem)) from problem

    def _dub(self, grant: Grant, options: dict[str, Any]) -> None:
        user = _producer_of(grant)
        scene = scene_bring(
            project=grant.project,
            path=options["scene"],
            language=options["source_language"],
            acting_user=user,
            say=self._say,
        )
        faces_assign(
            scene=scene,
            grant=grant,
            number=options["track"],
            acting_user=user,
            say=self._say,
        )
        line = line_put(
            scene=scene,
            grant=grant,
            language=options["language"] or _only_language(grant),
            sound=options["sound"],
            acting_user=user,
        )
        if options["holds"] is not None:
            dub_declare(dub=line.dub, content=options["holds"], acting_user=user)
        deliverable = render_make(
            line=line,
            acting_user=user,
            say=self._say,
            delivery=_delivery(line.dub, options),
        )
        result = outcome(
            deliverable, acting_user=user, say=self._say, out=options["out"]
        )
        self.stdout.write(json.dumps(result))

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _producer_of(grant: Grant) -> User:
    """The producer in whose name the pipeline works: the one who asked for consent,
    or any other of the project."""
    seats = grant.project.memberships.filter(role=Role.PRODUCER)
    seat = seats.filter(user=grant.proposed_by).first() or seats.first()
    if seat is None:
        raise CommandError("The grant's project has no producer.")
    return seat.user


def _delivery(dub: Dub, options: dict[str, Any]) -> Delivery:
    """The dub's own, with what the command line says otherwise."""
    told = {
        "format": options["format"],
        "sound": options["sound_kept"],
        "scene_sounds": options["scene_sounds"],
    }
    asked = {name: value for name, value in told.items() if value is not None}
    return Delivery.from_json(delivery_usual(dub).to_json() | asked)


def _only_language(grant: Grant) -> str:
    languages = grant.record["scope"]["languages"]
    if len(languages) != 1:
        raise CommandError(
            "The grant covers several languages: say which with --language, one of "
            + ", ".join(languages)
        )
    return str(languages[0])
