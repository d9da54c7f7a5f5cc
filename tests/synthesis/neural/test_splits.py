"""What is judged by is never trained on."""

from __future__ import annotations

from synthesis.neural.splits import clip_of, split


def test_splits_share_no_clip_and_hold_whole_talkers_out() -> None:
    talkers = {f"t{t}-{i}": f"t{t}" for t in range(5) for i in range(60)}
    talkers |= {f"rare-{i}": "rare" for i in range(3)}
    parts = split(talkers)
    held = set(parts["held_out"])
    names = [n for part in ("train", "val", "test", "unseen") for n in parts[part]]
    assert sorted(names) == sorted(talkers)
    assert len(held) == 2
    assert {talkers[n] for n in parts["unseen"]} == held
    assert parts["val"] and parts["test"]
    assert split(talkers)["val"] == parts["val"]


def test_expert_and_judge_divide_the_training_clips() -> None:
    parts = split({f"t{t}-{i}": f"t{t}" for t in range(5) for i in range(60)})
    assert parts["judge"] and parts["expert"]
    assert sorted(parts["judge"] + parts["expert"]) == sorted(parts["train"])


def test_pieces_of_one_clip_stay_together() -> None:
    talkers = {f"a-{i}@{k}": "a" for i in range(80) for k in range(1, 5)}
    parts = split(talkers)
    assert parts["val"] and parts["test"]
    for one, other in (
        ("train", "val"), ("train", "test"), ("val", "test"), ("expert", "judge")
    ):  # fmt: skip
        assert not {clip_of(n) for n in parts[one]} & {clip_of(n) for n in parts[other]}


def test_many_pieces_of_few_clips_are_not_enough_to_hold_a_talker_out() -> None:
    talkers = {f"{t}-film@{k}": t for t in "abc" for k in range(50)}
    parts = split(talkers)
    assert parts["held_out"] == []
    assert sorted(parts["train"]) == sorted(talkers)


def test_one_talker_alone_is_trained_on() -> None:
    parts = split({f"a-{i}": "a" for i in range(30)})
    assert parts["held_out"] == []
    assert len(parts["train"]) > 20
