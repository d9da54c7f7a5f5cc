"""Learning an actor's mouth, end to end: a real queue, a forked worker, real weights."""

from __future__ import annotations

import json
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from consent.models import LedgerEntry
from lipweb.demo_production import Demo
from synthesis import house_keys
from synthesis.models import (
    ActorModel,
    Adaptation,
    AdaptationPart,
    ModelStill,
    Render,
    Scene,
)
from synthesis.provenance.label import Label
from synthesis.provenance.mark import detect
from synthesis.storage import local_path

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

WorkOff = Callable[[], str]
Learn = Callable[..., Adaptation]


def test_a_mouth_is_learned_from_a_scene(
    demo: Demo, talking: Scene, learn: Learn, work_off: WorkOff
) -> None:
    run = learn(scenes=[talking])
    said = work_off()
    run.refresh_from_db()
    assert run.state == Adaptation.State.READY, (run.error_sentence, said)
    model = ActorModel.objects.get()
    print(model.figures, model.sources)
