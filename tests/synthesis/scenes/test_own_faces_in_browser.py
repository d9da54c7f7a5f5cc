"""An actor in a real Chromium says with the passkey whose face it is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from playwright.sync_api import expect

from consent.models import Actor, Casting, Project
from lipweb.demo_production import SCENE
from lipweb.models import User
from synthesis.media.frames import read_frames
from synthesis.media.probe import probe
from synthesis.models import FaceSighting, Track
from synthesis.services.face_confirmations import confirmation_standing
from synthesis.services.faces import track_sight
from tests.synthesis.production import dub_made, scene_made

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def seen(project: Project, actor: Actor, producer: User) -> FaceSighting:
    """Face 1 of a scene is said to be the actor's; its pictures are the demo's."""
    Casting.objects.create(project=project, actor=actor, invited_by=producer)
    scene = scene_made(project, producer)
    dub_made(scene, actor, producer)
    row = track_sight(
        track=Track.objects.get(shot__scene=scene, number=1), acting_user=producer
    )
    assert row is not None
    pictures = [
        planes.rgb()[100:580, 400:880]
        for planes in read_frames(SCENE, probe(SCENE), 10, 14)
    ]
    strip = cv2.resize(np.hstack(pictures), (640, 160))
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(strip, cv2.COLOR_RGB2BGR))
    row.sheet.save("sheet.jpg", ContentFile(jpeg.tobytes()), save=False)
    row.sheet_sha256, row.verdict = "ab" * 32, FaceSighting.Verdict.UNKNOWN
    row.save()
    return row


def test_an_actor_finds_the_face_and_confirms_it_with_a_passkey(
    page: Page,
    sign_in: Callable[[User], None],
    authenticator: Any,
    project: Project,
    actor: Actor,
    actor_user: User,
    producer: User,
) -> None:
    row = seen(project, actor, producer)
    sign_in(actor_user)
    page.goto(reverse("consent:passkeys"))
    page.get_by_role("button", name="Set up a passkey").click()
    expect(page.get_by_role("status").first).to_contain_text("passkey is set up")
    page.get_by_role("link", name="Faces said to be yours").click()
    picture(page, "faces")
    page.get_by_role("link", name="Look and decide").click()
    picture(page, "face")
    page.get_by_role("button", name="It is me: remember my face").click()
    expect(page.get_by_text("Yours", exact=True)).to_be_visible()
    word = confirmation_standing(row)
    assert word is not None
    assert word.remembers
    assert json.loads(bytes(word.canonical))["actor"] == str(actor.id)
    picture(page, "confirmed")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def picture(page: Page, name: str) -> None:
    """The page as a telephone and a desk show it, where FACE_SHOTS names a folder."""
    folder = os.environ.get("FACE_SHOTS")
    for width in (390, 1024, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if folder:
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
