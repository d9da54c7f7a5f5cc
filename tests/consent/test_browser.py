"""The actor's whole way in a real Chromium with a passkey device of its own."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core import mail
from django.utils import timezone

from consent.errors import ConsentDenied
from consent.models import Actor, Grant, PasskeyCredential, Project, Status
from consent.policy import Use, verify
from synthesis.models import Deliverable
from synthesis.services.receipts import deliverable_log
from synthesis.services.scenes import dub_declare
from tests.consent.conftest import Cast
from tests.synthesis.production import deliverable_made, dub_made, scene_made

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def use_of(grant: Grant) -> Use:
    return Use(
        actor_id=grant.actor_id,
        project_id=grant.project_id,
        scene_sha256="5c" * 32,
        language="es-MX",
        purpose="inference",
        territory="worldwide",
        medium="cinema",
        moment=timezone.now(),
    )


def invite(page: Page, project: Project) -> str:
    """Invite as the producer; return the link that went to the actor's mailbox."""
    page.goto(f"/projects/{project.id}/actors/")
    page.get_by_label("Stage name").fill("Mara Lind")
    page.get_by_label("Legal name").fill("Mara Lindqvist")
    page.get_by_label("e-mail").fill("mara@example.com")
    page.get_by_role("button", name="Send the invitation").click()
    page.get_by_text("is on its way").wait_for()
    assert mail.outbox[-1].to == ["mara@example.com"]
    found = re.search(r"http://\S+", str(mail.outbox[-1].body))
    assert found
    # The link is the actor's alone: the producer's page must not show it.
    assert "/invitation/" not in page.content()
    return found.group()


def ask(page: Page, project: Project) -> None:
    """Ask as the producer for a dub into Spanish, everywhere, until next month."""
    page.goto(f"/projects/{project.id}/actors/")
    page.get_by_role("link", name="Ask for consent").click()
    assert page.locator("input:checked").count() == 0
    page.get_by_label("Change the mouth").check()
    page.get_by_label("Every scene").check()
    page.get_by_label("Languages").fill("Spanish")
    page.get_by_label("cinemas").check()
    page.get_by_label("In which countries").fill("worldwide")
    today = timezone.now().date()
    page.get_by_label("First day").fill(today.isoformat())
    page.get_by_label("Last day").fill((today + timedelta(days=30)).isoformat())
    page.get_by_role("button", name="Send the question").click()
    page.get_by_text("This is what they read").wait_for()
    assert page.get_by_role("button", name="Sign with my passkey").count() == 0


def narrow(page: Page) -> None:
    """Allow as the actor all that ask() asks for, but nothing with nudity."""
    page.get_by_role("link", name="Allow only part of this").click()
    page.get_by_label("My mouth may be changed").check()
    page.get_by_label("Every scene of this production").check()
    for name in ("Spanish (es)", "cinemas", "worldwide"):
        page.get_by_label(name, exact=True).check()
    page.get_by_label("I want to approve each finished version").check()
    page.get_by_label("nudity", exact=True).check()
    page.get_by_role("button", name="Read my terms").click()
    page.get_by_text("These are your own terms now").wait_for()


def file_made(project: Project, grant: Grant, producer: Any) -> Deliverable:
    """A finished file under the grant, its making written into the ledger."""
    scene = scene_made(project, producer)
    dub = dub_made(scene, grant.actor, producer)
    dub_declare(dub=dub, content=(), acting_user=producer)
    made = deliverable_made(dub, grant, producer)
    deliverable_log(deliverable=made, acting_user=producer)
    return made


