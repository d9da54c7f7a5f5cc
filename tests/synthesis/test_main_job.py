"""The main job, end to end: a real queue, a forked worker, real files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import django_rq
import numpy as np
import pytest
import soundfile
from rq import Worker
from rq.worker import WorkerStatus

from consent.models import LedgerEntry
from lipweb.demo_production import SCENE, Demo
from lipweb.dubbing import faces_assign, line_put
from lipweb.models import User
from synthesis.composite import composite
from synthesis.delivery import Delivery
from synthesis.faces.tracks import FaceTrack
from synthesis.media.formats import Format
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe, sha256_file
from synthesis.media.writer import Writer
from synthesis.models import Deliverable, Render, Scene
from synthesis.patches import patches_open
from synthesis.services.performances import performance_export
from synthesis.services.renders import render_cancel, render_queue
from synthesis.services.review import decision_make, deliverable_open
from synthesis.services.verification import file_verify
from synthesis.storage import local_path
from tests.conftest import REPOSITORY, manage_environment
from tests.synthesis.conftest import (
    LINES,
    analysed,
    bring_in,
    only_face,
    robin_confirms,
)

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

WorkOff = Callable[[], str]


@pytest.fixture(scope="session")
def short(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The first two seconds of the demo scene, and of the Spanish line."""
    folder = tmp_path_factory.mktemp("short")
    scene, sound = folder / "short.mp4", folder / "short.wav"
    facts = probe(SCENE)
    like = replace(
        facts, pts=facts.pts[:50], end_pts=facts.pts[50], keyframes=(0,), sounds=()
    )
    with Writer(scene, like=like) as writer:
        for planes in read_frames(SCENE, facts, 0, 50):
            writer.write(planes)
    words, rate_hz = soundfile.read(LINES["es"])
    soundfile.write(sound, words[: 2 * rate_hz], rate_hz)
    return scene, sound


@pytest.fixture(scope="session")
def short_face(short: tuple[Path, Path]) -> FaceTrack:
    return only_face(short[0], probe(short[0]))


@pytest.fixture(scope="session")
def whole_face() -> FaceTrack:
    return only_face(SCENE, probe(SCENE))


@pytest.fixture
def queued(demo: Demo, short: tuple[Path, Path], short_face: FaceTrack) -> Render:
    """The short scene as analysis leaves it, assigned; its render queued."""
    path, sound = short
    scene = analysed(demo, path, probe(path), [short_face], "Short")
    return assigned_and_queued(demo, scene, sound)


@pytest.fixture
def queued_whole(demo: Demo, whole_face: FaceTrack) -> Render:
    """The same of the whole demo scene: one shot that takes a while."""
    scene = analysed(demo, SCENE, probe(SCENE), [whole_face], "Whole")
    return assigned_and_queued(demo, scene, LINES["es"])


def assigned_and_queued(
    demo: Demo, scene: Scene, sound: Path, delivery: Delivery | None = None
) -> Render:
    user = demo.producer
    faces_assign(
        scene=scene, grant=demo.grant, number=None, acting_user=user, say=lambda _: None
    )
    robin_confirms(demo, scene)
    line = line_put(
        scene=scene,
        grant=demo.grant,
        language="es",
        sound=sound,
        acting_user=user,
    )
    return render_queue(dub=line.dub, acting_user=user, delivery=delivery)


