"""Learning an actor's mouth, end to end: a real queue, a forked worker, weights."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from consent.models import LedgerEntry, Notice
from lipweb.demo_production import LINES, Demo, face_confirm_as_robin
from synthesis import house_keys, jobs
from synthesis.adapting import footage, running
from synthesis.adapting.work import STEPS
from synthesis.engines.comparison import SHOWN
from synthesis.engines.native import NativeEngine
from synthesis.errors import SynthesisError
from synthesis.jobs import measure_face
from synthesis.models import (
    ActorModel,
    Adaptation,
    FaceSighting,
    Footage,
    Render,
    Scene,
)
from synthesis.neural.renderer_training import RendererStage
from synthesis.provenance.label import Label
from synthesis.provenance.mark import detect
from synthesis.recognising import learned_faces_verify
from synthesis.services.adaptation import adaptation_cancel
from synthesis.services.face_confirmations import face_deny
from synthesis.services.face_questions import is_waiting
from synthesis.services.renders import render_queue
from synthesis.services.scenes import dub_create
from synthesis.storage import local_path
from synthesis.takes import shot_render
from tests.footage import make_clip
from tests.synthesis.adapting.conftest import confirmed, nothing_is_left
from tests.synthesis.conftest import new_line
from tests.synthesis.talking import excerpt
from tests.synthesis.test_main_job import horse_of, wait_for_rest

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

WorkOff = Callable[[], str]
Learn = Callable[..., Adaptation]
Bring = Callable[[Path], Footage]


def test_a_mouth_is_learned_from_a_scene_and_renders_use_it(
    demo: Demo, talking: Scene, learn: Learn, work_off: WorkOff
) -> None:
    run = learn(scenes=[talking])
    said = work_off()
    run.refresh_from_db()
    assert run.state == Adaptation.State.READY, (run.error_sentence, said)
    assert not run.parts.exists()
    model = ActorModel.objects.get()
    assert model.sources[0]["sha256"] == talking.sha256
    assert 4.0 < model.sources[0]["seconds"] < 6.1 * 0.85
    assert model.figures["frames"] == round(153 * 0.15)
    assert 15 < model.figures["adapted"]["psnr"] < 60
    marked_and_labelled(model)
    assert drawn_with(demo, talking) == hash_of(model)
    entry = LedgerEntry.objects.get(kind="model-adapted").document["payload"]
    assert entry["model_sha256"] == model.sha256
    assert entry["sources"] == [talking.sha256]


def drawn_with(demo: Demo, scene: Scene) -> str:
    """Draw the scene's mouths in Spanish; the hash over the weights that did it."""
    dub = dub_create(scene=scene, language="es", acting_user=demo.producer)
    if not dub.lines.exists():
        new_line(demo, dub, LINES["es"])
    render = render_queue(dub=dub, acting_user=demo.producer)
    Render.objects.filter(id=render.id).update(state=Render.State.RUNNING)
    shot_render(render, scene.shots.get())
    return str(render.track_renders.get().weights_sha256)


def marked_and_labelled(model: ActorModel) -> None:
    """Every made still says what it is, in the picture and inside it."""
    label = Label(SHOWN.width, SHOWN.height, full_range=True)
    stills = list(model.stills.all())
    assert len(stills) == 12
    for still in stills:
        data = np.frombuffer(still.file.read(), np.uint8)
        still.file.close()
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
        luma = np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YCrCb)[..., 0])
        found = detect([luma], house_keys.all_mark_keys())
        made = still.kind != "filmed"
        assert label.present(luma) is made
        assert (found.id or "") == still.mark_id
        assert bool(still.mark_id) is made


def test_a_killed_worker_is_replaced_and_goes_on_where_it_was(
    talking: Scene,
    learn: Learn,
    worker: subprocess.Popen[bytes],
) -> None:
    run = learn(scenes=[talking])
    wait_for(run, lambda: run.progress.get("stage") == STEPS[2])
    kept = set(run.parts.values_list("name", flat=True))
    assert {"footage", "renderer.pt"} <= kept
    os.kill(horse_of(worker), signal.SIGKILL)
    seen: set[str] = set()

    def over() -> bool:
        seen.add(run.progress.get("stage", ""))
        return run.state not in Adaptation.LIVE

    wait_for(run, over)
    assert run.state == Adaptation.State.READY, run.error_sentence
    assert not seen & {STEPS[0], STEPS[1]}


def test_a_withdrawal_stops_a_running_job_and_leaves_nothing(
    talking: Scene, learn: Learn, worker: object, revoke: Callable[[], None]
) -> None:
    run = learn(scenes=[talking])
    wait_for(run, lambda: run.progress.get("stage") == STEPS[1])
    revoke()
    run.refresh_from_db()
    assert run.state == Adaptation.State.WITHDRAWN
    wait_for_rest()
    assert nothing_is_left()


def test_cancelling_stops_within_a_step(
    demo: Demo, talking: Scene, learn: Learn, worker: object
) -> None:
    run = learn(scenes=[talking])
    wait_for(run, lambda: run.progress.get("stage") == STEPS[0])
    adaptation_cancel(adaptation=run, acting_user=demo.producer)
    wait_for_rest()
    run.refresh_from_db()
    assert run.state == Adaptation.State.CANCELLED
    assert nothing_is_left()


def wait_for(run: Adaptation, holds: Callable[[], bool], most_s: float = 600) -> None:
    until = time.monotonic() + most_s
    while not holds():
        assert time.monotonic() < until, (run.state, run.progress)
        time.sleep(0.1)
        run.refresh_from_db()


