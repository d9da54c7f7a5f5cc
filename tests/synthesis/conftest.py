"""The demo production in the test's database: real people, a real signed grant."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile

from consent.authenticator import SoftwareAuthenticator
from consent.models import Role
from consent.services.grants import grant_propose
from consent.services.software import software_grant_revoke, software_grant_sign
from lipweb.demo_production import (
    LINES,
    SCENE,
    Demo,
    _keep_passkey,
    _passkey_path,
    demo_people,
    face_confirm_as_robin,
)
from lipweb.dubbing import file_upload
from lipweb.models import User
from synthesis import house_keys
from synthesis.faces.tracks import FaceTrack, find_tracks
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe, probe_sound, sha256_file
from synthesis.models import Deliverable, Dub, Line, Render, Scene, Shot, Track
from synthesis.provenance.manifest import ManifestFacts, sign
from synthesis.recognising import sighting_look
from synthesis.services.faces import sighting_refusal, track_sight
from synthesis.services.scenes import dub_create, scene_create
from synthesis.storage import scratch_dir
from tests.synthesis.provenance.conftest import encode, film


@pytest.fixture
def demo(db: None) -> Demo:
    """The demo production: Paula produces, Rita reviews, Robin has signed."""
    _passkey_path().unlink(missing_ok=True)
    return demo_people()


@pytest.fixture
def reviewer_of_demo(demo: Demo) -> User:
    return demo.project.memberships.get(role=Role.REVIEWER).user


@pytest.fixture
def revoke(demo: Demo) -> Callable[[], None]:
    """Robin takes the grant back, with the passkey."""

    def withdraw() -> None:
        passkey = SoftwareAuthenticator.load(_passkey_path().read_text())
        software_grant_revoke(
            grant=demo.grant, authenticator=passkey, acting_user=demo.grant.actor.user
        )
        _keep_passkey(passkey)  # it has counted: it may sign again

    return withdraw


@pytest.fixture
def scratch_before() -> set[Path]:
    """Work in progress that was there before: killed workers' in other tests."""
    return set(scratch_dir().iterdir())


@pytest.fixture(scope="session")
def demo_facts() -> Probe:
    return probe(SCENE)


@pytest.fixture
def scene(demo: Demo, demo_facts: Probe) -> Scene:
    """The demo scene as if analysed: one shot, one face that is Robin's."""
    scene = Scene(
        project=demo.project,
        title="Hello",
        original_name="robin.mp4",
        sha256=sha256_file(SCENE),
        size_bytes=SCENE.stat().st_size,
        media_facts=demo_facts.to_json(),
        state=Scene.State.READY,
        uploaded_by=demo.producer,
    )
    scene.file.save("scene.bin", ContentFile(SCENE.read_bytes()), save=True)
    frames = demo_facts.frame_count
    shot = Shot.objects.create(scene=scene, index=0, first_frame=0, end_frame=frames)
    Track.objects.create(
        shot=shot,
        number=1,
        first_frame=0,
        end_frame=frames,
        landmarks="none.npy",
        actor=demo.grant.actor,
    )
    return scene


def analysed(
    demo: Demo, path: Path, facts: Probe, faces: Sequence[FaceTrack], title: str
) -> Scene:
    """A file as if brought in and analysed: a shot for each face, nobody named."""
    scene = Scene(
        project=demo.project,
        title=title,
        original_name=path.name,
        sha256=sha256_file(path),
        size_bytes=path.stat().st_size,
        media_facts=facts.to_json(),
        state=Scene.State.READY,
        uploaded_by=demo.producer,
    )
    scene.file.save("scene.bin", ContentFile(path.read_bytes()), save=True)
    for index, face in enumerate(faces):
        end = face.start + len(face.landmarks)
        shot = Shot.objects.create(
            scene=scene, index=index, first_frame=face.start, end_frame=end
        )
        track = Track(
            shot=shot, number=index + 1, first_frame=face.start, end_frame=end
        )
        rows = io.BytesIO()
        np.save(rows, face.landmarks)
        track.landmarks.save("rows.npy", ContentFile(rows.getvalue()), save=True)
    return scene


def only_face(path: Path, facts: Probe) -> FaceTrack:
    """What analysis finds in a file of one shot."""
    frames = (planes.rgb() for planes in read_frames(path, facts))
    (track,) = find_tracks(frames, [(0, facts.frame_count)])
    return track


