"""The job that learns an actor's mouth: rows on one side, networks on the other."""

from __future__ import annotations

import logging
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from django.conf import settings

from synthesis.adapting.footage import (
    Source,
    footage_prepare,
    frames_of,
    said_in,
    sound_of,
    sources_of,
)
from synthesis.adapting.publishing import model_publish
from synthesis.adapting.work import STEPS, look, part_keep, parts_restore, reporter
from synthesis.engines.base import ShotFace
from synthesis.engines.comparison import Comparison, compare
from synthesis.engines.native import NativeEngine
from synthesis.errors import SynthesisError
from synthesis.media.probe import Probe, probe
from synthesis.models import Adaptation, Scene
from synthesis.neural.adapt import adapt
from synthesis.neural.own_footage import Stretch
from synthesis.neural.training import TrainingError
from synthesis.neural.weights import GENERAL
from synthesis.recognising import learned_faces_verify
from synthesis.services.adaptation import work_prefix
from synthesis.storage import local_path, scratch_dir

log = logging.getLogger(__name__)

SEED = 20261121
CONTROL_SHARE = 0.1
"""Steps of the control network for each of the renderer's: it learns fast."""
NETWORKS = {"renderer": STEPS[1], "control": STEPS[2]}


def adaptation_run(adaptation: Adaptation) -> None:
    """Learn, compare, and only then let the model exist. What a worker that was killed
    had done is taken up. Raises Stopped, ConsentDenied, SynthesisError."""
    torch.set_num_threads(settings.RENDER_THREADS)
    with tempfile.TemporaryDirectory(
        prefix=work_prefix(adaptation.id), dir=scratch_dir(), ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        try:
            parts_restore(adaptation, folder)
            sources = sources_of(adaptation)
            facts = footage_prepare(adaptation, sources, folder / "data")
            _learn(adaptation, folder)
            compared = _compare(adaptation, sources, facts, folder)
            _faces_verify_again(adaptation, sources, facts)
            model_publish(adaptation, facts, compared, folder)
        except FileNotFoundError:
            # A withdrawal takes footage and work away under a running job.
            look(adaptation)
            raise


def _faces_verify_again(
    adaptation: Adaptation, sources: list[Source], facts: dict[str, Any]
) -> None:
    """Raise SynthesisError where the actor has said meanwhile that a face that was
    learned from is not theirs."""
    used = {source["sha256"] for source in facts["sources"]}
    for source in sources:
        if source.row.sha256 in used:
            learned_faces_verify(adaptation, said_in(adaptation, source.row))


def _learn(adaptation: Adaptation, folder: Path) -> None:
    """Fit renderer and control network; each checkpoint goes into storage."""
    look(adaptation)
    reports = {
        network: reporter(adaptation, words, unit="step")
        for network, words in NETWORKS.items()
    }

    def report(network: str, done: int, steps: int) -> None:
        for checkpoint in (folder / "run" / "checkpoints").glob("*.pt"):
            part_keep(adaptation, checkpoint.name, checkpoint)
        reports[network](done, steps)

    device = "cuda" if torch.cuda.is_available() else "cpu"
    lines = adapt(
        [folder / "data"],
        GENERAL,
        folder / "run",
        renderer_steps=settings.ADAPT_STEPS,
        control_steps=max(1, round(settings.ADAPT_STEPS * CONTROL_SHARE)),
        seed=SEED,
        device=device,
        parts=("train",),
        report=report,
    )
    try:
        for line in lines:
            log.info("adaptation=%s %s", adaptation.id, line)
    except TrainingError as error:
        if error.code != "nan-loss":
            raise
        raise SynthesisError(
            "nan-loss",
            "The learning ran astray: its error stopped being a number. Nothing was"
            " kept. Start it again, with more or other footage if it happens twice.",
        ) from error


def _compare(
    adaptation: Adaptation, sources: list[Source], facts: dict[str, Any], folder: Path
) -> Comparison:
    """Both networks on the seconds that were kept out of training."""
    look(adaptation)
    about = facts["excerpt"]
    with np.load(folder / "data" / "excerpt.npz") as arrays, ExitStack() as stack:
        stretch = Stretch(
            about["source"], about["first"], arrays["landmarks"], arrays["times_s"]
        )
        row = sources[stretch.source].row
        path = stack.enter_context(local_path(row.file))
        measured = (
            Probe.from_json(row.media_facts) if isinstance(row, Scene) else probe(path)
        )
        face = ShotFace(
            frames=lambda: frames_of(path, measured, stretch),
            landmarks=stretch.landmarks,
            times_s=stretch.times_s - stretch.times_s[0],
            sound=sound_of(path, measured, stretch),
        )
        threads = settings.RENDER_THREADS
        weights = folder / "run" / "weights"
        return compare(
            face,
            {
                "general": lambda: NativeEngine.load(threads=threads),
                "adapted": lambda: NativeEngine.load(actor=weights, threads=threads),
            },
            judged_from=about["held_from"],
            report=reporter(adaptation, STEPS[3], unit="frame"),
        )
