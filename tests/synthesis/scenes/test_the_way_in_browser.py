"""From the producer's upload to the assigned face, with a real worker in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from consent.models import Grant, Project
from lipweb.demo_production import LINES, SCENE
from lipweb.models import User
from synthesis.models import Track

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]


def test_a_producer_brings_a_scene_to_the_point_where_it_can_be_rendered(
    page: Page,
    sign_in: Callable[[User], None],
    producer: User,
    project: Project,
    grant: Grant,
    work_off: Callable[..., str],
) -> None:
    sign_in(producer)
    page.goto(reverse("synthesis:project", args=[project.id]))
    page.get_by_label("Video file").set_input_files(SCENE)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("The scene is being analysed")).to_be_visible()

    work_off()
    face = page.get_by_label("Actor of face 1")
    expect(face).to_be_visible(timeout=10_000)  # the page noticed by itself
    face.select_option(label="Robin Vale · consent: active")
    expect(page.get_by_role("status")).to_contain_text("Face 1 is Robin Vale.")
    assert Track.objects.get().actor == grant.actor

    page.get_by_label("New language version").fill("es")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_text("Nobody speaks in this dub yet")).to_be_visible()
    page.get_by_label("Dubbed sound").set_input_files(LINES["es"])
    page.get_by_role("button", name="Add the line").click()
    expect(page.get_by_text("robin-es.wav")).to_be_visible()
    expect(page.get_by_role("button", name="Render", exact=True)).to_be_enabled()


def test_a_text_file_is_refused_on_the_page_in_words(
    page: Page,
    sign_in: Callable[[User], None],
    producer: User,
    project: Project,
    work_off: Callable[..., str],
    tmp_path: Any,
) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("Dear diary, this is no film.")
    sign_in(producer)
    page.goto(reverse("synthesis:project", args=[project.id]))
    page.get_by_label("Video file").set_input_files(text)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_text("The scene is being analysed")).to_be_visible()
    work_off()
    expect(page.get_by_text("This file was not taken")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("link", name="Upload another file")).to_be_visible()