def test_an_actor_goes_the_whole_way_from_the_invitation_to_the_withdrawal(
    page: Page,
    sign_in: Callable[[Any], None],
    authenticator: Any,
    producer: Any,
    project: Project,
) -> None:
    sign_in(producer)
    link = invite(page, project)
    ask(page, project)

    page.context.clear_cookies()
    page.goto(link)
    page.get_by_label("Choose a password").fill("harbour-lights-52")
    page.get_by_role("button", name="Go on to the passkey").click()
    page.get_by_role("button", name="Set up a passkey").click()
    page.get_by_text("Your passkey is set up").wait_for()

    page.get_by_role("link", name="Read and answer").click()
    assert page.get_by_text("Spanish (es)").is_visible()
    narrow(page)
    page.get_by_role("button", name="Sign with my passkey").click()
    page.get_by_text("Signed. You can withdraw").wait_for()
    grant = Grant.objects.signed().get()
    innocent = replace(use_of(grant), content=frozenset())
    assert verify(innocent) == grant
    assert not PasskeyCredential.objects.get().is_software

    made = file_made(project, grant, producer)
    page.goto("/me/")
    file = "The pier in Spanish (es), version 1"
    history = page.locator("#history")
    assert history.get_by_text(f"{file}, for The Harbour", exact=True).is_visible()
    page.get_by_role("link", name="See and decide").click()
    page.get_by_role("heading", name=file).wait_for()
    page.get_by_label("What is wrong with it?").fill("The mouth hangs.")
    page.get_by_role("button", name="Send it back").click()
    page.get_by_text("Sent back. The file stays locked").wait_for()
    assert page.get_by_text("The mouth hangs.").is_visible()

    page.get_by_role("link", name="The consent it stands on").click()
    assert page.get_by_text("Work that is running is stopped.").first.is_visible()
    page.get_by_role("button", name="Withdraw with my passkey").click()
    page.get_by_text("Withdrawn. It holds from this moment").wait_for()
    assert Grant.objects.signed().get().status == Status.REVOKED
    with pytest.raises(ConsentDenied):
        verify(use_of(grant))
    assert page.get_by_role("link", name="Receipt to read (PDF)").is_visible()
    assert mail.outbox[-1].subject == "The Harbour: consent revoked"
    page.get_by_role("link", name="Inbox").click()
    page.get_by_role("link", name="You have withdrawn your consent").click()
    page.get_by_role("link", name="My consent").first.click()
    assert history.get_by_text("Withdrawn", exact=True).is_visible()

    sign_in(producer)
    page.goto(f"/deliverables/{made.id}/")
    assert page.get_by_text("Closed", exact=True).is_visible()


def test_a_passkey_that_is_not_used_signs_nothing(
    page: Page,
    sign_in: Callable[[Any], None],
    authenticator: Any,
    actor: Actor,
) -> None:
    session, device = authenticator
    state = {"authenticatorId": device, "isUserVerified": False}
    session.send("WebAuthn.setUserVerified", state)
    sign_in(actor.user)
    page.goto("/me/passkeys/")
    page.get_by_role("button", name="Set up a passkey").click()
    page.get_by_text("Nothing was signed").wait_for()
    assert PasskeyCredential.objects.count() == 0
    assert page.get_by_role("button", name="Set up a passkey").is_enabled()


class Hand:
    """Holds one device at a time; those put down keep what is on them."""

    def __init__(self, session: Any, device: str) -> None:
        self.session, self.device = session, device

    def swap(self, device: list[Any] | None) -> list[Any]:
        """Put down the device in hand, and return it; take up another, or a new one."""
        at = {"authenticatorId": self.device}
        down = self.session.send("WebAuthn.getCredentials", at)["credentials"]
        self.session.send("WebAuthn.removeVirtualAuthenticator", at)
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        added = self.session.send(
            "WebAuthn.addVirtualAuthenticator", {"options": options}
        )
        self.device = str(added["authenticatorId"])
        for credential in device or []:
            at = {"authenticatorId": self.device, "credential": credential}
            self.session.send("WebAuthn.addCredential", at)
        return list(down)