def test_a_scene_and_a_dub_become_a_signed_file_that_anyone_can_verify(
    demo: Demo, work_off: WorkOff, reviewer_of_demo: User
) -> None:
    scene = bring_in(demo, SCENE)
    work_off()
    scene.refresh_from_db()
    assert scene.state == Scene.State.READY, scene.error_sentence
    queued = assigned_and_queued(demo, scene, LINES["es"])
    work_off()
    queued.refresh_from_db()
    assert queued.state == Render.State.READY, queued.error_sentence
    made = queued.deliverable
    assert made.label["wording"] == "MODIFICADO CON IA"
    (shown,) = made.label["shown"]
    assert (shown["first_frame"], shown["end_frame"]) == (0, made.frame_count)
    assert not shown["over_mouth"]
    with local_path(made.file) as path:
        assert made.sha256 == sha256_file(path)
        same_clock(probe(SCENE), probe(path))
        assert only_the_mouth_was_changed(queued)
        found = file_verify(path)
    assert found["credential"]["state"] == "trusted"
    assert found["mark"] == {
        "found": True,
        "id": made.mark_id,
        "confidence": found["mark"]["confidence"],
    }
    assert found["deliverable"] == str(made.id)
    assert [(c["actor"], c["status"]) for c in found["consent"]] == [
        ("Robin", "active")
    ]
    assert {"render-queued", "deliverable-made"} <= ledger_kinds()
    assert the_performance_speaks(queued, demo.producer)
    decision_make(
        deliverable=made,
        sha256=made.sha256,
        verdict="approved",
        reason="",
        acting_user=reviewer_of_demo,
    )
    opened = deliverable_open(
        deliverable=made, acting_user=demo.producer, purpose="download"
    )
    assert opened.size == made.size_bytes


def test_a_master_for_the_edit_is_made_with_a_copy_to_watch(
    demo: Demo, work_off: WorkOff, short: tuple[Path, Path], short_face: FaceTrack
) -> None:
    path, sound = short
    scene = analysed(demo, path, probe(path), [short_face], "Short")
    queued = assigned_and_queued(demo, scene, sound, Delivery(Format.PRORES))
    work_off()
    queued.refresh_from_db()
    assert queued.state == Render.State.READY, queued.error_sentence
    made, copy = queued.deliverable, queued.deliverable.viewing_copy
    assert (made.suffix, made.media["codec"], made.media["bits"]) == (
        "mov",
        "prores",
        10,
    )
    with local_path(made.file) as path:
        assert made.sha256 == sha256_file(path)
        master = probe(path)
        same_clock(probe(short[0]), master)
        assert file_verify(path)["code"] == "ours-unchanged"
    # The dub's samples, to the last bit.
    assert [(s.codec, s.language) for s in master.sounds] == [("pcm_s16le", "spa")]
    with local_path(copy.file) as path:
        watched = probe(path)
        found = file_verify(path)
    assert (watched.codec, watched.sounds[0].codec) == ("h264", "aac")
    assert watched.frame_count == made.frame_count
    assert list(watched.times_s()) == list(master.times_s())
    assert (found["code"], found["deliverable"]) == ("ours-unchanged", str(made.id))
    assert found["mark"]["id"] == made.mark_id
    opened = deliverable_open(
        deliverable=made, acting_user=demo.producer, purpose="review"
    )
    assert opened.size == copy.size_bytes


def same_clock(scene: Probe, out: Probe) -> None:
    """Frame count, times and length out are those in."""
    assert out.frame_count == scene.frame_count
    assert list(out.times_s()) == list(scene.times_s())
    assert out.duration == scene.duration
    assert out.rate == scene.rate
    assert (out.width, out.height) == (scene.width, scene.height)
    assert out.sounds[0].duration_s <= out.duration + 1 / out.rate


def only_the_mouth_was_changed(render: Render) -> bool:
    """Before label and mark go on, every sample outside the patches is the scene's."""
    facts = probe(SCENE)
    row = render.track_renders.get()
    moved = 0
    with local_path(row.patches) as path, patches_open(path) as patches:
        for planes in read_frames(SCENE, facts, 0, 40):
            before = planes.copy()
            box = composite(planes, patches[planes.index])
            if box is None:
                continue
            moved += 1
            outside = np.ones(planes.y.shape, bool)
            outside[box.y0 : box.y1, box.x0 : box.x1] = False
            assert np.array_equal(planes.y[outside], before.y[outside])
    return moved > 20


def the_performance_speaks(render: Render, producer: User) -> bool:
    """Every frame is in the curves, and the jaw opens and closes with the words."""
    file = performance_export(render=render, form="arkit-json", acting_user=producer)
    document = json.loads(file.content)
    (track,) = document["tracks"]
    jaw = document["names"].index("jawOpen")
    opened = [frame["values"][jaw] for frame in track["frames"]]
    assert len(opened) == probe(SCENE).frame_count
    return max(opened) > 0.2 and min(opened) < 0.05


