"""A real Chromium, driven over a live server on localhost, where passkeys work."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

    from lipweb.models import User

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for the session; skips where none is installed."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium is installed")
    from playwright.sync_api import sync_playwright

    # Playwright's synchronous calls run inside an event loop, where Django would
    # otherwise refuse to touch the database.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, live_server: Any) -> Iterator[Page]:
    """A fresh page; relative addresses go to the live server. The test fails if the
    page logged an error: a script broke, or the Content Security Policy blocked it."""
    context = browser.new_context(base_url=live_server.url)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda line: problems.append(line.text) if is_problem(line) else None,
    )
    yield page
    context.close()
    assert problems == []


def is_problem(line: Any) -> bool:
    """Errors in the console, but not the browser's note on an answer of 4xx."""
    return line.type == "error" and "Failed to load resource" not in line.text


@pytest.fixture
def sign_in(page: Page, live_server: Any) -> Callable[[User], None]:
    """sign_in(user) gives the page a session of user, without the login form."""
    from django.conf import settings
    from django.test import Client

    def give_session(user: User) -> None:
        client = Client()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        cookie = {"name": name, "value": client.cookies[name].value}
        page.context.add_cookies([{**cookie, "url": live_server.url}])

    return give_session


@pytest.fixture
def authenticator(page: Page) -> tuple[CDPSession, str]:
    """A passkey device inside the browser: verifies its user, touches at once.
    The pair is the session to talk to it (WebAuthn domain) and its id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, str(added["authenticatorId"])
