"""The worst moments of a render, on a real queue with a real worker: a withdrawal then,
or a kill.

The worker is forked from the test, so that it can be held at an exact place: while it
waits there the actor's signed word commits in this process, then it goes on."""

from __future__ import annotations

import io
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from django.core.files.base import ContentFile
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from numpy.typing import NDArray

from consent.authenticator import SoftwareAuthenticator
from consent.models import LedgerEntry
from consent.services.withdrawals import grant_suspend, suspension_options
from lipweb.demo_production import LINES, SCENE, Demo, _passkey_path
from synthesis import house_keys, jobs, rendering
from synthesis.faces.tracks import find_tracks
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe, sha256_file
from synthesis.models import Deliverable, Dub, Render, Scene, Shot, Track
from synthesis.provenance.read import read_credential
from synthesis.queue import RETRIES
from synthesis.services.renders import render_queue
from synthesis.services.scenes import dub_create
from synthesis.storage import local_path, scratch_dir
from tests.synthesis.conftest import new_line, robin_confirms

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

FORK = multiprocessing.get_context("fork")
FRAMES, CUT = 50, 10
LONGEST_S = 240
HELD: dict[str, tuple[Any, str]] = {
    "first shot": (jobs, "shot_render"),
    "second shot": (jobs, "shot_render"),
    "signing": (rendering, "sign"),
    "publishing": (rendering, "keep"),
}
"""Where a worker can be held: just before this function, but just after keep."""


@dataclass(frozen=True)
class Small:
    """The demo scene's first two seconds, 360 lines high, the face where it is in the
    first frame, and the first two seconds of the Spanish line."""

    path: Path
    facts: Probe
    landmarks: NDArray[np.float32]
    sound: Path


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    folder = tmp_path_factory.mktemp("small")
    path, sound = folder / "small.mp4", folder / "small.wav"
    with av.open(str(SCENE)) as clip, av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for index, frame in enumerate(islice(clip.decode(video=0), FRAMES)):
            picture = frame.reformat(640, 360, "yuv420p")
            picture.pts, picture.time_base = index, Fraction(1, 25)
            out.mux(stream.encode(picture))
        out.mux(stream.encode())
    facts = probe(path)
    pictures = (planes.rgb() for planes in read_frames(path, facts, 0, 2))
    (track,) = find_tracks(pictures, [(0, 2)])
    words, rate_hz = soundfile.read(LINES["es"])
    soundfile.write(sound, words[: 2 * rate_hz], rate_hz)
    return Small(path, facts, track.landmarks[:1], sound)


@pytest.fixture
def dub(demo: Demo, small: Small) -> Dub:
    """Two shots, Robin's face in both, one Spanish line through them."""
    scene = Scene(
        project=demo.project,
        title="Hello",
        original_name="small.mp4",
        sha256=sha256_file(small.path),
        size_bytes=small.path.stat().st_size,
        media_facts=small.facts.to_json(),
        state=Scene.State.READY,
        uploaded_by=demo.producer,
    )
    scene.file.save("scene.bin", ContentFile(small.path.read_bytes()), save=True)
    for index, (first, end) in enumerate([(0, CUT), (CUT, FRAMES)]):
        shot = Shot.objects.create(
            scene=scene, index=index, first_frame=first, end_frame=end
        )
        marks = io.BytesIO()
        np.save(marks, np.repeat(small.landmarks, end - first, axis=0))
        track = Track(
            shot=shot,
            number=index + 1,
            first_frame=first,
            end_frame=end,
            actor=demo.grant.actor,
        )
        track.landmarks.save("marks.npy", ContentFile(marks.getvalue()))
    dub = dub_create(scene=scene, language="es", acting_user=demo.producer)
    new_line(demo, dub, small.sound)
    robin_confirms(demo, scene)
    return dub


@pytest.fixture
def queued(demo: Demo, dub: Dub) -> Render:
    return render_queue(dub=dub, acting_user=demo.producer, tier=Render.Tier.DRAFT)


class HeldWorker:
    """A worker that waits at a place until it is let go."""

    def __init__(self, place: str, then: Callable[[], None] = lambda: None) -> None:
        # No event: letting go would wait for a waiter that was killed.
        self.reached, self._go = FORK.Event(), FORK.Semaphore(0)
        self._place, self._then = place, then
        connections.close_all()  # or both processes would talk through them
        self.process = FORK.Process(target=self._work)
        self.process.start()

    def _work(self) -> None:
        module, name = HELD.get(self._place, (None, ""))
        if module is not None:
            setattr(module, name, self._holding(getattr(module, name)))
        call_command("worker", burst=True)

    def _holding(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def held(*args: Any, **options: Any) -> Any:
            shot = {"first shot": 0, "second shot": 1}.get(self._place)
            if shot is not None and args[1].index != shot:
                return act(*args, **options)
            if self._place == "publishing":
                act(*args, **options)
            self.reached.set()
            assert self._go.acquire(timeout=LONGEST_S)
            self._then()
            return None if self._place == "publishing" else act(*args, **options)

        return held

    def wait_until_held(self) -> None:
        ends_at = time.monotonic() + LONGEST_S
        while not self.reached.wait(0.2):
            assert self.process.is_alive(), "the worker ended before it came there"
            assert time.monotonic() < ends_at

    def let_go(self) -> None:
        """Until there is nothing more to do; here, and each time it comes there again
        because it was killed."""
        for _ in range(1 + RETRIES):
            self._go.release()
        self.process.join(LONGEST_S)
        assert self.process.exitcode == 0

    def kill(self) -> None:
        """As the machine would for want of memory: the child that works, too."""
        children = self._children()
        for doomed in (self.process.pid, *children):
            assert doomed
            os.kill(doomed, signal.SIGKILL)
        self.process.join(LONGEST_S)

    def kill_child(self) -> None:
        """The one that works, and not the worker that forked it."""
        (doomed,) = self._children()
        os.kill(doomed, signal.SIGKILL)

    def _children(self) -> list[int]:
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in children.split()]


