"""What is learned of faces, and how its errors are counted: on made-up measures whose
truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthesis.faces.features import (
    SPACE,
    Answer,
    ShippedFeatures,
    compare,
    shipped_figures,
    unit,
)
from synthesis.faces.metric import (
    DISTURBED,
    Errors,
    Measured,
    Trial,
    figures,
    space_learn,
    space_write,
)
from synthesis.faces.networks import FaceNetworkError

SIZE = 40


def talkers(count: int = 12) -> Measured:
    """Talkers who differ in every direction, behind a disturbance, in two directions
    that all share, that is far louder than they are."""
    draw = np.random.default_rng(3)
    loud = np.zeros((2, SIZE))
    loud[0, 0] = loud[1, 1] = 30.0
    raw, names, clips = [], [], []
    for talker in range(count):
        own = draw.standard_normal(SIZE)
        for clip in range(4):
            noise = draw.standard_normal((1 + DISTURBED, 2)) @ loud
            raw.append(own + noise + 0.3 * draw.standard_normal((1 + DISTURBED, SIZE)))
            names.append(f"s{talker}")
            clips.append(f"c{clip}")
    return Measured(np.asarray(raw, np.float32), np.array(names), np.array(clips))


def test_learning_takes_out_what_disturbs_talkers_it_has_never_seen() -> None:
    found = figures(talkers(), seed=1)
    told = found["figures"]
    assert told["talkers"] == 12
    assert told["equal_error_unlearned"] > 0.2
    assert told["disturbed"]["equal_error"] < 0.1
    assert told["disturbed"]["others_accepted"] <= 0.005
    assert found["other_below"] <= found["same_from"]


def test_shuffled_names_cannot_be_told_apart() -> None:
    made = talkers()
    mixed = np.random.default_rng(2).permutation(made.talkers)
    clips = np.array([f"c{number}" for number in range(len(mixed))])
    told = figures(Measured(made.raw, mixed, clips), seed=1)["figures"]
    assert told["clean"]["equal_error"] > 0.3


def test_each_pair_of_talkers_counts_alike_however_many_clips_they_have() -> None:
    found = [Trial(0.9, "a", "a")] * 98 + [Trial(0.1, "b", "b")] * 2
    found += [Trial(0.5, "a", "b")] * 3
    errors = Errors.of(found)
    assert errors.false_rejects(0.4) == pytest.approx(0.5)
    assert errors.false_accepts(0.4) == pytest.approx(1.0)
    assert errors.false_accepts(0.6) == 0.0
    assert errors.threshold_accepting(0.0) == pytest.approx(0.505)


def test_what_is_shipped_was_measured_on_talkers_left_out() -> None:
    told = shipped_figures()
    assert told["talkers"] >= 12
    assert told["disturbed"]["pairs_of_talkers"] >= 60
    assert told["clean"]["others_accepted"] <= 0.005


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    space = space_learn(talkers())
    facts = {"same_from": 0.4, "other_below": 0.3, "figures": {}}
    space_write(tmp_path, space, facts)
    assert ShippedFeatures(tmp_path).same_from == 0.4
    content = bytearray((tmp_path / SPACE).read_bytes())
    content[-1] ^= 1
    (tmp_path / SPACE).write_bytes(content)
    with pytest.raises(FaceNetworkError, match="not the file that was measured"):
        ShippedFeatures(tmp_path)


@pytest.mark.parametrize(
    ("score", "verdict"), [(0.9, "same"), (0.0, "other"), (0.345, "unsure")]
)
def test_a_comparison_says_same_other_or_that_it_cannot_tell(
    score: float, verdict: str
) -> None:
    features = ShippedFeatures()
    a = np.zeros((1, 512), np.float32)
    b = a.copy()
    a[0, 0] = 1
    b[0, :2] = score, np.sqrt(1 - score**2)
    answer = compare(features, a, unit(b))
    assert answer == Answer(verdict, pytest.approx(score, abs=1e-6))  # type: ignore[arg-type]
