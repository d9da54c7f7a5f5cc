"""The page goes on by itself while a mouth is learned, and shows what came of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from lipweb.models import User
from synthesis.models import Adaptation
from tests.synthesis.adapting.conftest import model_made
from tests.synthesis.adapting.test_pages import (  # noqa: F401
    address,
    grant,
    passkey,
    rate,
    run,
    scene,
    theirs,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_progress_moves_and_at_the_end_before_and_after_stand_there(
    page: Page,
    sign_in: Callable[[User], None],
    producer: User,
    run: Adaptation,  # noqa: F811
) -> None:
    sign_in(producer)
    page.goto(address(run))
    expect(page.get_by_text("step 120 of 1500")).to_be_visible()
    Adaptation.objects.update(progress=run.progress | {"frame": 480})
    expect(page.get_by_text("step 480 of 1500")).to_be_visible(timeout=20_000)
    model_made(run)
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible(
        timeout=20_000
    )
    expect(page.get_by_role("img")).to_have_count(3)
    expect(page.get_by_role("button", name="Learn anew")).to_be_enabled()
