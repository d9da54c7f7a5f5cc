"""Clocks of scenes, and facts in words."""

from __future__ import annotations

from fractions import Fraction
from importlib import import_module

import pytest
from django.apps import apps

from synthesis.errors import SynthesisError
from synthesis.media.light import Light
from synthesis.media.probe import Probe
from synthesis.models import Scene
from synthesis.scenes.facts import Clock, facts_in_words

NTSC = Fraction(30_000, 1_001)


def test_a_clock_counts_from_the_files_own_time_code() -> None:
    clock = Clock(rate=Fraction(25), frame_count=100, first="10:00:00:00")
    assert clock.label(26) == "10:00:01:01"
    assert clock.frame("10:00:01:01") == 26


def test_a_number_is_a_frame_and_nothing_is_the_start() -> None:
    clock = Clock(rate=Fraction(25), frame_count=100)
    assert (clock.frame("17"), clock.frame(" "), clock.frame("")) == (17, 0, 0)


def test_what_is_neither_is_refused_in_words() -> None:
    with pytest.raises(SynthesisError) as refused:
        Clock(rate=Fraction(25), frame_count=100).frame("soon")
    assert "soon" in refused.value.sentence


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (Fraction(25), "25"),
        (Fraction(24_000, 1_001), "23.976"),
        (NTSC, "29.97"),
        (Fraction(100), "100"),
    ],
)
def test_a_rate_is_told_as_people_say_it(rate: Fraction, words: str) -> None:
    assert Clock(rate=rate, frame_count=1).rate_in_words == words


def test_the_player_learns_of_drop_frame_and_of_the_first_label() -> None:
    clock = Clock(rate=NTSC, frame_count=9, first="00:01:00;02")
    assert clock.for_player() == {
        "rate": [30_000, 1_001],
        "frames": 9,
        "first": 1800,
        "drop": True,
        "times_s": [],
    }


def test_a_scene_that_was_not_probed_has_no_clock() -> None:
    scene = Scene(original_name="a.mp4", size_bytes=12)
    with pytest.raises(SynthesisError):
        Clock.of(scene)
    assert ("File", "a.mp4, 12 B") in facts_in_words(scene)


def test_a_scene_measured_before_its_light_was_asked_for_is_read_after_the_upgrade(
    scene: Scene,
) -> None:
    before = {k: v for k, v in scene.media_facts.items() if k != "light"}
    scene.media_facts = before
    scene.save()
    upgrade = import_module("synthesis.migrations.0011_scenes_say_their_light")
    upgrade.say_no_light(apps, None)
    scene.refresh_from_db()
    assert Probe.from_json(scene.media_facts).light == Light()
