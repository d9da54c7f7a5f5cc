"""A running adaptation's row: whether to go on, how far it is, what is done already."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from pathlib import Path

from django.db import transaction

from synthesis.models import Adaptation, AdaptationPart
from synthesis.progress import Progress, Stopped
from synthesis.services.consents import adaptation_verify
from synthesis.storage import keep, local_path

log = logging.getLogger(__name__)

STEPS = (
    "Looking at the footage",
    "Learning the mouth",
    "Learning the speech",
    "Comparing before and after",
)
FOOTAGE = "footage"
"""Name of the part that holds the prepared crops; the others are checkpoints."""


def look(adaptation: Adaptation) -> None:
    """Raise Stopped unless the adaptation is still wanted; ConsentDenied unless its
    grant still allows training on every source."""
    rows = Adaptation.objects.filter(id=adaptation.id, state=Adaptation.State.RUNNING)
    if not rows.exists():
        raise Stopped
    adaptation_verify(adaptation)


def reporter(
    adaptation: Adaptation, stage: str, *, unit: str
) -> Callable[[int, int], None]:
    """report(done, in all) of one of STEPS; may begin in the middle, where another
    worker stopped."""
    progress: list[Progress] = []

    def report(done: int, frames: int) -> None:
        if not progress:
            progress.append(
                Progress(
                    adaptation,
                    units=frames,
                    look=lambda: look(adaptation),
                    done=done,
                    step=STEPS.index(stage) + 1,
                    unit=unit,
                )
            )
        progress[0](stage, done, frames)

    return report


def part_keep(adaptation: Adaptation, name: str, path: Path) -> None:
    """Move a finished piece of work into storage. Raises Stopped, and keeps nothing,
    where the adaptation is not wanted any more."""
    part = AdaptationPart(adaptation=adaptation, name=name)
    keep(part.file, path, suffix="part")
    try:
        with transaction.atomic():
            rows = Adaptation.objects.select_for_update().filter(id=adaptation.id)
            if not rows.filter(state=Adaptation.State.RUNNING).exists():
                raise Stopped
            before = list(adaptation.parts.filter(name=name))
            adaptation.parts.filter(name=name).delete()
            part.save()
    except BaseException:
        part.file.delete(save=False)
        raise
    for old in before:
        old.file.delete(save=False)


def parts_restore(adaptation: Adaptation, folder: Path) -> None:
    checkpoints = folder / "run" / "checkpoints"
    checkpoints.mkdir(parents=True)
    for part in adaptation.parts.all():
        with local_path(part.file) as path:
            if part.name == FOOTAGE:
                shutil.unpack_archive(path, folder / "data", format="tar")
            else:
                shutil.copyfile(path, checkpoints / part.name)
        log.info("adaptation goes on adaptation=%s part=%s", adaptation.id, part.name)