def test_a_lost_device_is_replaced(
    page: Page,
    sign_in: Callable[[Any], None],
    authenticator: Any,
    actor: Actor,
) -> None:
    """A new device is added, confirmed with the old one, and retires it."""
    hand = Hand(*authenticator)
    sign_in(actor.user)
    page.goto("/me/passkeys/")
    page.get_by_role("button", name="Set up a passkey").click()
    page.get_by_text("Your passkey is set up").wait_for()
    old = hand.swap(None)
    page.goto("/me/passkeys/")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("One more step").wait_for()
    new = hand.swap(old)
    page.get_by_role("button", name="Confirm with my other passkey").click()
    page.get_by_text("Confirmed. You can sign with it now").wait_for()
    hand.swap(new)
    lost, kept = actor.passkeys.order_by("created_at")
    card = page.locator("section", has_text=lost.fingerprint)
    card.get_by_text("Lost, or not yours? Retire it").click()
    card.get_by_role("button", name="Retire it with my other passkey").click()
    page.get_by_text("Retired. Nothing that it signs").wait_for()
    assert list(PasskeyCredential.objects.usable()) == [kept]
    assert card.get_by_text("Retired, counts no more").is_visible()


def test_an_actors_pages_fit_a_telephone(
    page: Page,
    sign_in: Callable[[Any], None],
    cast: Cast,
    sign: Callable[..., Grant],
    propose: Callable[..., Grant],
) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    sign_in(cast.actor_user)
    signed, asked = sign(), propose()
    for address in (
        "/me/",
        "/me/passkeys/",
        "/me/data/",
        "/me/face/",
        "/inbox/",
        f"/grants/{signed.id}/",
        f"/grants/{asked.id}/",
    ):
        page.goto(address)
        wide = "document.documentElement.scrollWidth"
        assert page.evaluate(f"{wide} <= window.innerWidth"), address
        assert page.locator("h1").count() == 1


def test_an_actor_narrows_and_signs_on_a_telephone(
    page: Page,
    sign_in: Callable[[Any], None],
    authenticator: Any,
    cast: Cast,
    propose: Callable[..., Grant],
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(cast.actor_user)
    # Their own device, in place of the software key of the other tests.
    cast.actor.passkeys.all().delete()
    page.goto("/me/passkeys/")
    page.get_by_role("button", name="Set up a passkey").click()
    page.get_by_text("Your passkey is set up").wait_for()
    grant = propose(training=True)
    page.goto(f"/grants/{grant.id}/")
    first = page.locator(".record h2").first
    assert first.inner_text() == "What changes for you"
    page.get_by_role("link", name="Allow only part of this").click()
    assert page.locator("input:checked").count() == 0
    page.get_by_label("My mouth may be changed").check()
    for name in ("The pier", "Spanish (es)", "cinemas", "DE"):
        page.get_by_label(name, exact=True).check()
    page.get_by_label("I want to approve each finished version").check()
    page.get_by_label("nudity", exact=True).check()
    page.get_by_role("button", name="Read my terms").click()
    page.get_by_text("These are your own terms now").wait_for()
    assert page.get_by_text("Training on the face: no, before: yes.").is_visible()
    wide = "document.documentElement.scrollWidth"
    assert page.evaluate(f"{wide} <= window.innerWidth")
    page.get_by_role("button", name="Sign with my passkey").click()
    page.get_by_text("Signed. You can withdraw").wait_for()
    signed = Grant.objects.get(previous=grant)
    assert signed.status == Status.ACTIVE
    assert not signed.document.terms.training

    page.get_by_role("button", name="Suspend with my passkey").click()
    page.get_by_text("Suspended. Nothing may be made").wait_for()
    assert Grant.objects.get(pk=signed.pk).status == Status.SUSPENDED
    page.get_by_role("button", name="Lift it with my passkey").click()
    page.get_by_text("It holds again").wait_for()
    assert Grant.objects.get(pk=signed.pk).status == Status.ACTIVE
