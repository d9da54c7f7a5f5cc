"""How well a mouth says what is heard: figures on openings, codes and known words.

Pure arrays, so that the same figures judge codes from sound and landmarks measured on
output frames. Openings are lip gaps in eye distances (lipcode.openings), codes those
of lipcode.LipCode; both one row a frame, with times_s (n,) in seconds of the sound.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthesis.neural.lipcode import REST_SHARE

Curve = NDArray[np.floating]

ALIGN_HZ = 25_000
"""GRID's alignments count in 1/25000 s (Cooke et al. 2006)."""
SILENCES = frozenset({"sil", "sp"})
CLOSED = 0.02
"""Gap over rest, in eye distances (about 2 mm), below which lips count as closed. In
GRID's real video 98 % of p, b and m come below it (s1; others 95 to 100 %), at .015
still 87 %, at .01 only half."""
CLEARLY_OPEN = 0.03
"""Gap over rest from which a closed copy is a false closure: between the two lies the
landmarks' own noise."""
REACH_S = 0.08
"""How far from its instant a closure is looked for: two frames of 25 a second."""
SETTLED_S = 0.3
"""Breath and lips that make ready are no rest: silence counts this far from words."""

PRONUNCIATION: dict[str, tuple[str, ...]] = {
    word: tuple(sounds.split())
    for word, sounds in {
        "bin": "b ih n", "lay": "l ey", "place": "p l ey s", "set": "s eh t",
        "blue": "b l uw", "green": "g r iy n", "red": "r eh d", "white": "w ay t",
        "at": "ae t", "by": "b ay", "in": "ih n", "with": "w ih dh",
        "a": "ey", "b": "b iy", "c": "s iy", "d": "d iy", "e": "iy", "f": "eh f",
        "g": "jh iy", "h": "ey ch", "i": "ay", "j": "jh ey", "k": "k ey", "l": "eh l",
        "m": "eh m", "n": "eh n", "o": "ow", "p": "p iy", "q": "k y uw", "r": "aa r",
        "s": "eh s", "t": "t iy", "u": "y uw", "v": "v iy", "x": "eh k s", "y": "w ay",
        "z": "z eh d",
        "zero": "z ih r ow", "one": "w ah n", "two": "t uw", "three": "th r iy",
        "four": "f ao", "five": "f ay v", "six": "s ih k s", "seven": "s eh v ax n",
        "eight": "ey t", "nine": "n ay n",
        "again": "ax g eh n", "now": "n aw", "please": "p l iy z", "soon": "s uw n",
    }.items()
}  # fmt: skip
"""GRID's 51 words in ARPAbet, as southern British talkers say them."""
VOWELS = frozenset(
    ("aa", "ae", "ah", "ao", "aw", "ax", "ay", "eh", "ey", "ih", "iy", "ow", "uw")
)
VOWEL_LENGTH = 2.0
"""A vowel lasts about as long as two consonants."""
BILABIALS = frozenset("pbm")
PHONES = tuple(sorted({sound for sounds in PRONUNCIATION.values() for sound in sounds}))
UNTOLD = -100
"""Row of a moment nobody can name: no alignment, or a word not in PRONUNCIATION."""


@dataclass(frozen=True)
class Spoken:
    """A word or a sound (ARPAbet) with its place in time."""

    text: str
    start_s: float
    end_s: float


def read_align(path: Path) -> list[Spoken]:
    """Read a GRID alignment: the words and silences of a clip.

    Raises ValueError where a line is not `start end word`, OSError without the file.
    """
    words = []
    for line in path.read_text().splitlines():
        start, end, text = line.split()
        words.append(Spoken(text, int(start) / ALIGN_HZ, int(end) / ALIGN_HZ))
    return words


def words_beside(clip: Path) -> list[Spoken] | None:
    """Return the alignment that lies next to a clip, None where there is none."""
    path = clip.with_suffix(".align")
    return read_align(path) if path.exists() else None


