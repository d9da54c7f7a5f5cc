"""The demo production: people, a computer-generated actor who signed, a scene, a dub.

Made through the same services as any other production. The actor's passkey is a
software authenticator, since no person plays the part.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from consent.authenticator import SoftwareAuthenticator
from consent.models import Actor, Grant, Membership, Project, Role
from consent.record import GrantTerms
from consent.secret_file import secret_from_file
from consent.services.actors import actor_create
from consent.services.grants import grant_propose
from consent.services.software import software_grant_sign, software_passkey_enrol
from lipweb.dubbing import (
    LOOK_EVERY_S,
    faces_assign,
    line_put,
    render_make,
    scene_bring,
)
from lipweb.models import User
from synthesis.media.probe import sha256_file
from synthesis.models import ActorModel, Deliverable, FaceSighting, Scene
from synthesis.services.face_confirmations import confirmation_options, face_confirm
from synthesis.services.faces import sighting_refusal
from synthesis.storage import keep, packed, scratch_dir

FOOTAGE = Path(settings.BASE_DIR) / "synthesis" / "demo"
SCENE = FOOTAGE / "robin.mp4"
LINES = {"es": FOOTAGE / "robin-es.wav", "de": FOOTAGE / "robin-de.wav"}
LEARNED = Path(settings.BASE_DIR) / "synthesis" / "neural" / "weights" / "robin"
LEARNED_FROM = {
    "name": "robin-reel.mp4",
    "sha256": "d2613d31618f77fd3b9095c6522a97e4e00f937c0348641c49c1d4cf5cf92140",
    "seconds": 14.8,
}
"""The reel itself is not in the repository: the weights learned from it are."""

NAME = "Hello, Robin (demo)"
PEOPLE = {
    "producer": "Paula Producer",
    "reviewer": "Rita Reviewer",
    "actor": "Robin Render",
}


@dataclass(frozen=True)
class Demo:
    """The demo production as it stands in the database."""

    project: Project
    producer: User
    grant: Grant


def demo_people() -> Demo:
    """Make the people, the project and the signed grant, or find those already there.
    A withdrawn grant is asked for and signed anew: the demo shall run again."""
    logins = demo_logins()
    with transaction.atomic():
        users = {part: _user(part, name, logins[part]) for part, name in PEOPLE.items()}
        project, _ = Project.objects.get_or_create(
            name=NAME, defaults={"company": "lipweb demo"}
        )
        for role in (Role.PRODUCER, Role.REVIEWER):
            Membership.objects.get_or_create(
                project=project, user=users[role.value], role=role
            )
        actor = _actor(project, users)
        grant = _grant(project, actor, users)
        _learned(actor, grant)
    return Demo(project=project, producer=users["producer"], grant=grant)


def demo_deliverable(demo: Demo, say: Callable[[str], None]) -> Deliverable:
    """Dub the demo scene in Spanish: analysis, render, marks, signature, read back."""
    scene = scene_bring(
        project=demo.project,
        path=SCENE,
        language="en",
        acting_user=demo.producer,
        say=say,
    )
    faces_assign(
        scene=scene, grant=demo.grant, number=None, acting_user=demo.producer, say=say
    )
    faces_confirm(demo, scene, say)
    for language in ("de", "es"):
        line = line_put(
            scene=scene,
            grant=demo.grant,
            language=language,
            sound=LINES[language],
            acting_user=demo.producer,
        )
    return render_make(line=line, acting_user=demo.producer, say=say)


def faces_confirm(demo: Demo, scene: Scene, say: Callable[[str], None]) -> None:
    """Wait until each face said to be Robin's was looked at, and let Robin confirm
    those that the guard does not recognise."""
    rows = FaceSighting.objects.filter(track__shot__scene=scene, actor=demo.grant.actor)
    for row in rows.select_related("track", "actor"):
        while not (row.sheet_sha256 or row.reason):
            time.sleep(LOOK_EVERY_S)
            row.refresh_from_db()
        if row.track and sighting_refusal(row, row.track) is not None:
            face_confirm_as_robin(row)
            say(f"face {row.track.number}: {row.actor} confirms it")


def face_confirm_as_robin(sighting: FaceSighting) -> None:
    """Robin says with the software passkey that a face is Robin's, to be remembered."""
    robin = User.objects.get(actor=sighting.actor)
    key = SoftwareAuthenticator.load(_passkey_path().read_text())
    options = confirmation_options(sighting=sighting, remembers=True, acting_user=robin)
    face_confirm(
        sighting=sighting,
        remembers=True,
        assertion=key.get(options),
        acting_user=robin,
    )
    _keep_passkey(key)


def demo_logins() -> dict[str, str]:
    """The demo's passwords: made at random once, kept in a file of mode 0600."""
    text = secret_from_file(
        Path(settings.DATA_DIR) / "demo-logins.json",
        make=lambda: json.dumps({part: secrets.token_urlsafe(9) for part in PEOPLE}),
    )
    logins: dict[str, str] = json.loads(text)
    return logins


def demo_email(part: str) -> str:
    """The address a demo person logs in with."""
    return f"{part}@demo.example"


def _user(part: str, name: str, password: str) -> User:
    user = User.objects.filter(email=demo_email(part)).first()
    if user is None:
        user = User.objects.create_user(demo_email(part), password, name=name)
    return user


def _actor(project: Project, users: dict[str, User]) -> Actor:
    actor = Actor.objects.filter(user=users["actor"]).first()
    if actor is None:
        actor = actor_create(
            project=project,
            stage_name="Robin",
            legal_name="Robin Render (computer-generated)",
            user=users["actor"],
            acting_user=users["producer"],
        )
        key = software_passkey_enrol(actor=actor, acting_user=users["actor"])
        _keep_passkey(key)
    return actor


def _grant(project: Project, actor: Actor, users: dict[str, User]) -> Grant:
    current = Grant.objects.current().filter(actor=actor, project=project).first()
    if current is not None:
        return current
    now = timezone.now()
    grant = grant_propose(
        project=project,
        actor=actor,
        terms=GrantTerms(
            languages=("es", "de"),
            territories=("worldwide",),
            media=("cinema", "streaming"),
            starts_at=now - timedelta(minutes=1),
            ends_at=now + timedelta(days=365),
            inference=True,
            training=True,
        ),
        acting_user=users["producer"],
    )
    key = SoftwareAuthenticator.load(_passkey_path().read_text())
    signed = software_grant_sign(
        grant=grant, authenticator=key, acting_user=users["actor"]
    )
    _keep_passkey(key)
    return signed


def _learned(actor: Actor, grant: Grant) -> None:
    """What was learned of Robin from the reel, on the grant's training term."""
    if not LEARNED.exists() or ActorModel.objects.filter(actor=actor).exists():
        return
    copy = packed(LEARNED, scratch_dir() / f"robin-{os.getpid()}.zip")
    model = ActorModel(
        actor=actor, grant=grant, sha256=sha256_file(copy), sources=[LEARNED_FROM]
    )
    keep(model.file, copy, suffix="zip")
    model.save()


def _passkey_path() -> Path:
    return Path(settings.KEYS_DIR) / "demo-actor-passkey.json"


def _keep_passkey(key: SoftwareAuthenticator) -> None:
    draft = _passkey_path().with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(key.dump())
    draft.replace(_passkey_path())
