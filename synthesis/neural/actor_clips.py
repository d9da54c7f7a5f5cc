"""An actor's own clips, made ready for a trial: references, and weights adapted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthesis.faces.align import CropSpec
from synthesis.neural.adapt import EVERY_PART, adapt, reference_pictures
from synthesis.neural.dataset import open_clips, read_splits
from synthesis.neural.footage import FootageError
from synthesis.neural.prepare import prepare
from synthesis.neural.weights import WeightFolder, publish


@dataclass(frozen=True)
class ActorFolders:
    """Under one folder: weight folders an engine loads over the general one."""

    folder: Path

    @property
    def plain(self) -> Path:
        """References only: the actor's pictures under the general networks."""
        return self.folder / "plain"

    @property
    def adapted(self) -> Path:
        """Networks trained on the clips, and the same references."""
        return self.folder / "adapted" / "weights"


def learn_actor(
    clips: Sequence[Path],
    general: Path,
    out: ActorFolders,
    *,
    steps: int,
    control_steps: int,
    seed: int,
    device: str = "cpu",
) -> Iterator[str]:
    """Write out.plain and, if there are any steps, out.adapted; yield lines.

    Raises FootageError ("no-clips") where no clip can be used, TrainingError,
    WeightsError.
    """
    weights = WeightFolder(general)
    config = weights.config("renderer")
    spec = CropSpec(config["width"], config["height"], config["px_per_eyes"])
    data = out.folder / "prepared"
    yield from prepare(clips, data, spec)
    splits = read_splits(data)
    names = [name for part in EVERY_PART for name in splits[part]]
    if not names:
        raise FootageError(
            "no-clips", "None of the actor's own clips can be used; see above."
        )
    coded = open_clips(data, names, weights.lip_code())
    references = reference_pictures(coded, spec)
    base = weights.sha256("lip_code")
    publish(out.plain, "references", references, lip_code_sha256=base)
    if steps or control_steps:
        yield from adapt(
            [data],
            general,
            out.adapted.parent,
            renderer_steps=steps,
            control_steps=control_steps,
            seed=seed,
            device=device,
        )
    shutil.rmtree(data)


def clips_within(
    paths: Sequence[Path], lengths_s: Sequence[float], most_s: float
) -> list[Path]:
    """Return the first of paths that together last at most most_s."""
    kept, total_s = [], 0.0
    for path, length_s in zip(paths, lengths_s, strict=True):
        if total_s + length_s <= most_s:
            kept.append(path)
            total_s += length_s
    return kept
