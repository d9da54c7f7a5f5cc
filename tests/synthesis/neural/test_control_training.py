"""What the two networks between sound and lips are trained on, and how."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from synthesis.faces.align import CropSpec
from synthesis.neural.articulation import UNTOLD, Spoken
from synthesis.neural.control import ControlConfig, SoundToLips
from synthesis.neural.control_training import (
    ControlSchedule,
    ControlStage,
    EncoderStage,
    WindowDraw,
    batch,
    opening_of,
)
from synthesis.neural.dataset import CodedClip
from synthesis.neural.lipcode import CODE_SIZE, POINTS, LipCode
from synthesis.neural.mel import RATE_HZ, log_mel
from synthesis.neural.prepare import Clip
from synthesis.neural.training import Stage, read_checkpoint, train

SMALL = ControlConfig(width=16, heard=8, dilations=(1,), talkers=3)
SCHEDULE = ControlSchedule(windows=4, window_s=1.0, moments=8, rate=3e-3)


def lip_code() -> LipCode:
    axes = np.linalg.qr(np.random.default_rng(0).normal(size=(3 * len(POINTS), 12)))[0]
    return LipCode(
        axes.T.astype(np.float32), np.geomspace(0.3, 0.005, 12).astype(np.float32)
    )


def clip(talker: str, seed: int) -> CodedClip:
    """Return 3 s: a buzz from 1 to 2 s whose pitch and mouth wander together."""
    rng = np.random.default_rng(seed)
    times_s = np.arange(75) / 25
    wander = np.interp(times_s, np.arange(13) / 4, rng.uniform(-1, 1, 13))
    loud = (times_s > 1) & (times_s < 2)
    codes = np.where(loud[:, None], wander[:, None], 0) * np.ones(CODE_SIZE)
    at = np.arange(3 * RATE_HZ) / RATE_HZ
    pitch = 300 + 200 * np.interp(at, times_s, wander)
    voice = np.sign(np.sin(2 * np.pi * np.cumsum(pitch) / RATE_HZ)) * 0.3
    sound = np.where((at > 1) & (at < 2), voice, rng.normal(0, 1e-3, len(at)))
    mel = log_mel(sound.astype(np.float32))
    pictures = np.zeros((75, 1, 1, 3), np.uint8)
    nowhere = np.zeros((75, 2, 3), np.float64)
    points = np.zeros((75, 1, 3), np.float32)
    return CodedClip(
        Clip("c", talker, pictures, points, nowhere, times_s, mel),
        codes=codes.astype(np.float32),
        rest=np.zeros(CODE_SIZE, np.float32),
        turns=np.zeros((75, 2)),
        colour=np.zeros(3),
        spec=CropSpec(),
        # Carl's clip came without an alignment.
        words=None if talker == "carl" else [Spoken("sil", 0, 1), Spoken("a", 1, 2)],
    )


CLIPS = [clip(t, i) for i, t in enumerate(("anna", "anna", "ben", "carl"))]


def drawn() -> WindowDraw:
    return WindowDraw(CLIPS, ["anna", "ben"], SCHEDULE.window_s)


def encoder_stage(schedule: ControlSchedule = SCHEDULE) -> EncoderStage:
    torch.manual_seed(schedule.seed)
    return EncoderStage(SoundToLips(SMALL), drawn(), schedule)


def control_stage(schedule: ControlSchedule = SCHEDULE) -> ControlStage:
    torch.manual_seed(schedule.seed)
    return ControlStage(SoundToLips(SMALL), drawn(), schedule, lip_code())


def test_a_batch_is_drawn_the_same_again_and_another_differs() -> None:
    first, again, other = (batch(drawn(), SCHEDULE, n) for n in (0, 0, 1))
    assert torch.equal(first.mel, again.mel) and torch.equal(first.codes, again.codes)
    assert not torch.equal(first.mel, other.mel)
    assert first.mel.shape == (4, 100, 80)
    assert first.codes.shape == (4, 12, 50)
    assert first.speech.shape == (4, 50)


def test_windows_hold_the_speech_of_a_clip_not_its_silence() -> None:
    speech = torch.cat([batch(drawn(), SCHEDULE, n).speech for n in range(8)])
    # A third of each clip is speech; windows of a second hold more.
    assert speech.mean() > 0.6


def test_talkers_without_a_style_row_are_the_unknown_one() -> None:
    rows = torch.cat([batch(drawn(), SCHEDULE, n).talkers for n in range(8)])
    assert set(rows.tolist()) == {0, 1, 2}


def losses_of(stage: Stage, steps: int, name: str) -> list[float]:
    return [stage.step(n, n / steps)[name] for n in range(steps)]


def test_the_encoder_learns_which_sound_goes_with_which_mouth() -> None:
    losses = losses_of(encoder_stage(), 60, "contrast")
    assert np.mean(losses[-10:]) < np.mean(losses[:10]) - 0.1


@torch.no_grad()
def distance(stage: ControlStage) -> float:
    """Return the loss of codes on batches that are never trained on."""
    networks = stage.networks.eval()
    found = []
    for number in range(1000, 1006):
        drawn = batch(stage.draw, SCHEDULE, number)
        style = networks.control.styles(drawn.talkers)
        found.append(float(stage._losses(networks(drawn.mel, style), drawn)["code"]))
    networks.train()
    return sum(found) / len(found)


def test_control_learns_and_the_average_follows_it() -> None:
    stage = control_stage()
    before = distance(stage)
    losses_of(stage, 120, "code")
    assert distance(stage) < 0.6 * before
    pairs = zip(stage.average.parameters(), stage.networks.parameters(), strict=True)
    gaps = [float((a - b).detach().abs().mean()) for a, b in pairs]
    assert 0 < max(gaps) < 0.1


@pytest.mark.parametrize(("share", "moves"), [(0.0, False), (0.3, True)])
def test_the_encoder_is_frozen_or_follows_as_scheduled(
    share: float, moves: bool
) -> None:
    stage = control_stage(replace(SCHEDULE, encoder_rate=share))
    before = stage.networks.encoder.front.weight.detach().clone()
    stage.step(0, 0.0)
    assert torch.equal(stage.networks.encoder.front.weight, before) is not moves


def test_the_encoder_learns_to_name_what_is_said() -> None:
    stage = control_stage()
    stage.draw = WindowDraw(CLIPS[:3], ["anna"], SCHEDULE.window_s)
    losses = losses_of(stage, 60, "phones")
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


def test_moments_nobody_wrote_down_teach_no_names() -> None:
    stage = control_stage()
    stage.draw = WindowDraw([CLIPS[3]], [], SCHEDULE.window_s)
    assert (batch(stage.draw, SCHEDULE, 0).phones == UNTOLD).all()
    parts = stage.step(0, 0.0)
    assert "phones" not in parts
    assert np.isfinite(sum(parts.values()))


def gaps(*values: float) -> torch.Tensor:
    """Return codes (1, 12, n) whose lip gaps are the values."""
    per_unit = torch.from_numpy(opening_of(lip_code()))
    codes = torch.zeros(1, 12, len(values))
    codes[:, 0] = torch.tensor(values) / per_unit[0]
    return codes


def test_closing_and_opening_are_both_asked_for_and_noise_between_is_not() -> None:
    stage = control_stage()
    real = gaps(0.0, 0.0, 0.06, 0.025, 0.06)
    apart = stage._lips_apart(gaps(0.0, 0.05, 0.01, 0.0, 0.09), real)[0]
    assert apart[0] == 0
    assert apart[1] == pytest.approx(0.05, abs=1e-6)
    assert apart[2] == pytest.approx(0.02, abs=1e-6)
    assert apart[3:].tolist() == [0, 0]


def test_a_mouth_that_hardly_moves_is_not_pressed_shut() -> None:
    stage = control_stage()
    still = gaps(*[0.01] * 40)
    assert not stage._lips_apart(gaps(*[0.03] * 40), still).any()


def test_silence_outside_speech_hardly_counts() -> None:
    stage = control_stage()
    window = batch(stage.draw, SCHEDULE, 0)
    wrong = window.codes.clone()
    wrong[(window.speech < 0.01)[:, None].expand_as(wrong)] += 1.0
    off_speech = stage._losses(wrong, window)["code"]
    in_speech = stage._losses(window.codes + 1.0, window)["code"]
    assert (window.speech < 0.01).float().mean() > 0.05
    assert off_speech < 0.1 * in_speech


class Interrupted(Exception):
    """As if the machine went down."""


def interrupted(stage: Any, at: int) -> Any:
    """Make a stage break down before step `at`."""
    step = stage.step

    def breaking(number: int, done: float) -> dict[str, float]:
        if number == at:
            raise Interrupted
        losses: dict[str, float] = step(number, done)
        return losses

    stage.step = breaking
    return stage


def recorded(stage: Any, curve: dict[int, float]) -> Any:
    """Make a stage write its losses down."""
    step = stage.step

    def writing(number: int, done: float) -> dict[str, float]:
        losses: dict[str, float] = step(number, done)
        curve[number] = sum(losses.values())
        return losses

    stage.step = writing
    return stage


@pytest.mark.parametrize("make", [encoder_stage, control_stage])
def test_an_interrupted_training_resumes_with_the_same_loss_curve(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthesis.neural.training.CHECKPOINT_EVERY_S", -1.0)
    straight: dict[int, float] = {}
    list(train(recorded(make(), straight), tmp_path / "straight.pt", steps=8))

    resumed: dict[int, float] = {}
    path = tmp_path / "broken.pt"
    with pytest.raises(Interrupted):
        _all(train(recorded(interrupted(make(), 5), resumed), path, steps=8))
    assert read_checkpoint(path)["step"] == 5
    # Another seed at the start: nothing of it may be left after resuming.
    fresh = make(replace(SCHEDULE, seed=7))
    fresh.schedule = SCHEDULE
    assert "resumed at step 5" in _all(train(recorded(fresh, resumed), path, steps=8))
    assert sorted(resumed) == list(range(8))
    assert [resumed[n] for n in range(8)] == pytest.approx(
        [straight[n] for n in range(8)], rel=1e-4
    )


def _all(lines: Iterator[str]) -> list[str]:
    return list(lines)
