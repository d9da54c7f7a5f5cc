"""Taking a performance away, by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from lipweb.models import User
from synthesis.models import Render
from tests.synthesis.scenes.test_performance import render as render

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_animated_face_comes_down_as_a_file(
    page: Page, sign_in: Callable[[User], None], producer: User, render: Render
) -> None:
    sign_in(producer)
    page.goto(reverse("synthesis:scene", args=[render.dub.scene_id]))
    page.get_by_text("Performance for animation tools").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Animated face, GLB").click()
    file = waiting.value
    assert file.suggested_filename.endswith("_es_v1_glb.glb")
    assert Path(file.path()).read_bytes().startswith(b"glTF")
