"""The curve in a real Chromium: dragged, moved by keys, kept, and rendered."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from consent.models import Grant
from lipweb.models import User
from synthesis.dials import Dials
from synthesis.engines.base import OPENING, WIDTH
from synthesis.models import Dub, ProposedCurve, Render, Track
from synthesis.reuse import curve_key

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Locator, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def editor(
    page: Page,
    sign_in: Callable[[User], None],
    producer: User,
    dub: Dub,
    grant: Grant,
) -> Page:
    """The supervisor's page of a dub whose proposal is known."""
    track = Track.objects.get(number=1)
    waves = [round(math.sin(frame / 3) + 0.5, 2) for frame in range(30)]
    ProposedCurve.objects.create(
        dub=dub,
        track=track,
        values={"opening": waves, "width": [value / 2 for value in waves]},
        key=curve_key(dub, track),
    )
    sign_in(producer)
    page.goto(reverse("synthesis:mouths", args=[dub.id]))
    expect(page.locator("[data-lanes]")).to_be_visible()
    return page


def lane(page: Page, name: str = "opening") -> Locator:
    return page.locator(f"[data-lane={name}] > svg")


def add_point(page: Page, frame: int, share: float, name: str = "opening") -> None:
    """Double-click over a frame of face 1, share of the lane's height from its top."""
    lane(page, name).scroll_into_view_if_needed()
    box = lane(page, name).bounding_box()
    assert box is not None
    x, y = (frame + 0.5) / 30 * box["width"], share * box["height"]
    lane(page, name).dblclick(position={"x": x, "y": y})


def points(page: Page) -> str:
    return page.locator("[name=curve]").input_value()


def test_a_point_is_added_dragged_kept_and_rendered(editor: Page, dub: Dub) -> None:
    before = lane(editor).locator(".result").get_attribute("d")
    add_point(editor, 10, 0.5)
    assert points(editor).startswith("00:00:00:10, ")
    dot = lane(editor).get_by_role("slider")
    box, high = dot.bounding_box(), lane(editor).bounding_box()
    assert box is not None
    assert high is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    editor.mouse.move(x, y)
    editor.mouse.down()
    editor.mouse.move(x + high["width"] / 30 * 2, high["y"] + high["height"] / 5)
    editor.mouse.up()
    assert points(editor) == "00:00:00:12, 2.00, "
    expect(editor.locator("#frame-number")).to_have_text("12")
    assert lane(editor).locator(".result").get_attribute("d") != before
    editor.get_by_role("button", name="Keep and render a draft").click()
    expect(editor.get_by_text("1 point drawn by hand").first).to_be_visible()
    render = Render.objects.get()
    (point,) = Dials.from_json(render.controls).points[1]
    assert (point.frame, point.axis, point.value) == (12, OPENING, 2.0)
    assert render.tier == "draft"


def test_everything_goes_by_keys(editor: Page, dub: Dub) -> None:
    editor.get_by_label("Position").fill("7")
    editor.locator("[data-add=width]").click()
    dot = lane(editor, "width").get_by_role("slider")
    expect(dot).to_be_focused()
    before = float(dot.get_attribute("aria-valuenow") or "nan")
    dot.press("ArrowUp")
    dot.press("Shift+ArrowUp")
    dot.press("ArrowRight")
    expect(dot).to_have_attribute("aria-valuenow", f"{before + 0.6:.2f}")
    expect(dot).to_have_attribute(
        "aria-valuetext", f"{before + 0.6:.1f} at 00:00:00:08"
    )
    expect(dot).to_be_focused()
    editor.get_by_label("Offset in frames").press("Enter")
    expect(editor.get_by_role("status").first).to_contain_text("Kept.")
    expect(editor.locator("#frame-number")).to_have_text("8")  # where one was
    expect(editor.get_by_text("Face 1, Robin Vale")).to_be_visible()
    dub.refresh_from_db()
    (point,) = Dials.from_json(dub.dials).points[1]
    assert (point.frame, point.axis) == (8, WIDTH)
    dot = lane(editor, "width").get_by_role("slider")
    dot.focus()
    dot.press("Delete")
    expect(dot).to_have_count(0)
    assert points(editor) == ""


def test_a_typed_line_becomes_a_point_and_a_second_double_click_takes_it_away(
    editor: Page,
) -> None:
    editor.get_by_text("The curve of face 1 as text").click()
    editor.get_by_label("Points drawn by hand").fill("00:00:00:20, 0")
    expect(lane(editor).get_by_role("slider")).to_have_count(1)
    add_point(editor, 20, 0.6)  # the lane shows -2 to 3
    expect(lane(editor).get_by_role("slider")).to_have_count(0)
    assert points(editor) == ""


def test_clicking_in_a_lane_moves_the_picture(editor: Page) -> None:
    box = lane(editor).bounding_box()
    assert box is not None
    lane(editor).click(position={"x": 15.5 / 30 * box["width"], "y": 20})
    expect(editor.locator("#timecode")).to_have_text("00:00:00:15")
    editor.wait_for_function(
        "() => Math.abs(document.querySelector('#stage video').currentTime - .62) < .01"
    )
    assert points(editor) == ""


def test_the_whole_dub_s_dials_move_the_foretold_curve(editor: Page) -> None:
    path = lane(editor).locator(".result")
    before = path.get_attribute("d")
    editor.get_by_label("Intensity in per cent").fill("0")
    flat = path.get_attribute("d") or ""
    assert flat != before
    assert len({part.split(" ")[1] for part in flat[1:].split("L")}) == 1


def test_leaving_with_changes_asks_first_and_keeping_them_does_not(
    editor: Page, dub: Dub
) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    editor.on("dialog", stay)
    add_point(editor, 10, 0.5)
    drawn = points(editor)
    editor.get_by_role("link", name="Work").first.click(no_wait_after=True)
    editor.wait_for_timeout(300)
    assert asked == ["beforeunload"]
    assert points(editor) == drawn
    editor.get_by_role("button", name="Keep", exact=True).click()
    expect(editor.locator("[name=curve]")).not_to_be_empty()
    dub.refresh_from_db()
    assert Dials.from_json(dub.dials).points
    assert asked == ["beforeunload"]