def sounds_of(words: Sequence[Spoken]) -> list[Spoken]:
    """Spread each known word's sounds over its time; others and silence give none."""
    sounds = []
    for word in words:
        names = PRONUNCIATION.get(word.text, ())
        lengths = np.array([VOWEL_LENGTH if n in VOWELS else 1.0 for n in names])
        ends = word.start_s + np.cumsum(lengths) / max(lengths.sum(), 1.0) * (
            word.end_s - word.start_s
        )
        start = word.start_s
        for name, end in zip(names, ends.tolist(), strict=True):
            sounds.append(Spoken(name, start, end))
            start = end
    return sounds


def phone_rows(
    words: Sequence[Spoken] | None, times_s: NDArray[np.floating]
) -> NDArray[np.int64]:
    """Return (n,): what is said at each time: 0 for silence, 1 + row of PHONES, or
    UNTOLD."""
    rows = np.zeros(len(times_s), np.int64)
    if words is None:
        return np.full_like(rows, UNTOLD)
    for word in words:
        if word.text not in SILENCES and word.text not in PRONUNCIATION:
            rows[(times_s >= word.start_s) & (times_s < word.end_s)] = UNTOLD
    for sound in sounds_of(words):
        within = (times_s >= sound.start_s) & (times_s < sound.end_s)
        rows[within] = 1 + PHONES.index(sound.text)
    return rows


def bilabial_instants(words: Sequence[Spoken]) -> NDArray[np.float64]:
    """Return (m,) seconds at which p, b or m close the lips.

    Measured on GRID: a plosive closes where the aligner starts its word, m at the
    middle of its share of the word.
    """
    instants = []
    for sound in sounds_of(words):
        if sound.text in BILABIALS:
            middle = (sound.start_s + sound.end_s) / 2
            instants.append(middle if sound.text == "m" else sound.start_s)
    return np.array(instants, np.float64)


def silent(words: Sequence[Spoken], times_s: Curve) -> NDArray[np.bool_]:
    """Return (n,): frames within silence, at least SETTLED_S from any word."""
    quiet = np.ones(len(times_s), bool)
    for word in words:
        if word.text not in SILENCES:
            far = (times_s < word.start_s - SETTLED_S) | (
                times_s > word.end_s + SETTLED_S
            )
            quiet &= far
    return quiet


def speaking(words: Sequence[Spoken], times_s: Curve) -> NDArray[np.bool_]:
    """Return (n,): frames from the first word to the last."""
    said = [w for w in words if w.text not in SILENCES]
    if not said:
        return np.zeros(len(times_s), bool)
    return (times_s >= said[0].start_s) & (times_s <= said[-1].end_s)


def over_rest(openings: Curve) -> NDArray[np.float64]:
    """Return (n,): the opening less that of the clip's own mouth at rest."""
    least = np.sort(openings)[: max(1, round(REST_SHARE * len(openings)))]
    gap: NDArray[np.float64] = np.asarray(openings, np.float64) - least.mean()
    return gap


def closures(
    gap: Curve, times_s: Curve, instants_s: Curve, *, closed: float = CLOSED
) -> NDArray[np.bool_]:
    """Return (m,): does the gap over rest (n,) come below `closed` at each instant?

    Looked for within REACH_S of the instant, read between frames. Instants outside
    the frames' time are left out.
    """
    around = np.linspace(-REACH_S, REACH_S, 9)
    inside = (instants_s >= times_s[0]) & (instants_s <= times_s[-1])
    looks = [np.interp(at + around, times_s, gap) for at in instants_s[inside]]
    return np.array([look.min() < closed for look in looks], bool)


def false_closures(
    made_gap: Curve, real_gap: Curve, *, closed: float = CLOSED
) -> NDArray[np.bool_]:
    """Return (k,): of the frames where the real mouth is clearly open, which are shut?

    Both gaps (n,) over rest.
    """
    opened = real_gap > closed * CLEARLY_OPEN / CLOSED
    shut: NDArray[np.bool_] = made_gap[opened] < closed
    return shut