def new_line(demo: Demo, dub: Dub, sound: Path = LINES["es"]) -> Line:
    """Robin's line from the first frame on, as if brought in."""
    line = Line(
        dub=dub,
        actor=demo.grant.actor,
        original_name=sound.name,
        sha256=sha256_file(sound),
        sound_facts=measured(sound),
    )
    line.sound.save("file.bin", ContentFile(sound.read_bytes()))
    return line


@cache
def measured(sound: Path) -> dict[str, Any]:
    return probe_sound(sound).to_json()


@pytest.fixture
def dub(demo: Demo, scene: Scene) -> Dub:
    """The scene in Spanish, with Robin's line."""
    dub = dub_create(scene=scene, language="es", acting_user=demo.producer)
    new_line(demo, dub)
    return dub


@pytest.fixture
def deliverable(demo: Demo, dub: Dub) -> Deliverable:
    """A finished file's row, for tests of what may be done with it."""
    render = Render.objects.create(
        dub=dub, version=1, state=Render.State.READY, requested_by=demo.producer
    )
    render.grants.add(demo.grant)
    row = Deliverable(
        render=render,
        sha256="ab" * 32,
        size_bytes=4,
        frame_count=153,
        manifest_id="urn:c2pa:0",
        mark_id="00" * 8,
        mark_key_id="mark-1",
        fingerprint=b"",
        render_seconds=1.0,
    )
    row.file.save("file.mp4", ContentFile(b"film"), save=True)
    return row


@pytest.fixture
def asks_for_approval(demo: Demo, deliverable: Deliverable) -> SoftwareAuthenticator:
    """The deliverable stands on a grant under which the actor approves each file;
    what comes is their passkey."""
    grant, actor = demo.grant, demo.grant.actor
    passkey = SoftwareAuthenticator.load(_passkey_path().read_text())
    wanted = grant_propose(
        project=demo.project,
        actor=actor,
        terms=replace(grant.document.terms, output_approval=True),
        acting_user=demo.producer,
    )
    software_grant_sign(grant=wanted, authenticator=passkey, acting_user=actor.user)
    deliverable.render.grants.set([wanted])
    return passkey


def robin_confirms(demo: Demo, scene: Scene) -> None:
    """What a worker and then Robin do about faces said to be Robin's: they are looked
    at, and Robin signs for those that are not recognised."""
    for track in Track.objects.filter(shot__scene=scene, actor=demo.grant.actor):
        row = track_sight(track=track, acting_user=demo.producer)
        assert row is not None
        sighting_look(row)
        assert row.sheet, row.reason
        if sighting_refusal(row, track) is not None:
            face_confirm_as_robin(row)


def bring_in(demo: Demo, path: Path) -> Scene:
    """Upload a file as the producer and make a scene of it; a worker analyses it."""
    return scene_create(
        upload=file_upload(project=demo.project, path=path, acting_user=demo.producer),
        title=path.stem,
        language="en",
        acting_user=demo.producer,
    )


@pytest.fixture(scope="session")
def signed_film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Ten frames that this house has signed, and the id of their manifest."""
    folder = tmp_path_factory.mktemp("film")
    small = encode(folder / "film.mp4", film(3, width=160, height=96, frames=10))
    signed = sign(
        small,
        folder / "signed.mp4",
        facts=ManifestFacts(
            title="Dub in es",
            scene_path=small,
            scene_sha256=sha256_file(small),
            sound_path=LINES["es"],
            sound_sha256=sha256_file(LINES["es"]),
            model_name="lipweb native",
            model_sha256="c" * 64,
            source_language="en",
            target_language="es",
            mark_id="00" * 8,
            consent_records=("d" * 64,),
            ledger_root=None,
            software_version="0",
        ),
        signer=house_keys.signer(),
        anchors=house_keys.anchors(),
    )
    return folder / "signed.mp4", signed.manifest_id


@pytest.fixture
def signed_deliverable(
    deliverable: Deliverable, signed_film: tuple[Path, str]
) -> Deliverable:
    """The deliverable with a small signed film behind it."""
    path, deliverable.manifest_id = signed_film
    deliverable.sha256 = sha256_file(path)
    deliverable.file.save("file.mp4", ContentFile(path.read_bytes()), save=False)
    deliverable.size_bytes = path.stat().st_size
    deliverable.save()
    return deliverable
