"""manage.py train: prepared data, networks, what judges them, adaptation."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from synthesis.errors import SynthesisError
from synthesis.media.aside import written_aside
from synthesis.neural import stages
from synthesis.neural.adapt import adapt
from synthesis.neural.card import CARD, evaluation_read, model_card
from synthesis.neural.packing import pack, unpack
from synthesis.neural.prepare import CROPS, prepare
from synthesis.neural.weights import GENERAL


class Command(BaseCommand):
    """Each stage can be stopped and typed again: it goes on where it was."""

    help = "Train the lip-sync networks on footage whose speakers agreed to it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add one sub-command a stage."""
        stage = parser.add_subparsers(dest="stage", required=True)
        sub = stage.add_parser(
            "prepare", help="cut clips into shots, find the face that speaks, hear it"
        )
        sub.add_argument(
            "folders",
            nargs="+",
            type=Path,
            metavar="FOLDER",
            help="of consented footage; the folder a clip lies in names its talker",
        )
        sub.add_argument("--out", type=Path, required=True, metavar="DIR")
        sub.add_argument("--crop", choices=sorted(CROPS), default="general")
        sub = stage.add_parser("pack", help="make prepared data small, to travel")
        sub.add_argument("prepared", type=Path, metavar="PREPARED")
        sub.add_argument("--out", type=Path, required=True, metavar="FILE")
        sub.add_argument("--limit-mb", type=float, default=40.0)
        sub = stage.add_parser("unpack", help="make prepared data of a pack")
        sub.add_argument("file", type=Path, metavar="FILE")
        sub.add_argument("--out", type=Path, required=True, metavar="DIR")
        for name, steps, about in (
            ("audio", 1000, "train the sync expert"),
            ("control", 2000, "train sound to lip code"),
            ("renderer", 6000, "train lip code to mouth"),
            ("evaluator", 1000, "train the judge of sync, on clips of its own"),
            ("baseline", 3000, "train the end-to-end network we compare with"),
            ("adapt", 1500, "fit the renderer to one actor's own footage"),
        ):
            sub = stage.add_parser(name, help=about)
            sub.add_argument("data", nargs="+", type=Path, metavar="PREPARED")
            sub.add_argument("--run", type=Path, required=True, metavar="DIR")
            sub.add_argument("--steps", type=int, default=steps)
            sub.add_argument("--seed", type=int, default=20261121)
            if name == "control":
                sub.add_argument("--on-expert", action="store_true")
            sub.add_argument("--device", default="cpu", help="cpu or cuda")
            if name == "renderer":
                sub.add_argument("--start", type=Path, help="weights to go on from")
            if name == "adapt":
                sub.add_argument("--general", type=Path, default=GENERAL)
                sub.add_argument("--control-steps", type=int, default=150)

        sub = stage.add_parser("card", help="write the model card of finished weights")
        where = sub.add_mutually_exclusive_group(required=True)
        where.add_argument("--run", type=Path, metavar="DIR")
        where.add_argument("--weights", type=Path, metavar="DIR")
        sub.add_argument(
            "--evaluation", nargs="*", type=Path, default=[], metavar="FIGURES.json"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the stage, printing its progress."""
        lines: dict[str, Callable[[dict[str, Any]], Iterator[str]]] = {
            "prepare": _prepare,
            "pack": _pack,
            "unpack": _unpack,
            "audio": _audio,
            "control": _control,
            "renderer": _renderer,
            "evaluator": _evaluator,
            "baseline": _baseline,
            "adapt": _adapt,
            "card": _card,
        }
        try:
            for line in lines[options["stage"]](options):
                self.stdout.write(line)
        except SynthesisError as error:
            raise CommandError(error.sentence) from error


def _prepare(options: dict[str, Any]) -> Iterator[str]:
    return prepare(options["folders"], options["out"], CROPS[options["crop"]])


def _pack(options: dict[str, Any]) -> Iterator[str]:
    limit_bytes = round(options["limit_mb"] * 1e6)
    return pack(options["prepared"], options["out"], limit_bytes=limit_bytes)


def _unpack(options: dict[str, Any]) -> Iterator[str]:
    return unpack(options["file"], options["out"])


def _audio(options: dict[str, Any]) -> Iterator[str]:
    return stages.train_audio(
        options["data"],
        options["run"],
        steps=options["steps"],
        seed=options["seed"],
        device=options["device"],
    )


def _control(options: dict[str, Any]) -> Iterator[str]:
    return stages.train_control(
        options["data"],
        options["run"],
        steps=options["steps"],
        seed=options["seed"],
        on_expert=options["on_expert"],
        device=options["device"],
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


def _evaluator(options: dict[str, Any]) -> Iterator[str]:
    return stages.train_evaluator(
        options["data"],
        options["run"],
        steps=options["steps"],
        seed=options["seed"],
        device=options["device"],
    )


def _baseline(options: dict[str, Any]) -> Iterator[str]:
    return stages.train_baseline(
        options["data"],
        options["run"],
        steps=options["steps"],
        seed=options["seed"],
        device=options["device"],
    )


def _adapt(options: dict[str, Any]) -> Iterator[str]:
    return adapt(
        options["data"],
        options["general"],
        options["run"],
        renderer_steps=options["steps"],
        control_steps=options["control_steps"],
        seed=options["seed"],
        device=options["device"],
    )


def _card(options: dict[str, Any]) -> Iterator[str]:
    weights = options["weights"] or options["run"] / "weights"
    figures = {path.stem: evaluation_read(path) for path in options["evaluation"]}
    text = model_card(weights, figures)
    with written_aside(weights / CARD) as file:
        file.write(text.encode())
    yield f"{weights / CARD}: {len(text.splitlines())} lines"
