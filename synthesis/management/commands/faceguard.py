"""manage.py faceguard: learn and measure the shipped face features, install others."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from numpy.typing import NDArray

from synthesis.errors import SynthesisError
from synthesis.faces import metric, sface
from synthesis.faces.networks import MODELS
from synthesis.faces.portraits import portraits_of
from synthesis.faces.tracks import find_tracks
from synthesis.media.frames import read_frames
from synthesis.media.probe import probe
from synthesis.neural.footage import clip_paths


class Command(BaseCommand):
    help = "The face guard's features: train, measure, install a stronger network."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_subparsers(dest="what", required=True)
        for name, about in (
            ("measure", "tell talkers apart that were left out of learning"),
            ("train", "measure, then write the features that ship"),
        ):
            sub = what.add_parser(name, help=about)
            sub.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
            sub.add_argument("--clips", type=int, default=6, help="a talker, at most")
            sub.add_argument("--seed", type=int, default=20261121)
            if name == "train":
                sub.add_argument("--out", type=Path, default=MODELS, metavar="DIR")
        sub = what.add_parser("install", help="put OpenCV Zoo's SFace network in place")
        where = sub.add_mutually_exclusive_group(required=True)
        where.add_argument("--file", type=Path)
        where.add_argument("--url", help="https only")
        what.add_parser("show", help="say which features are in use, and how they do")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            {
                "measure": self._measure,
                "train": self._train,
                "install": self._install,
                "show": self._show,
            }[options["what"]](options)
        except SynthesisError as error:
            raise CommandError(error.sentence) from error

    def _measure(self, options: dict[str, Any]) -> None:
        measured = self._measured(options)
        self._tell(metric.figures(measured, seed=options["seed"]))

    def _train(self, options: dict[str, Any]) -> None:
        measured = self._measured(options)
        facts = metric.figures(measured, seed=options["seed"])
        metric.space_write(options["out"], metric.space_learn(measured), facts)
        self._tell(facts)

    def _install(self, options: dict[str, Any]) -> None:
        folder = Path(settings.FACE_MODELS_DIR)
        if options["file"]:
            sface.install(options["file"], folder)
        else:
            sface.download(options["url"], folder)
        self.stdout.write(
            "SFace is in place. Faces enrolled before are compared as before until the"
            " actor enrols again."
        )

    def _show(self, options: dict[str, Any]) -> None:
        features = sface.best_features(Path(settings.FACE_MODELS_DIR))
        self.stdout.write(
            f"{features.name} {features.sha256[:12]}: the same from"
            f" {features.same_from}, another below {features.other_below}"
        )

    def _measured(self, options: dict[str, Any]) -> metric.Measured:
        samples = []
        for sample in _samples(options["folders"], options["clips"]):
            samples.append(sample)
            self.stdout.write(
                f"{sample.talker} {sample.clip}: {len(sample.portraits)} portraits"
            )
            self.stdout.flush()
        talkers = {sample.talker for sample in samples}
        if len(talkers) <= metric.LEFT_OUT + 1:
            raise CommandError(
                f"Give clips of more than {metric.LEFT_OUT + 1} talkers, each in a"
                " folder of their own."
            )
        parts = list(metric.samples_measure(samples, seed=options["seed"]))
        return metric.joined(parts)

    def _tell(self, facts: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(facts, indent=2, sort_keys=True))


def _samples(folders: Sequence[Path], most: int) -> Iterator[metric.Sample]:
    """Portraits of each clip; the folder a clip lies in names its talker, and at most
    `most` clips of one, spread over the folder, are looked at."""
    by_talker: dict[str, list[Path]] = {}
    for path in (path for folder in folders for path in clip_paths(folder)):
        by_talker.setdefault(path.parent.name, []).append(path)
    for talker, paths in sorted(by_talker.items()):
        paths = sorted(paths)
        places = np.linspace(0, len(paths) - 1, min(most, len(paths)))
        for path in (paths[int(place)] for place in np.round(places)):
            sample = _sample(talker, path)
            if sample is not None:
                yield sample


FRAMES, PORTRAITS = 16, 4
"""Of each clip: what follows shows the same face in the same light."""


def _sample(talker: str, path: Path) -> metric.Sample | None:
    facts = probe(path)
    stop = min(FRAMES, facts.frame_count)
    pictures = [planes.rgb() for planes in read_frames(path, facts, 0, stop)]
    track = next(iter(find_tracks(iter(pictures), [(0, stop)])), None)
    if track is None:
        return None

    def read(rows: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        return (pictures[track.start + row] for row in rows)

    try:
        portraits = portraits_of(track.landmarks, read, PORTRAITS)
    except SynthesisError:
        return None
    return metric.Sample(talker, path.stem, portraits)
