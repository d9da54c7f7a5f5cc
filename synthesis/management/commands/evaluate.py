"""manage.py evaluate: figures measured on the frames the engine puts out."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from synthesis.engines.native import NativeEngine
from synthesis.engines.trial import Trial
from synthesis.neural import footage
from synthesis.neural.evaluate import ClipFigures, evaluate, summary
from synthesis.neural.weights import WeightsError


class Command(BaseCommand):
    """Dub clips with their own, a shuffled and another sound, and compare."""

    help = "Measure the native engine on a folder of clips it was not trained on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("folder", type=Path)
        parser.add_argument("--clips", type=Path, help="file naming clips, one a line")
        parser.add_argument("--limit", type=int, help="judge only the first so many")
        parser.add_argument("--weights", type=Path)
        parser.add_argument("--actor", type=Path, help="adapted weights")
        parser.add_argument("--json", type=Path, help="write the figures here")

    def handle(self, *args: Any, **options: Any) -> None:
        """Judge each clip, print its line, then the means."""
        paths = footage.clip_paths(options["folder"])
        if options["clips"]:
            named = set(options["clips"].read_text().split())
            paths = [p for p in paths if f"{p.parent.name}-{p.stem}" in named]
        paths = paths[: options["limit"]]
        if not paths:
            raise CommandError("There is no clip to judge in that folder.")
        try:
            engine = NativeEngine.load(options["weights"], options["actor"])
        except WeightsError as error:
            raise CommandError(error.sentence) from error
        figures: list[ClipFigures] = []
        for result in evaluate(paths, Trial(engine)):
            if isinstance(result, ClipFigures):
                figures.append(result)
                self.stdout.write(_line(result))
            else:
                self.stdout.write(f"{result[0]}: left out. {result[1]}")
        means = summary(figures)
        self.stdout.write(json.dumps(means, indent=1))
        if options["json"]:
            content = {"mean": means, "clips": [asdict(f) for f in figures]}
            options["json"].write_text(json.dumps(content, indent=1) + "\n")


def _line(f: ClipFigures) -> str:
    return (
        f"{f.talker}/{f.clip} r {f.r_own:.2f} shuffled {f.r_shuffled:.2f} "
        f"other {f.r_other:.2f} PSNR {f.psnr:.1f} SSIM {f.ssim:.3f} "
        f"sharpness {f.sharpness:.2f}"
    )
