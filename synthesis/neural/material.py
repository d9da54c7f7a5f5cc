"""What an evaluation judges: clips, and those who dub them.

A contender is anything that puts out frames for a clip and a sound; the unmodified
video is one. Which frames of a clip are speech, and which silence, is told here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from synthesis.media.frames import Planes
from synthesis.neural import articulation
from synthesis.neural.articulation import Spoken
from synthesis.neural.mel import MEL_RATE_HZ, log_mel
from synthesis.neural.speech import speech_gate


@dataclass(frozen=True)
class Material:
    """A clip ready to be judged; n frames, all of one face.

    planes: reads them anew. times_s: (n,) on the sound's clock. sound: mono 16 kHz.
    landmarks: float64 (n, 468, 3), filled. words: of the alignment beside the clip.
    """

    name: str
    talker: str
    planes: Callable[[], Iterator[Planes]]
    times_s: NDArray[np.float64]
    sound: NDArray[np.float32]
    landmarks: NDArray[np.float64]
    words: Sequence[Spoken] | None


@dataclass(frozen=True)
class Painted:
    """A frame of output: RGB uint8 (H, W, 3), samples changed off the mask."""

    rgb: NDArray[np.uint8]
    strayed: int = 0


class Dub(Protocol):
    """Redraws a clip's mouth to a sound; codes, if given, are drawn instead of it."""

    def __call__(
        self,
        material: Material,
        sound: NDArray[np.float32],
        codes: NDArray[np.float32] | None,
    ) -> Iterator[Painted]: ...


@dataclass(frozen=True)
class Contender:
    """A row of the table. true_codes: drawn from the filmed mouth's codes, so that
    the picture is judged alone; such a row has no cross sound."""

    name: str
    dub: Dub
    true_codes: bool = False


class SyncJudge(Protocol):
    """Who tells sound and mouth apart; see neural.evaluator."""

    def sync(
        self,
        crops: NDArray[np.uint8],
        sound: NDArray[np.float32],
        times_s: NDArray[np.float64],
    ) -> tuple[float, float]:
        """Return (offset in frames, confidence); NaN where it cannot tell."""
        ...

    def agreement(
        self,
        crops: NDArray[np.uint8],
        sound: NDArray[np.float32],
        times_s: NDArray[np.float64],
    ) -> float:
        """Return how well they agree as they stand; NaN where it cannot tell."""
        ...


def spoken_frames(material: Material) -> NDArray[np.bool_]:
    """Return (n,): frames within a word, or where speech is heard if none is known."""
    if material.words is None:
        return heard_at(material.sound, material.times_s) > 0.5
    spoken = np.zeros(len(material.times_s), bool)
    for word in material.words:
        if word.text not in articulation.SILENCES:
            at = material.times_s
            spoken |= (at >= word.start_s) & (at <= word.end_s)
    return spoken


def quiet_frames(
    sound: NDArray[np.float32],
    words: Sequence[Spoken] | None,
    times_s: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Return (n,): frames in silence, away from every word or sound."""
    if words is not None:
        return articulation.silent(words, times_s)
    settled = articulation.SETTLED_S
    reach = np.linspace(-settled, settled, 13)
    around = heard_at(sound, (times_s[:, None] + reach).ravel())
    return np.asarray(around.reshape(len(times_s), -1).max(1) <= 0, np.bool_)


def heard_at(
    sound: NDArray[np.float32], times_s: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (n,) 0..1: is speech heard at times_s (n,)? Silence off the sound."""
    gate = speech_gate(log_mel(sound))
    return np.interp(
        times_s * MEL_RATE_HZ, np.arange(len(gate)), gate, left=0.0, right=0.0
    )


def unmodified(
    material: Material,
    sound: NDArray[np.float32],
    codes: NDArray[np.float32] | None,
) -> Iterator[Painted]:
    """The contender that changes nothing; a Dub."""
    return (Painted(planes.rgb()) for planes in material.planes())