# In this process: no worker is needed for what follows


def done(run: Adaptation) -> Adaptation:
    jobs.adapt_actor(str(run.id))
    run.refresh_from_db()
    return run


class Killed(BaseException):
    """What no handler of errors sees."""


def test_the_work_of_a_killed_run_is_taken_up_and_not_done_again(
    demo: Demo, talking: Scene, learn: Learn, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = learn(scenes=[talking])
    keep = running.part_keep

    def keep_and_die(adaptation: Adaptation, name: str, path: Path) -> None:
        keep(adaptation, name, path)
        raise Killed

    def nothing_twice(*args: object, **kwargs: object) -> None:
        raise AssertionError("done before")

    with monkeypatch.context() as dying:
        dying.setattr(running, "part_keep", keep_and_die)
        with pytest.raises(Killed):
            jobs.adapt_actor(str(run.id))
    run.refresh_from_db()
    assert run.state == Adaptation.State.RUNNING
    kept = set(run.parts.values_list("name", flat=True))
    assert kept == {"footage", "renderer.pt"}
    with monkeypatch.context() as again:
        again.setattr(RendererStage, "step", nothing_twice)
        again.setattr(footage, "write_clip", nothing_twice)
        assert done(run).state == Adaptation.State.READY, run.error_sentence
    assert not run.parts.exists()
    marked_and_labelled(run.model)
    assert hash_of(run.model)


def test_bad_footage_is_refused_with_a_code_and_a_sentence(
    learn: Learn, bring: Bring, demo: Demo, tmp_path: Path
) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("Scene 12, take 3. The light was good.\n" * 40)
    short = tmp_path / "short.mp4"
    excerpt(short, 1.6)
    bars = make_clip(tmp_path / "bars.mp4", size=(320, 180), sound="aac")
    mute = make_clip(tmp_path / "mute.mp4", size=(320, 180))
    for path, code in (
        (text, "text-file"),
        (short, "too-little-footage"),
        (bars, "no-face"),
        (mute, "no-speech"),
    ):
        reel = bring(path)
        if path == short:
            confirmed(reel.sighting)
        run = done(learn(footage=[reel]))
        assert run.state == Adaptation.State.FAILED, path
        assert run.error_code == code, run.error_sentence
        assert run.error_sentence.endswith(".")
    assert not ActorModel.objects.filter(adaptation__isnull=False).exists()


def test_a_loss_that_is_no_number_fails_the_run_in_words(
    talking: Scene, learn: Learn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        RendererStage, "step", lambda self, number, done: {"l1": float("nan")}
    )
    run = done(learn(scenes=[talking]))
    assert run.state == Adaptation.State.FAILED
    assert run.error_code == "nan-loss"
    assert "Nothing was kept" in run.error_sentence
    assert nothing_is_left()


def test_uploaded_footage_is_learned_from_and_what_is_unusable_is_named(
    clip: Path, learn: Learn, bring: Bring, demo: Demo, tmp_path: Path
) -> None:
    mute = make_clip(tmp_path / "mute.mp4", size=(320, 180))
    reel = bring(clip)
    confirmed(reel.sighting)
    run = done(learn(footage=[reel, bring(mute)]))
    assert run.state == Adaptation.State.READY, run.error_sentence
    model = run.model
    assert [source["name"] for source in model.sources] == ["talking.mp4"]
    assert "no sound" in model.figures["left_out"]["mute.mp4"]
    assert hash_of(model)


def test_footage_of_a_face_nobody_confirmed_is_asked_about_and_not_learned(
    clip: Path, learn: Learn, bring: Bring, demo: Demo
) -> None:
    reel = bring(clip)
    run = done(learn(footage=[reel]))
    assert (run.state, run.error_code) == (run.State.FAILED, "face-not-enrolled")
    assert "Ask Robin to confirm it" in run.error_sentence
    assert not ActorModel.objects.filter(adaptation__isnull=False).exists()
    row = reel.sighting
    row.refresh_from_db()
    assert is_waiting(row)
    assert Notice.objects.filter(user=row.actor.user, kind="face-waits").exists()
    face_confirm_as_robin(row)
    measure_face(str(row.id))
    again = bring(excerpt(clip.with_name("again.mp4"), 2.0))
    learned_faces_verify(learn(footage=[again]), [again])
    row = FaceSighting.objects.get(footage=again)
    assert row.verdict == FaceSighting.Verdict.SAME
    face_deny(sighting=row, acting_user=row.actor.user)
    with pytest.raises(SynthesisError, match="Robin says that this is not them"):
        learn(footage=[again])


def test_a_face_that_is_denied_while_it_is_learned_from_ends_the_run(
    talking: Scene, learn: Learn, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = running.compare

    def deny_and_compare(*words: Any, **named: Any) -> Any:
        Verdict = FaceSighting.Verdict
        FaceSighting.objects.update(verdict=Verdict.DENIED)
        return compare(*words, **named)

    monkeypatch.setattr(running, "compare", deny_and_compare)
    run = done(learn(scenes=[talking]))
    assert (run.state, run.error_code) == (run.State.FAILED, "face-denied")
    assert nothing_is_left()


def hash_of(model: ActorModel) -> str:
    """What an engine with the model says it draws with: not the general weights."""
    general = NativeEngine.load().weights_sha256
    with local_path(model.file) as path, tempfile.TemporaryDirectory() as folder:
        shutil.unpack_archive(path, folder, format="zip")
        own = NativeEngine.load(actor=Path(folder)).weights_sha256
    assert own != general
    return own