def motion(curves: Curve, times_s: Curve, where: NDArray[np.bool_]) -> float:
    """Return the mean speed, units a second, of (n,) or (n, C) over marked frames.

    A step counts where both its frames are marked. NaN where none is.
    """
    rows = np.asarray(curves, np.float64).reshape(len(curves), -1)
    steps = np.linalg.norm(np.diff(rows, axis=0), axis=1) / np.diff(times_s)
    both = where[1:] & where[:-1]
    return float(steps[both].mean()) if both.any() else float("nan")


def correlation(a: Curve, b: Curve) -> float:
    """Return Pearson's r; 0 where either does not move."""
    if len(a) < 2 or np.std(a) < 1e-9 or np.std(b) < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def r_squared(
    made: Sequence[Curve], real: Sequence[Curve], *, within: bool = False
) -> NDArray[np.float64]:
    """Return (C,): share of the variance of real codes that made ones explain.

    Clips of (n, C) each, pooled. within: every clip's mean is taken off both first:
    how a talker holds the mouth all along cannot be heard.
    """

    def rows(clips: Sequence[Curve]) -> NDArray[np.float64]:
        parts = [np.asarray(c, np.float64) for c in clips]
        return np.concatenate([c - c.mean(0) if within else c for c in parts])

    a, b = rows(made), rows(real)
    rest = ((b - b.mean(0)) ** 2).sum(0)
    share: NDArray[np.float64] = 1 - ((a - b) ** 2).sum(0) / np.maximum(rest, 1e-12)
    return share


@dataclass(frozen=True)
class Articulation:
    """What `judge` finds over many clips; NaN where no clip could tell."""

    opening_r: float
    """Correlation of opening with the real one, mean over clips."""
    opening_r_least: float
    speech_r: float
    """The same from the first word to the last: before it many talkers open their
    mouths to breathe, which no sound tells (GRID's s2 and s4: .66 of all, .80 of
    speech)."""
    bilabials: int
    closed: float
    """Share of bilabials with closed lips."""
    closed_real: float
    """The same in the real video: the ceiling."""
    false_closed: float
    """Share of clearly open real frames at which the made mouth is shut; from the
    first word to the last where words are known (a breath is no consonant)."""
    silence: float
    """Speed of the opening in silence over the real mouth's."""


@dataclass(frozen=True)
class Said:
    """One clip: made and real openings (n,), times (n,), its words if known."""

    made: Curve
    real: Curve
    times_s: Curve
    words: Sequence[Spoken] | None = None


def judge(clips: Sequence[Said], *, closed: float = CLOSED) -> Articulation:
    """Measure many clips at once; one without words tells no bilabials or silence."""
    rs = [correlation(c.made, c.real) for c in clips]
    spoken_rs: list[float] = []
    shut, shut_real, wrong = [], [], []
    still, still_real = [], []
    for clip in clips:
        made, real = over_rest(clip.made), over_rest(clip.real)
        if clip.words is None:
            wrong.append(false_closures(made, real, closed=closed))
            continue
        during = speaking(clip.words, clip.times_s)
        wrong.append(false_closures(made[during], real[during], closed=closed))
        spoken_rs.append(correlation(made[during], real[during]))
        instants = bilabial_instants(clip.words)
        shut.append(closures(made, clip.times_s, instants, closed=closed))
        shut_real.append(closures(real, clip.times_s, instants, closed=closed))
        quiet = silent(clip.words, clip.times_s)
        still.append(motion(made, clip.times_s, quiet))
        still_real.append(motion(real, clip.times_s, quiet))
    resting = _mean(still_real)
    return Articulation(
        _mean(rs),
        min(rs, default=float("nan")),
        _mean(spoken_rs),
        sum(map(len, shut)),
        _share(shut),
        _share(shut_real),
        _share(wrong),
        _mean(still) / resting if resting else float("nan"),
    )


def _mean(values: Sequence[float]) -> float:
    known = [v for v in values if not np.isnan(v)]
    return float(np.mean(known)) if known else float("nan")


def _share(parts: Sequence[NDArray[np.bool_]]) -> float:
    joined = np.concatenate(parts) if parts else np.zeros(0, bool)
    return float(joined.mean()) if len(joined) else float("nan")
