"""The player in a real Chromium: which frame is on the screen, read off the picture."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest
from django.core.files.base import ContentFile
from django.urls import reverse

from lipweb.models import User
from synthesis.delivery import Delivery
from synthesis.media.formats import Format
from synthesis.media.probe import probe
from synthesis.media.proxy import browsers_play, write_proxy
from synthesis.models import Comment, Deliverable
from synthesis.viewing import file_told
from tests.synthesis.production import viewing_copy_made

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
]

RATES = [Fraction(24_000, 1_001), Fraction(25), Fraction(30_000, 1_001), Fraction(50)]

# The number that tests.synthesis.production.video_bytes wrote along the lower edge.
READ = """which => {
  const video = document.querySelector(`video[data-video=${which}]`);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  const paper = canvas.getContext("2d");
  paper.drawImage(video, 0, 0);
  const side = Math.floor(canvas.width / 12);
  let number = 0;
  for (let bit = 0; bit < 12; bit += 1) {
    const [x, y] = [bit * side + side / 2, canvas.height - side / 2];
    if (paper.getImageData(x, y, 1, 1).data[0] > 127) number |= 1 << bit;
  }
  return number;
}"""
PAINTED = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(done)))"""
STILL = """() => {
  const { player } = document.querySelector("section.player");
  return player.speed === 0 && Object.values(player.videos).every((video) =>
    !video.seeking && video.readyState >= 2
    && Math.abs(video.currentTime - player.line.middle(player.frame)) < 1e-3);
}"""


@pytest.fixture
def player(
    page: Page,
    sign_in: Callable[[User], None],
    reviewer: User,
    deliverable: Deliverable,
) -> Page:
    """The review page, opened by a reviewer, both videos standing on frame 0."""
    sign_in(reviewer)
    page.goto(reverse("synthesis:deliverable", args=[deliverable.id]))
    page.wait_for_function(STILL)
    return page


def on_screen(page: Page) -> tuple[int, int]:
    """The frames that original and dub show, once both stand."""
    page.wait_for_function(STILL)
    page.evaluate(PAINTED)
    return page.evaluate(READ, "original"), page.evaluate(READ, "dub")


def said(page: Page) -> int:
    return int(page.locator("#frame-number").inner_text())


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.3f}")
def test_both_pictures_stand_on_the_very_frame_that_is_asked_for(player: Page) -> None:
    for frame in (1, 2, 11, 12, 13, 29, 30, 48, 49, 25, 0):
        player.locator("#seek").fill(str(frame))
        assert on_screen(player) == (frame, frame)
        assert said(player) == frame


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.3f}")
def test_steps_go_one_frame_on_and_back(player: Page) -> None:
    player.locator("section.player").focus()
    for key, frame in [*((".", n) for n in range(1, 8)), (",", 6), (",", 5)]:
        player.keyboard.press(key)
        assert on_screen(player) == (frame, frame)
    player.keyboard.press("Shift+ArrowRight")
    assert on_screen(player) == (15, 15)
    player.keyboard.press("End")
    assert on_screen(player) == (49, 49)
    player.keyboard.press(".")
    assert said(player) == 49


@pytest.fixture
def master(deliverable: Deliverable, tmp_path: Path) -> Deliverable:
    """The same pictures as a ProRes file of 10 bits, and the copy that is watched."""
    path, watched = tmp_path / "master.mov", tmp_path / "watched.mp4"
    with deliverable.file.open("rb") as file, av.open(path, "w") as out:
        source = av.open(file)
        stream = out.add_stream("prores_ks", rate=source.streams.video[0].average_rate)
        stream.width, stream.height = 320, 180
        stream.pix_fmt = "yuv422p10le"
        for frame in source.decode(video=0):
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    held = probe(path)
    assert not browsers_play(held)
    write_proxy(path, held, watched)
    deliverable.file.save("file.mov", ContentFile(path.read_bytes()))
    deliverable.media = file_told(held, held, Delivery(Format.PRORES))
    deliverable.save()
    viewing_copy_made(deliverable, watched.read_bytes())
    return deliverable


@pytest.mark.parametrize("rate", [RATES[0]], ids=["23.976"])
def test_of_a_master_no_browser_plays_the_copy_stands_on_the_same_frames(
    master: Deliverable, player: Page
) -> None:
    for frame in (1, 29, 49, 0):
        player.locator("#seek").fill(str(frame))
        assert on_screen(player) == (frame, frame)