def ledger_kinds() -> set[str]:
    return set(LedgerEntry.objects.values_list("kind", flat=True))


def test_a_render_revoked_while_it_waits_makes_nothing(
    queued: Render, work_off: WorkOff, revoke: Callable[[], None]
) -> None:
    revoke()
    work_off()
    queued.refresh_from_db()
    assert queued.state == Render.State.WITHDRAWN
    assert not Deliverable.objects.exists()


def test_a_revocation_stops_a_running_render(
    queued_whole: Render, worker: object, revoke: Callable[[], None]
) -> None:
    render = queued_whole
    wait_for(render, lambda: render.progress.get("frame", 0) > 5)
    revoke()
    wait_for(render, lambda: render.state == Render.State.WITHDRAWN)
    wait_for_rest()
    assert not Deliverable.objects.exists()
    assert not render.track_renders.exists()


def test_a_cancelled_render_stops_in_the_middle_of_a_shot(
    demo: Demo, queued_whole: Render, worker: object
) -> None:
    render = queued_whole
    wait_for(render, lambda: render.progress.get("frame", 0) > 5)
    render_cancel(render=render, acting_user=demo.producer)
    wait_for_rest()
    render.refresh_from_db()
    assert render.state == Render.State.CANCELLED
    assert not render.track_renders.exists()


def test_a_killed_work_horse_is_replaced_and_finished_shots_are_kept(
    queued: Render, worker: subprocess.Popen[bytes]
) -> None:
    wait_for(queued, lambda: queued.progress.get("stage") == "Writing the picture")
    kept = queued.track_renders.get()
    os.kill(horse_of(worker), signal.SIGKILL)
    wait_for(queued, lambda: queued.state not in Render.LIVE, most_s=240)
    assert queued.state == Render.State.READY, queued.error_sentence
    assert queued.track_renders.get() == kept


def horse_of(worker: subprocess.Popen[bytes]) -> int:
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text()
    return int(children.split()[-1])


def wait_for(render: Render, holds: Callable[[], bool], most_s: float = 120) -> None:
    until = time.monotonic() + most_s
    while not holds():
        assert time.monotonic() < until, (render.state, render.progress)
        time.sleep(0.2)
        render.refresh_from_db()


def wait_for_rest() -> None:
    """Until no worker is at work any more. The queue's own list of what is running
    will not do: a run that ends early is struck from it while its worker still stops.
    """
    queue = django_rq.get_queue("default")
    until = time.monotonic() + 60
    while any(
        worker.get_state() == WorkerStatus.BUSY for worker in Worker.all(queue=queue)
    ):
        assert time.monotonic() < until
        time.sleep(0.2)


def test_the_dub_command_asks_for_the_face_and_then_prints_facts_that_verify(
    demo: Demo, worker: object, short: tuple[Path, Path], tmp_path: Path
) -> None:
    words = ["dub", *map(str, short), "--grant", str(demo.grant.id)]
    words += ["--language", "es", "--out", str(tmp_path)]
    # Nobody has said yet what Robin looks like.
    refused = manage(*words)
    assert refused.returncode != 0
    assert "face-not-enrolled" in refused.stderr
    assert not list(tmp_path.iterdir())
    robin_confirms(demo, Scene.objects.get())
    done = manage(*words)
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout.splitlines()[-1])
    assert facts["frames"] == 50
    assert facts["label"] == "MODIFICADO CON IA"
    assert "label: “MODIFICADO CON IA” for the whole length" in done.stdout
    assert sha256_file(facts["path"]) == facts["sha256"]
    with av.open(facts["path"]) as clip:
        assert clip.streams.video[0].codec_context.name == "h264"
    told = manage("verify", facts["path"], "--json")
    assert told.returncode == 0
    assert json.loads(told.stdout)["credential"]["state"] == "trusted"


def manage(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=REPOSITORY,
        env=manage_environment(),
        capture_output=True,
        text=True,
        timeout=300,
    )
