"""A scene, a dub and a signed-off file as rows, with small real videos behind them.

Analysis and rendering have their own tests; here only what pages show is needed. The
folders of page tests take the fixtures in their conftest.py."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import tempfile
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from consent.models import Actor, Casting, Grant, Project
from consent.record import GrantTerms
from consent.services.grants import grant_propose
from consent.services.software import software_grant_sign, software_passkey_enrol
from lipweb.models import User
from synthesis import house_keys
from synthesis.media.probe import probe
from synthesis.models import (
    Deliverable,
    Dub,
    Line,
    Render,
    Scene,
    Shot,
    Track,
    ViewingCopy,
)
from synthesis.provenance.manifest import ManifestFacts, sign

FRAMES = 50
RATE = Fraction(25)


@cache
def video_bytes(
    frames: int = FRAMES, rate: Fraction = RATE, size: tuple[int, int] = (320, 180)
) -> bytes:
    """An H.264 MP4 whose every frame shows its number, as words and as 12 bits: white
    (1) and black (0) squares along the lower edge, the lowest bit left."""
    width, height = size
    side = width // 12
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=rate, options={"crf": "20", "g": "12"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            picture = np.full((height, width, 3), 60, np.uint8)
            cv2.putText(
                picture,
                str(number),
                (width // 3, height // 2),
                cv2.FONT_HERSHEY_SIMPLEX,
                height / 90,
                (220, 220, 220),
                2,
            )
            for bit in range(12):
                light = 255 if number >> bit & 1 else 0
                picture[height - side :, bit * side : (bit + 1) * side] = light
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return target.getvalue()


@cache
def video_facts(rate: Fraction) -> dict[str, Any]:
    """The probe's answer about video_bytes()."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scene.mp4"
        path.write_bytes(video_bytes(rate=rate))
        return probe(path).to_json()


def scene_made(
    project: Project, user: Any, rate: Fraction = RATE, **fields: Any
) -> Scene:
    """An analysed scene of two shots, one face in each, its proxy in place."""
    data = video_bytes(rate=rate)
    scene = Scene.objects.create(
        project=project,
        title=fields.pop("title", "The pier"),
        original_name="pier.mp4",
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        media_facts=video_facts(rate),
        state=Scene.State.READY,
        uploaded_by=user,
        **fields,
    )
    scene.file.save("file.bin", ContentFile(data), save=False)
    scene.proxy.save("file.mp4", ContentFile(data))
    for index, (first, end) in enumerate([(0, 30), (30, FRAMES)]):
        shot = Shot.objects.create(
            scene=scene, index=index, first_frame=first, end_frame=end
        )
        face_made(shot, number=index + 1)
    return scene


def face_made(shot: Shot, number: int) -> Track:
    track = Track(
        shot=shot, number=number, first_frame=shot.first_frame, end_frame=shot.end_frame
    )
    picture = np.full((96, 96, 3), 40 * number, np.uint8)
    _, jpeg = cv2.imencode(".jpg", picture)
    track.thumbnail.save("face.jpg", ContentFile(jpeg.tobytes()), save=False)
    points = io.BytesIO()
    np.save(points, np.zeros((track.end_frame - track.first_frame, 468, 3), "<f4"))
    track.landmarks.save("face.npy", ContentFile(points.getvalue()), save=False)
    track.save()
    return track


def actor_cast(project: Project, actor: Actor, producer: Any) -> Any:
    """Puts the actor into the cast and gives them a passkey; returns the passkey."""
    Casting.objects.create(project=project, actor=actor, invited_by=producer)
    return software_passkey_enrol(actor=actor, acting_user=actor.user)


