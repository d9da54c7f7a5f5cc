"""manage.py train: prepared data, audio encoder, control, renderer, adaptation."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from synthesis.neural import stages
from synthesis.neural.prepare import CROPS, prepare
from synthesis.neural.training import TrainingError
from synthesis.neural.weights import GENERAL, WeightsError


class Command(BaseCommand):
    """Each stage can be stopped and typed again: it goes on where it was."""

    help = "Train the lip-sync networks on footage whose speakers agreed to it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add one sub-command a stage."""
        stage = parser.add_subparsers(dest="stage", required=True)
        sub = stage.add_parser("prepare", help="find faces, cut crops, hear the sound")
        sub.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
        sub.add_argument("--out", type=Path, required=True, metavar="DIR")
        sub.add_argument("--crop", choices=sorted(CROPS), default="general")
        for name, steps, about in (
            ("audio", 800, "train the audio encoder with lips"),
            ("control", 600, "train sound to lip code"),
            ("renderer", 6000, "train lip code to mouth"),
            ("adapt", 1500, "fit the renderer to one actor's own footage"),
        ):
            sub = stage.add_parser(name, help=about)
            sub.add_argument("data", nargs="+", type=Path, metavar="PREPARED")
            sub.add_argument("--run", type=Path, required=True, metavar="DIR")
            sub.add_argument("--steps", type=int, default=steps)
            sub.add_argument("--seed", type=int, default=20261121)
            if name == "control":
                sub.add_argument("--joint", action="store_true")
            if name in ("renderer", "adapt"):
                sub.add_argument("--device", default="cpu", help="cpu or cuda")
            if name == "renderer":
                sub.add_argument("--start", type=Path, help="weights to go on from")
            if name == "adapt":
                sub.add_argument("--general", type=Path, default=GENERAL)
                sub.add_argument("--control-steps", type=int, default=150)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the stage, printing its progress."""
        lines: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
            "prepare": _prepare,
            "audio": _audio,
            "control": _control,
            "renderer": _renderer,
            "adapt": _adapt,
        }
        try:
            for line in lines[options["stage"]](options):
                self.stdout.write(line)
        except (TrainingError, WeightsError) as error:
            raise CommandError(error.sentence) from error


def _prepare(options: dict[str, Any]) -> Iterator[str]:
    return prepare(options["folders"], options["out"], CROPS[options["crop"]])


def _audio(options: dict[str, Any]) -> Iterator[str]:
    return stages.train_audio(
        options["data"], options["run"], steps=options["steps"], seed=options["seed"]
    )


def _control(options: dict[str, Any]) -> Iterator[str]:
    return stages.train_control(
        options["data"],
        options["run"],
        steps=options["steps"],
        seed=options["seed"],
        joint=options["joint"],
    )


def _renderer(options: dict[str, Any]) -> Iterator[str]:
    return stages.train_renderer(
        options["data"],
        options["run"],
        steps=options["steps"],
        seed=options["seed"],
        device=options["device"],
        start=options["start"],
    )


def _adapt(options: dict[str, Any]) -> Iterator[str]:
    return stages.adapt(
        options["data"],
        options["general"],
        options["run"],
        renderer_steps=options["steps"],
        control_steps=options["control_steps"],
        seed=options["seed"],
        device=options["device"],
    )
