"""Signing in with a keyboard, in a real browser."""

import pytest
from playwright.sync_api import expect

from lipweb.models import User

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_person_signs_in_and_out_by_keyboard_alone(page, live_server):
    User.objects.create_user("ann@example.com", "right horse", name="Ann")
    page.goto("/login/")
    page.keyboard.type("ann@example.com")
    page.keyboard.press("Tab")
    page.keyboard.type("right horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ann")
    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_the_first_tab_leads_past_the_menu(page, live_server):
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_no_page_is_wider_than_the_window(page, live_server, width):
    page.set_viewport_size({"width": width, "height": 900})
    for address in ("/", "/login/", "/no-such-page/"):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_virtual_passkey_device_makes_a_credential(page, authenticator):
    page.goto("/")
    made = page.evaluate(
        """async () => {
            const key = await navigator.credentials.create({publicKey: {
                challenge: new Uint8Array(32),
                rp: {id: "localhost", name: "lipweb"},
                user: {id: new Uint8Array(8), name: "robin", displayName: "Robin"},
                pubKeyCredParams: [{type: "public-key", alg: -7}],
                authenticatorSelection: {userVerification: "required"},
            }});
            return key.type;
        }"""
    )
    assert made == "public-key"


def test_a_signed_in_page_greets_its_person(page, sign_in, producer, project):
    sign_in(producer)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Paula Producer")
    expect(page.get_by_text("The Harbour")).to_be_visible()