@pytest.fixture
def hold() -> Iterator[Callable[..., HeldWorker]]:
    """hold(place) starts a worker that waits there."""
    workers: list[HeldWorker] = []

    def start(place: str, then: Callable[[], None] = lambda: None) -> HeldWorker:
        workers.append(HeldWorker(place, then))
        return workers[-1]

    yield start
    for worker in workers:
        if worker.process.is_alive():
            worker.kill()


@pytest.fixture
def withdraw(demo: Demo, revoke: Callable[[], None]) -> Callable[[str], None]:
    """withdraw("revoke") or withdraw("suspend"): Robin signs it."""

    def suspend() -> None:
        user = demo.grant.actor.user
        passkey = SoftwareAuthenticator.load(_passkey_path().read_text())
        options = suspension_options(grant=demo.grant, acting_user=user)
        grant_suspend(
            grant=demo.grant, assertion=passkey.get(options), acting_user=user
        )

    return lambda act: revoke() if act == "revoke" else suspend()


def nothing_was_made(render: Render) -> bool:
    """No row, no file in storage, no work on the disk, no word of a file."""
    render.refresh_from_db()
    made = LedgerEntry.objects.filter(kind="deliverable-made").exists()
    return not (
        Deliverable.objects.exists()
        or signed_files()
        or made
        or list(scratch_dir().glob(f"render-{render.id}-*"))
    )


def signed_files() -> list[str]:
    try:
        return list(Deliverable().file.storage.listdir("deliverable")[1])
    except FileNotFoundError:
        return []


@pytest.fixture(autouse=True)
def no_files_before() -> None:
    storage = Deliverable().file.storage
    for name in signed_files():
        storage.delete(f"deliverable/{name}")


@pytest.mark.parametrize(
    ("act", "place", "shots"),
    [
        ("revoke", "first shot", 0),
        ("suspend", "second shot", 1),
        ("suspend", "signing", 2),
        ("revoke", "publishing", 2),
    ],
)
def test_a_withdrawal_at_any_moment_lets_no_file_come_into_being(
    queued: Render,
    hold: Callable[..., HeldWorker],
    withdraw: Callable[[str], None],
    act: str,
    place: str,
    shots: int,
) -> None:
    """After the policy was asked and before the first shot; between two shots; after
    the encode and before the signature; after the signature and before the row."""
    worker = hold(place)
    worker.wait_until_held()
    if place == "publishing":
        assert signed_files()
    withdraw(act)
    worker.let_go()
    assert nothing_was_made(queued)
    assert queued.state == Render.State.WITHDRAWN
    assert queued.track_renders.count() == shots


def test_a_worker_killed_with_a_signed_file_in_hand_finds_nothing_after_a_withdrawal(
    queued: Render,
    hold: Callable[..., HeldWorker],
    withdraw: Callable[[str], None],
) -> None:
    worker = hold("publishing")
    worker.wait_until_held()
    assert signed_files()
    worker.kill()
    assert list(scratch_dir().glob(f"render-{queued.id}-*"))
    withdraw("revoke")
    assert nothing_was_made(queued)
    hold("nowhere").let_go()
    assert nothing_was_made(queued)
    assert queued.state == Render.State.WITHDRAWN


def test_a_worker_killed_between_encode_and_signature_leaves_nothing_unsigned(
    queued: Render, hold: Callable[..., HeldWorker]
) -> None:
    """What was encoded lies in its private folder; the next try makes it anew, and then
    that folder is gone."""
    worker = hold("signing")
    worker.wait_until_held()
    (work,) = scratch_dir().glob(f"render-{queued.id}-*")
    assert (work / "marked.mp4").stat().st_size
    worker.kill_child()
    assert not Deliverable.objects.exists()
    assert not signed_files()
    assert work.exists()
    worker.let_go()
    queued.refresh_from_db()
    assert queued.state == Render.State.READY, queued.error_sentence
    assert [f"deliverable/{name}" for name in signed_files()] == [
        queued.deliverable.file.name
    ]
    with local_path(queued.deliverable.file) as path:
        found = read_credential(path, anchors=house_keys.anchors())
    assert (found.state, found.manifest_id) == (
        "trusted",
        queued.deliverable.manifest_id,
    )
    assert not list(scratch_dir().glob(f"render-{queued.id}-*"))


def test_a_consent_that_ends_during_the_render_lets_no_file_come_into_being(
    queued: Render, hold: Callable[..., HeldWorker]
) -> None:
    ends_at = queued.grants.get().document.terms.ends_at

    def time_passes() -> None:
        timezone.now = lambda: ends_at  # in the worker's child alone

    worker = hold("signing", time_passes)
    worker.wait_until_held()
    worker.let_go()
    assert nothing_was_made(queued)
    assert queued.state == Render.State.WITHDRAWN
    assert queued.error_code == "consent-expired"
    assert "ran to" in queued.error_sentence
    assert datetime.now(ends_at.tzinfo) < ends_at - timedelta(days=1)