def test_a_stop_leaves_both_on_the_frame_that_is_named(player: Page) -> None:
    player.locator("section.player").focus()
    player.keyboard.press("l")
    player.wait_for_function(
        "() => document.querySelector('section.player').player.frame > 9"
    )
    player.keyboard.press("k")
    frame = said(player)
    assert 9 < frame < 50
    assert on_screen(player) == (frame, frame)


def test_it_plays_backwards(player: Page) -> None:
    player.locator("#seek").fill("20")
    player.locator("section.player").focus()
    player.keyboard.press("j")
    player.wait_for_function(
        "() => document.querySelector('section.player').player.frame < 15"
    )
    player.keyboard.press("k")
    frame = said(player)
    assert on_screen(player) == (frame, frame)


def test_it_stops_by_itself_at_the_end_and_starts_over(player: Page) -> None:
    player.locator("#seek").fill("44")
    player.get_by_role("button", name="Play").click()
    player.wait_for_function(
        "() => document.querySelector('section.player').player.speed === 0"
    )
    assert on_screen(player) == (49, 49)
    player.get_by_role("button", name="Play").click()
    player.wait_for_function(
        "() => document.querySelector('section.player').player.frame < 30"
    )


def test_keys_do_nothing_while_somebody_writes(player: Page) -> None:
    player.locator("#comment-text").press_sequentially("jkl., 1")
    assert said(player) == 0
    assert player.locator("#comment-text").input_value() == "jkl., 1"
    assert player.locator("section.player").get_attribute("data-view") == "both"


def test_one_picture_may_be_looked_at_alone(player: Page) -> None:
    stage = player.locator("section.player")
    stage.focus()
    player.keyboard.press("2")
    assert player.locator("[data-pane=original]").bounding_box()["width"] < 4
    assert player.locator("[data-pane=dub]").bounding_box()["width"] > 400
    player.get_by_role("radio", name="Original").check()
    assert stage.get_attribute("data-view") == "original"
    player.locator("#seek").fill("33")
    assert on_screen(player) == (33, 33)


def test_each_sound_is_switched_by_itself(player: Page) -> None:
    muted = "which => document.querySelector(`video[data-video=${which}]`).muted"
    assert player.evaluate(muted, "original") is True
    assert player.evaluate(muted, "dub") is False
    player.get_by_role("button", name="Original sound").click()
    player.get_by_role("button", name="Dub sound").click()
    assert player.evaluate(muted, "original") is False
    assert player.evaluate(muted, "dub") is True


def test_a_comment_is_pinned_to_the_frame_on_the_screen_and_leads_back(
    player: Page, deliverable: Deliverable
) -> None:
    player.locator("#seek").fill("31")
    assert player.locator("#comment-frame").input_value() == "31"
    player.locator("#comment-text").fill("The B never closes.")
    player.get_by_role("button", name="Add the comment").click()
    link = player.locator("a[data-frame='31']")
    link.wait_for()
    assert Comment.objects.get().frame == 31
    assert player.locator("#marks path").count() == 1
    player.locator("#seek").fill("3")
    link.click()
    assert on_screen(player) == (31, 31)


def test_the_seek_bar_speaks_time_code(player: Page) -> None:
    bar = player.get_by_role("slider", name="Position")
    bar.fill("26")
    assert bar.get_attribute("aria-valuetext") == "00:00:01:01"
    bar.press("ArrowRight")
    assert bar.get_attribute("aria-valuetext") == "00:00:01:02"


def test_a_link_may_name_a_frame(player: Page, deliverable: Deliverable) -> None:
    url = reverse("synthesis:deliverable", args=[deliverable.id])
    player.goto(f"{url}?frame=17")
    assert on_screen(player) == (17, 17)


def test_the_decision_changes_the_page_without_loading_it(player: Page) -> None:
    player.get_by_label("Approve it as it is").check()
    player.get_by_role("button", name="Decide").click()
    player.locator("#standing .badge.ok").wait_for()
    assert "Rita Reviewer" in player.locator("#decision").inner_text()


@pytest.mark.parametrize("width", [1440, 1024, 390, 320])
def test_no_page_of_the_way_is_wider_than_the_window(
    player: Page, deliverable: Deliverable, width: int
) -> None:
    scene = deliverable.render.dub.scene
    player.set_viewport_size({"width": width, "height": 900})
    for address in (
        reverse("synthesis:deliverable", args=[deliverable.id]),
        reverse("synthesis:scene", args=[scene.id]),
        reverse("synthesis:project", args=[scene.project_id]),
        reverse("synthesis:verify"),
    ):
        player.goto(address)
        wide = player.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width, address
