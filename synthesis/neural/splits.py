"""Which prepared pieces are trained on, and which are kept to judge by."""

from __future__ import annotations

import hashlib
from collections import Counter

VAL_SHARE, TEST_SHARE = 0.05, 0.05
HELD_OUT_TALKERS = 2
"""Of the talkers with enough clips to judge by."""
ENOUGH_CLIPS = 10
JUDGE_SHARE = 0.35
"""Of the training clips: the evaluator learns from these, the sync expert from the
others, so that the one is no echo of the other."""
PIECE = "@"
"""Between a clip's name and the number of one of its pieces."""


def clip_of(name: str) -> str:
    """Return the clip that a prepared piece was cut from."""
    return name.partition(PIECE)[0]


def split(talkers: dict[str, str]) -> dict[str, list[str]]:
    """Divide pieces {name: talker} into lists of names, the same way every time.

    train, val, test: disjoint clips of the same talkers; the pieces of one clip stay
    together. unseen: every clip of the talkers held out. held_out: those talkers.
    expert, judge: train divided once more, for the sync expert and for the evaluator.
    """
    clips = {clip_of(name): talker for name, talker in talkers.items()}
    counts = Counter(clips.values())
    ranked = sorted((t for t in counts if counts[t] >= ENOUGH_CLIPS), key=_draw)
    most = max(counts, key=lambda t: counts[t], default="")
    held_out = [t for t in ranked if t != most][
        : min(HELD_OUT_TALKERS, len(ranked) - 1)
    ]
    parts: dict[str, list[str]] = {
        "train": [], "val": [], "test": [], "unseen": [], "held_out": held_out
    }  # fmt: skip
    for name, talker in sorted(talkers.items()):
        parts[_part(clip_of(name), talker, counts[talker], held_out)].append(name)
    judged = {n for n in parts["train"] if _draw(f"judge {clip_of(n)}") < JUDGE_SHARE}
    parts["judge"] = sorted(judged)
    parts["expert"] = [n for n in parts["train"] if n not in judged]
    return parts


def _part(clip: str, talker: str, count: int, held_out: list[str]) -> str:
    if talker in held_out:
        return "unseen"
    draw = _draw(clip)
    if count < ENOUGH_CLIPS or draw > VAL_SHARE + TEST_SHARE:
        return "train"
    return "val" if draw < VAL_SHARE else "test"


def _draw(name: str) -> float:
    """Return a fixed pseudo-random 0..1 for a name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 2**48