def grant_signed(
    project: Project, actor: Actor, producer: Any, passkey: Any, **terms: Any
) -> Grant:
    """A grant for Spanish and German everywhere, signed by the actor."""
    usual: dict[str, Any] = {
        "languages": ("es", "de"),
        "territories": ("worldwide",),
        "media": ("cinema", "streaming"),
        "starts_at": datetime(2026, 1, 1, tzinfo=UTC),
        "ends_at": timezone.now().replace(microsecond=0) + timedelta(days=90),
        "inference": True,
    }
    grant = grant_propose(
        project=project,
        actor=actor,
        terms=GrantTerms(**(usual | terms)),
        acting_user=producer,
    )
    return software_grant_sign(
        grant=grant, authenticator=passkey, acting_user=actor.user
    )


def dub_made(scene: Scene, actor: Actor, user: Any, language: str = "es") -> Dub:
    """A dub with one line of the actor's, whose faces are all assigned."""
    dub = Dub.objects.create(scene=scene, language=language, created_by=user)
    Line.objects.create(
        dub=dub, actor=actor, original_name="linea.wav", sha256="1" * 64
    )
    Track.objects.filter(shot__scene=scene).update(actor=actor)
    return dub


def deliverable_made(
    dub: Dub, grant: Grant, user: Any, version: int = 1
) -> Deliverable:
    """A render of the dub that has ended in a file."""
    render = Render.objects.create(
        dub=dub, version=version, state=Render.State.READY, requested_by=user
    )
    render.grants.add(grant)
    # A free box at the end makes each file another one.
    data = video_bytes(rate=Fraction(dub.scene.media_facts["rate"]))
    data += struct.pack(">I", 16) + b"free" + os.urandom(8)
    data, manifest_id = signed_bytes(data)
    deliverable = Deliverable(
        render=render,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        frame_count=FRAMES,
        manifest_id=manifest_id,
        mark_id=os.urandom(8).hex(),
        mark_key_id="k1",
        fingerprint=b"",
        render_seconds=12.0,
    )
    deliverable.file.save("file.mp4", ContentFile(data))
    return deliverable


def viewing_copy_made(deliverable: Deliverable, data: bytes) -> ViewingCopy:
    """What reviewers watch of it: this MP4, signed by this house."""
    data, manifest_id = signed_bytes(data)
    copy = ViewingCopy(
        deliverable=deliverable,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        manifest_id=manifest_id,
    )
    copy.file.save("file.mp4", ContentFile(data))
    return copy


def signed_bytes(data: bytes) -> tuple[bytes, str]:
    """The video signed by this house, and the id of its manifest. What it was made
    from is named by hash alone: this file is no media, so nothing parses it."""
    nothing = Path(__file__)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.mp4"
        path.write_bytes(data)
        signed = sign(
            path,
            path,
            facts=ManifestFacts(
                title="Dub in es",
                scene_path=nothing,
                scene_sha256="a" * 64,
                sound_path=nothing,
                sound_sha256="b" * 64,
                model_name="lipweb native",
                model_sha256="c" * 64,
                source_language="en",
                target_language="es",
                mark_id="0" * 16,
                consent_records=("d" * 64,),
                ledger_root=None,
                software_version="0",
            ),
            signer=house_keys.signer(),
        )
        return path.read_bytes(), signed.manifest_id


@pytest.fixture
def passkey(project: Project, actor: Actor, producer: User) -> Any:
    """The actor's passkey; they are in the project's cast."""
    return actor_cast(project, actor, producer)


@pytest.fixture
def grant(project: Project, actor: Actor, producer: User, passkey: Any) -> Grant:
    return grant_signed(project, actor, producer, passkey)


@pytest.fixture
def rate() -> Fraction:
    """Frames a second of the scene; a test may parametrize it."""
    return RATE


@pytest.fixture
def scene(project: Project, producer: User, rate: Fraction) -> Scene:
    return scene_made(project, producer, rate)


@pytest.fixture
def dub(scene: Scene, actor: Actor, producer: User) -> Dub:
    return dub_made(scene, actor, producer)


@pytest.fixture
def deliverable(dub: Dub, grant: Grant, producer: User) -> Deliverable:
    return deliverable_made(dub, grant, producer)
