"""upload.js in a real Chromium: chunks, a lost line, resuming, giving up."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from consent.models import Actor, Project
from lipweb.models import User
from synthesis.models import Dub, Line, Scene, Upload
from tests.synthesis.scenes.test_dubs import sound

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]

CHUNKS = re.compile(r"/uploads/[0-9a-f-]{36}/$")


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Three chunks of noise: what is in them is the worker's to judge."""
    path = tmp_path / "🎬 scene <b>.mp4"
    path.write_bytes(os.urandom(9 << 20))
    return path


@pytest.fixture
def form(
    page: Page, sign_in: Callable[[User], None], producer: User, project: Project
) -> Page:
    """The project's page, with a producer before it."""
    sign_in(producer)
    page.goto(reverse("synthesis:project", args=[project.id]))
    return page


def send(page: Page, film: Path) -> None:
    page.get_by_label("Video file").set_input_files(film)
    page.get_by_label("Title").fill("The pier")
    page.get_by_role("button", name="Upload", exact=True).click()


def eventually(page: Page, holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        page.wait_for_timeout(50)
    raise AssertionError("what was waited for did not come")


def has_arrived(page: Page, film: Path) -> bool:
    page.wait_for_url(re.compile("/scenes/"))
    with Scene.objects.get().file.open() as kept:
        digest = hashlib.file_digest(kept, "sha256").hexdigest()
    return digest == hashlib.sha256(film.read_bytes()).hexdigest()


def test_a_file_goes_up_in_chunks_and_its_scene_opens(form: Page, film: Path) -> None:
    patches: list[str] = []
    form.on(
        "request",
        lambda r: (
            patches.append(r.headers["upload-offset"]) if r.method == "PATCH" else None
        ),
    )
    send(form, film)
    assert has_arrived(form, film)
    assert patches == ["0", str(4 << 20), str(8 << 20)]
    expect(form.get_by_role("heading", name="The pier")).to_be_visible()
    expect(form.get_by_text("The scene is being analysed")).to_be_visible()
    expect(form.get_by_text("🎬 scene <b>.mp4")).to_be_visible()
    assert not Upload.objects.exists()


def test_a_lost_line_is_tried_again_by_itself(form: Page, film: Path) -> None:
    lost: list[str] = []

    def lose_one(route: Route) -> None:
        request = route.request
        offset = request.headers.get("upload-offset", "0")
        if offset == "0" or lost:
            route.continue_()
            return
        lost.append(offset)
        route.abort("connectionreset")

    form.route(CHUNKS, lose_one)
    send(form, film)
    assert has_arrived(form, film)
    assert lost == [str(4 << 20)]


def test_an_answer_that_got_lost_costs_nothing_twice(form: Page, film: Path) -> None:
    """The chunk arrived, but its answer did not: the server is asked, not flooded."""
    patches: list[str] = []

    def lose_answer(route: Route) -> None:
        request = route.request
        if request.method == "PATCH":
            patches.append(request.headers["upload-offset"])
            if len(patches) == 2:
                route.fetch()
                route.abort("connectionreset")
                return
        route.continue_()

    form.route(CHUNKS, lose_answer)
    send(form, film)
    assert has_arrived(form, film)
    assert patches == ["0", str(4 << 20), str(8 << 20)]


def test_an_upload_goes_on_after_the_page_was_closed(
    form: Page, film: Path, project: Project
) -> None:
    def stall(route: Route) -> None:
        if route.request.headers.get("upload-offset") not in (None, "0"):
            return  # never answered
        route.continue_()

    form.route(CHUNKS, stall)
    send(form, film)
    expect(form.locator("[data-detail]")).to_contain_text("of 9.4 MB")
    form.wait_for_function("() => Object.keys(localStorage).length === 1")
    eventually(form, lambda: Upload.objects.get().received_bytes >= 4 << 20)
    context = form.context
    form.close()
    again = context.new_page()
    again.goto(reverse("synthesis:project", args=[project.id]))
    began: list[str] = []
    again.on(
        "request",
        lambda r: began.append(r.url) if r.url.endswith("/uploads/") else None,
    )
    send(again, film)
    assert has_arrived(again, film)
    assert began == []


def test_an_upload_can_be_given_up(form: Page, film: Path) -> None:
    def slow(route: Route) -> None:
        if route.request.headers.get("upload-offset") in (None, "0"):
            route.continue_()

    form.route(CHUNKS, slow)
    send(form, film)
    form.get_by_role("button", name="Cancel upload").click()
    expect(form.get_by_role("button", name="Upload", exact=True)).to_be_enabled()
    eventually(form, lambda: not Upload.objects.exists())
    assert form.evaluate("() => Object.keys(localStorage).length") == 0


def test_an_upload_given_up_before_the_server_answered_leaves_nothing(
    form: Page, film: Path
) -> None:
    began: list[Route] = []
    form.route(re.compile(r"/uploads/$"), lambda route: began.append(route))
    send(form, film)
    eventually(form, lambda: bool(began))
    form.get_by_role("button", name="Cancel upload").click()
    began[0].continue_()
    expect(form.get_by_role("button", name="Upload", exact=True)).to_be_enabled()
    assert not Upload.objects.exists()
    assert form.evaluate("() => Object.keys(localStorage).length") == 0


def test_too_large_a_file_is_refused_before_a_byte_travels(
    form: Page, film: Path
) -> None:
    form.evaluate(
        "() => { document.querySelector('form[data-begin]').dataset.maxBytes = 1000; }"
    )
    send(form, film)
    expect(form.get_by_role("alert")).to_contain_text("at most 1.0 kB")
    assert not Upload.objects.exists()


def test_a_refusal_of_the_server_is_shown_in_its_words(
    form: Page, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"")
    send(form, empty)
    expect(form.get_by_role("alert")).to_contain_text("empty (0 bytes)")


def test_a_line_is_added_the_same_way(
    page: Page,
    sign_in: Callable[[User], None],
    scene: Scene,
    producer: User,
    actor: Actor,
    passkey: Any,
    tmp_path: Path,
) -> None:
    Dub.objects.create(scene=scene, language="es", created_by=producer)
    take = tmp_path / "línea.wav"
    take.write_bytes(sound())
    sign_in(producer)
    page.goto(reverse("synthesis:scene", args=[scene.id]))
    page.get_by_label("Dubbed sound").set_input_files(take)
    page.get_by_label("Starts at").fill("00:00:01:00")
    page.get_by_role("button", name="Add the line").click()
    expect(page.locator(".lines").get_by_text("línea.wav")).to_be_visible()
    line = Line.objects.get()
    assert (line.actor, line.first_frame) == (actor, 25)
