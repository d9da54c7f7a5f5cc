"""The verify page in a real Chromium: sending, waiting, the answer, and going away."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from synthesis.models import Deliverable
from synthesis.verification import looking
from tests.synthesis.marked import Marked
from tests.synthesis.production import video_bytes
from tests.synthesis.provenance.conftest import remuxed
from tests.synthesis.verification.test_inquiries import all_turns

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("in_test_database"),
]
ANSWER_MS = 60_000
TICKET = re.compile(r"/verify/[\w-]{43}/$")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip <b>.mp4"
    path.write_bytes(video_bytes())
    return path


@pytest.fixture
def form(page: Page) -> Page:
    page.goto("/verify/")
    return page


def send(page: Page, path: Path) -> None:
    page.get_by_label("Video file").set_input_files(path)
    page.get_by_role("button", name="Verify", exact=True).click()


def test_a_stripped_clip_of_ours_is_recovered_and_read_out_first(
    form: Page, recorded: Deliverable, marked: Marked, tmp_path: Path
) -> None:
    send(form, remuxed(marked.signed, tmp_path / "ripped.mp4"))
    form.wait_for_url(TICKET)
    heading = form.get_by_role("heading", level=2)
    expect(heading).to_have_text("Made here; its credential is gone", timeout=ANSWER_MS)
    expect(form.locator("[data-ended]")).to_be_focused()
    expect(form.get_by_text("The consent of Robin stands today.")).to_be_visible()
    expect(form.locator("[data-looking]")).to_have_count(0)


def test_waiting_says_each_step_once_and_keeps_the_focus(
    form: Page, clip: Path
) -> None:
    with all_turns():
        send(form, clip)
        form.wait_for_url(TICKET)
        expect(form.get_by_text("clip <b>.mp4")).to_be_visible()
        spoken = form.locator("main [role=status]")
        expect(spoken).to_have_text("Waiting for other files")
        form.get_by_role("button", name="Stop").focus()
        form.wait_for_timeout(2_500)  # asked again twice since
        expect(form.get_by_role("button", name="Stop")).to_be_focused()
    expect(form.get_by_role("heading", level=2)).to_have_text(
        "Nothing was found", timeout=ANSWER_MS
    )


def test_stopping_and_leaving_end_the_search(
    form: Page,
    clip: Path,
    monkeypatch: pytest.MonkeyPatch,
    wait_for: Callable[[Callable[[], Any]], Any],
) -> None:
    monkeypatch.setattr("synthesis.verification.pages.LEFT_S", 1)
    with all_turns():
        send(form, clip)
        form.wait_for_url(TICKET)
        form.get_by_role("button", name="Stop").click()
        expect(form.get_by_label("Video file")).to_be_visible()
        wait_for(lambda: looking._room._value == looking.MOST_WAITING)
        send(form, clip)
        form.wait_for_url(TICKET)
        form.goto("about:blank")
        wait_for(lambda: looking._room._value == looking.MOST_WAITING)


def test_a_file_too_large_is_refused_before_it_is_sent(
    form: Page, clip: Path, settings: Any
) -> None:
    settings.VERIFY_MAX_BYTES = 5_000
    form.reload()
    posts: list[str] = []
    form.on("request", lambda r: posts.append(r.url) if r.method == "POST" else None)
    send(form, clip)
    expect(form.get_by_role("alert")).to_contain_text("larger than the 5 kB taken here")
    assert posts == []


def test_sending_shows_how_far_it_is_and_can_be_stopped(
    form: Page, tmp_path: Path
) -> None:
    large = tmp_path / "large.mp4"
    large.write_bytes(os.urandom(8 << 20))
    network = form.context.new_cdp_session(form)
    network.send("Network.enable")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1}
    limits = slow | {"uploadThroughput": 1 << 20}
    network.send("Network.emulateNetworkConditions", limits)
    send(form, large)
    detail = form.locator("[data-detail]")
    expect(detail).to_contain_text(re.compile(r"[\d.]+ [kM]B of 8.4 MB · \d+ s left"))
    form.get_by_role("button", name="Stop").click()
    expect(form.locator("[data-progress]")).to_be_hidden()
    expect(form.get_by_role("button", name="Verify", exact=True)).to_be_focused()
    expect(form.get_by_label("Video file")).to_be_enabled()


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_file_may_be_dropped_anywhere_or_pasted(form: Page, way: str) -> None:
    form.evaluate(
        """way => {
            const files = new DataTransfer();
            files.items.add(new File(["film"], "scene.mp4", { type: "video/mp4" }));
            const bubbles = { bubbles: true, cancelable: true };
            const event = way === "drop"
                ? new DragEvent("drop", { ...bubbles, dataTransfer: files })
                : new ClipboardEvent("paste", { ...bubbles, clipboardData: files });
            document.querySelector("h1").dispatchEvent(event);
        }""",
        way,
    )
    expect(form.locator("form [role=status]")).to_contain_text("Chosen: scene.mp4")
    expect(form.get_by_role("button", name="Verify", exact=True)).to_be_focused()
    form.keyboard.press("Enter")
    form.wait_for_url(TICKET)


def test_without_scripts_the_pages_load_themselves_anew(
    browser: Browser, live_server: Any, clip: Path
) -> None:
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/verify/")
    send(page, clip)
    page.wait_for_url(TICKET)
    expect(page.get_by_role("heading", level=2)).to_have_text(
        "Nothing was found", timeout=ANSWER_MS
    )
    context.close()


def test_no_state_of_the_page_is_wider_than_the_window(form: Page, clip: Path) -> None:
    with all_turns():
        send(form, clip.rename(clip.with_name("x" * 100 + ".mp4")))
        form.wait_for_url(TICKET)
        fits_every_width(form, "[data-looking]")
    fits_every_width(form, "[data-ended]")


def fits_every_width(page: Page, seen: str) -> None:
    page.locator(seen).wait_for(timeout=ANSWER_MS)
    for width in (1440, 1024, 390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width, seen
