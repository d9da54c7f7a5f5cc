"""The label's page by hand: what is typed is seen before it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from lipweb.models import User
from synthesis.models import Dub, LabelPolicy
from synthesis.services.labels import label_policy

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_the_preview_follows_what_is_typed_and_keeps_the_rest(
    page: Page, sign_in: Callable[[User], None], producer: User, dub: Dub
) -> None:
    project = dub.scene.project
    sign_in(producer)
    page.goto(reverse("synthesis:label", args=[project.id]))
    assert page.get_by_alt_text("“MODIFICADO CON IA” on white").is_visible()

    page.get_by_role("textbox", name="Spanish").fill("Hecho con IA")
    page.get_by_label("Bottom right").check()
    picture = page.get_by_alt_text("“Hecho con IA” on white")
    picture.wait_for()
    page.wait_for_function(
        "document.querySelector('.label-samples img')?.src.includes('bottom-right')"
    )
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") == 640
    assert not LabelPolicy.objects.exists()

    page.get_by_role("textbox", name="Spanish").fill("Doblado")
    page.get_by_label("Top left").check()
    page.get_by_text("The label must say that AI was used").first.wait_for()

    page.get_by_role("textbox", name="Spanish").fill("Hecho con IA")
    page.get_by_role("button", name="Keep").click()
    page.get_by_text("Kept. Files that are made from now on").wait_for()
    policy = label_policy(project)
    assert (policy.corner, policy.wordings) == ("top-left", {"es": "Hecho con IA"})
