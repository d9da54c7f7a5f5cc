"""manage.py evaluate: figures measured on the frames the engine puts out."""

from __future__ import annotations

import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from django.core.management.base import BaseCommand, CommandError

from synthesis.engines.contenders import Lineup, lineup
from synthesis.engines.trial import Opened, open_material
from synthesis.errors import SynthesisError
from synthesis.faces.finder import FaceFinder
from synthesis.media.probe import probe, sha256_file
from synthesis.neural import footage
from synthesis.neural.actor_clips import ActorFolders, clips_within, learn_actor
from synthesis.neural.evaluate import Bench, Result, other_of, summary
from synthesis.neural.report import as_json, as_png, as_text, write
from synthesis.neural.sheet import Page, pages
from synthesis.neural.weights import GENERAL

SEED = 20261121
CONTROL_STEPS = 60


class Command(BaseCommand):
    """Dub clips with their own and another sound, and compare with baselines."""

    help = (
        "Measure lip-sync on a folder of clips that were not trained on: "
        "reconstruction under their own sound, and another clip's sound."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments."""
        parser.add_argument("folder", type=Path, help="clips to judge by, or one clip")
        parser.add_argument("--clips", type=Path, help="file naming clips, one a line")
        parser.add_argument("--limit", type=int, help="judge only the first so many")
        parser.add_argument(
            "--seconds", type=float, default=20.0, help="judge so much of each clip"
        )
        parser.add_argument("--weights", type=Path, default=GENERAL)
        parser.add_argument("--actor", type=Path, help="weights adapted before")
        parser.add_argument(
            "--adapt", type=Path, metavar="FOLDER", help="the actor's own other clips"
        )
        parser.add_argument("--adapt-seconds", type=float, default=float("inf"))
        parser.add_argument(
            "--adapt-steps",
            type=int,
            default=300,
            help="of the renderer; 0: it stays the general one",
        )
        parser.add_argument(
            "--adapt-control-steps",
            type=int,
            help=f"of the control network; by default {CONTROL_STEPS}, and none without"
            " the renderer: the clips then give references only",
        )
        parser.add_argument("--device", default="cpu", help="to adapt on: cpu or cuda")
        parser.add_argument(
            "--other-footage-only",
            action="store_true",
            help="references from --adapt or --actor alone, none from the clip itself",
        )
        parser.add_argument("--json", type=Path, help="write the figures here")
        parser.add_argument("--sheet", type=Path, help="write the picture sheet (PNG)")
        parser.add_argument("--sheet-clips", type=int, default=3)
        parser.add_argument("--threads", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        """Adapt if asked, judge each clip, print the table, write JSON and sheet."""
        sheet = options["sheet"] or (
            options["json"].with_suffix(".png") if options["json"] else None
        )
        torch.set_num_threads(options["threads"])
        try:
            with tempfile.TemporaryDirectory(prefix="lipweb-evaluate-") as folder:
                self._evaluate(options, ActorFolders(Path(folder)), sheet)
        except SynthesisError as error:
            raise CommandError(error.sentence) from error

    def _evaluate(
        self, options: dict[str, Any], learned: ActorFolders, sheet: Path | None
    ) -> None:
        began = time.monotonic()
        paths, own = _divided(options)
        fitted_steps = control_steps(options)
        if own:
            _say(self, f"Learning from {len(own)} of the actor's own clips.")
            for line in learn_actor(
                own,
                options["weights"],
                learned,
                steps=options["adapt_steps"],
                control_steps=fitted_steps,
                seed=SEED,
                device=options["device"],
            ):
                _say(self, line)
        contest = lineup(
            options["weights"],
            actor_folders(options["actor"], learned, own=bool(own)),
            other_footage_only=options["other_footage_only"],
            threads=options["threads"],
        )
        run = _Run(self, paths, options)
        interrupted = False
        try:
            run.judge(contest)
        except KeyboardInterrupt:
            interrupted = True
        if not run.results:
            raise CommandError(
                "There is no clip to judge in that folder."
                if not interrupted
                else "Stopped before the first clip was judged; nothing is written."
            )
        adapted = bool(own) and options["adapt_steps"] > 0
        table = summary(run.results)
        self.stdout.write(as_text(table, adapted=adapted))
        about = {
            "clips_judged": len({r.clip for r in run.results}),
            "left_out": run.left_out,
            "adapted_to": [path.name for path in own],
            "adapt_steps": options["adapt_steps"] if own else 0,
            "adapt_control_steps": fitted_steps if own else 0,
            "other_footage_only": options["other_footage_only"],
            "missing": contest.missing,
            "weights_sha256": contest.weights_sha256,
            "interrupted": interrupted,
            "seconds_taken": round(time.monotonic() - began, 1),
        }
        if options["json"]:
            content = as_json(run.results, table, about, adapted=adapted)
            write(options["json"], content)
        if sheet:
            write(sheet, as_png(run.pages))
        if interrupted:
            raise CommandError(
                "Stopped: the figures are of the clips judged so far.", returncode=130
            )


class _Run:
    """What is found while clips are judged, kept for when it is cut short."""

    def __init__(
        self, command: BaseCommand, paths: Sequence[Path], options: dict[str, Any]
    ) -> None:
        self._say = partial(_say, command)
        self._paths = paths
        self._longest_s = options["seconds"]
        self._sheet_clips = options["sheet_clips"]
        self.results: list[Result] = []
        self.left_out: dict[str, str] = {}
        self.pages: list[Page] = []

    def judge(self, contest: Lineup) -> None:
        """Open every clip, then judge those that can be."""
        for what, why in contest.missing.items():
            self._say(f"Without {what}: {why}")
        opened = list(self._opened())
        materials = [clip.material for clip in opened]
        bench = Bench(contest.contenders, contest.lip_code, contest.judge)
        began = time.monotonic()
        for number, clip in enumerate(opened):
            found = list(bench.clip(clip.material, other_of(materials, number)))
            clip.reel.forget()
            if number < self._sheet_clips:
                self.pages += pages(found, clip.material.times_s)
            self.results += [replace(result, seen=None) for result in found]
            each_s = (time.monotonic() - began) / (number + 1)
            left_s = each_s * (len(opened) - number - 1)
            self._say(
                f"{number + 1}/{len(opened)} {clip.material.name} "
                f"{_line(found)} ETA {left_s:.0f} s"
            )

    def _opened(self) -> Iterator[Opened]:
        finder = FaceFinder()
        for number, path in enumerate(self._paths, 1):
            try:
                opened = open_material(path, finder, self._longest_s)
            except SynthesisError as error:
                name = f"{path.parent.name}/{path.name}"
                self.left_out[name] = error.sentence
                self._say(f"{name}: left out. {error.sentence}")
                continue
            opened.reel.forget()
            self._say(f"looked at {number}/{len(self._paths)} {opened.material.name}")
            yield opened


def _divided(options: dict[str, Any]) -> tuple[list[Path], list[Path]]:
    """Return the clips to judge by and the actor's own; none is both."""
    paths = footage.clip_paths(options["folder"])
    if options["clips"]:
        named = set(options["clips"].read_text().split())
        paths = [p for p in paths if f"{p.parent.name}-{p.stem}" in named]
    paths = paths[: options["limit"]]
    if not paths:
        raise CommandError("There is no clip to judge in that folder.")
    if not options["adapt"]:
        return paths, []
    if options["actor"]:
        raise CommandError("Give --adapt or --actor, not both.")
    judged = {sha256_file(path) for path in paths}
    own = [
        path
        for path in footage.clip_paths(options["adapt"])
        if sha256_file(path) not in judged
    ]
    lengths_s = [_length_s(path) for path in own]
    own = clips_within(own, lengths_s, options["adapt_seconds"])
    if not own:
        raise CommandError("The folder to adapt to holds no clip but those to judge.")
    return paths, own


def _length_s(path: Path) -> float:
    try:
        return float(probe(path).duration)
    except SynthesisError:
        return 0.0  # prepare will say why it cannot be used


def control_steps(options: dict[str, Any]) -> int:
    """Return how long the control network is fitted to the actor."""
    asked: int | None = options["adapt_control_steps"]
    if asked is not None:
        return asked
    return CONTROL_STEPS if options["adapt_steps"] else 0


def actor_folders(
    actor: Path | None, learned: ActorFolders, *, own: bool
) -> tuple[Path | None, Path | None]:
    """Return the weights to judge, and those of the actor before adaptation."""
    if not own:
        return actor, None
    if learned.adapted.exists():
        return learned.adapted, learned.plain
    return learned.plain, None


def _say(command: BaseCommand, line: str) -> None:
    """Print progress at once, into a file too."""
    command.stdout.write(line)
    command.stdout.flush()


def _line(found: Sequence[Result]) -> str:
    ours = next(r.figures for r in found if r.row == "lipweb")
    return (
        f"lipweb PSNR {ours['psnr']:.1f} dB SSIM {ours['ssim']:.3f} "
        f"sharpness {ours['sharpness']:.2f} opening r {ours['opening_r']:.2f}"
    )
