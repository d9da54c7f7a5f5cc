"""Receipts reach those they concern, whole, and nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from consent.errors import ConsentError, NotAllowed
from consent.models import Grant, LedgerEntry, UnsentReceipt
from consent.receipt import Receipt
from consent.receipt_pdf import receipt_pdf
from consent.services.actors import agent_name
from consent.services.receipt_letters import receipts_send_late
from consent.services.receipts import grant_receipt, receipt_as_pdf
from consent.services.software import software_grant_revoke
from consent.services.withdrawals import grant_suspend, suspension_options
from consent.verdict import Verdict, verify_receipt
from lipweb.console_mail import EmailBackend
from tests.consent.conftest import Cast
from tests.consent.views.test_pages import as_user

MakeGrant = Callable[..., Grant]


def verdict_of(cast: Cast, grant: Grant) -> Verdict:
    return verify_receipt(grant_receipt(grant=grant, acting_user=cast.actor_user))


def enclosures(message: mail.EmailMessage) -> dict[str, bytes]:
    """What a letter encloses, by the ends of the names."""
    return {one[0].rpartition(".")[2]: one[1] for one in message.attachments}


def test_the_actor_and_the_producer_have_the_receipt(
    cast: Cast, sign: MakeGrant
) -> None:
    grant = sign()
    for user in (cast.actor_user, cast.producer):
        receipt = grant_receipt(grant=grant, acting_user=user)
        assert receipt.subject == ("grant", str(grant.id))
    for user in (cast.reviewer, cast.stranger):
        with pytest.raises(NotAllowed):
            grant_receipt(grant=grant, acting_user=user)


def test_what_was_not_signed_has_no_receipt(cast: Cast, propose: MakeGrant) -> None:
    with pytest.raises(NotAllowed):
        grant_receipt(grant=propose(), acting_user=cast.actor_user)


def test_a_receipt_says_who_signed_what_and_when(cast: Cast, sign: MakeGrant) -> None:
    grant = sign()
    (proven,) = verdict_of(cast, grant).grants
    assert proven.record == grant.document
    assert proven.part.text == grant.shown_text
    entry = LedgerEntry.objects.get(kind="grant-signed")
    assert (proven.signed.index, proven.withdrawn) == (entry.index, None)


def test_a_grant_the_ledger_does_not_know_has_no_receipt(
    cast: Cast, sign: MakeGrant
) -> None:
    grant = sign()
    Grant.objects.filter(pk=grant.pk).update(signature=b"another")
    grant.refresh_from_db()
    with pytest.raises(ConsentError):
        grant_receipt(grant=grant, acting_user=cast.actor_user)


def test_rows_changed_by_the_administrator_give_no_receipt_that_holds(
    cast: Cast, sign: MakeGrant
) -> None:
    grant = sign()
    Grant.objects.filter(pk=grant.pk).update(shown_text="You allow nothing.")
    grant.refresh_from_db()
    receipt = grant_receipt(grant=grant, acting_user=cast.actor_user)
    with pytest.raises(ConsentError):
        receipt_as_pdf(receipt)


# Mail


def with_receipts() -> list[Any]:
    """The letters that enclose something: notices to others enclose nothing."""
    return [letter for letter in mail.outbox if letter.attachments]


def test_signing_and_withdrawing_send_a_receipt_to_actor_and_agent(
    cast: Cast,
    propose: MakeGrant,
    sign: MakeGrant,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    agent_name(actor=cast.actor, email="agent@example.com", acting_user=cast.actor_user)
    with django_capture_on_commit_callbacks(execute=True):
        grant = sign()
    assert [letter.to for letter in with_receipts()] == [
        ["robin@example.com"],
        ["agent@example.com"],
    ]
    for letter in with_receipts():
        assert letter.subject == "Signed: consent for Harbour Lights"
        own = enclosures(letter)
        assert not verify_receipt(Receipt.from_bytes(own["json"])).grants[0].withdrawn
        assert own["pdf"].startswith(b"%PDF-")
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        software_grant_revoke(
            grant=grant, authenticator=cast.authenticator, acting_user=cast.actor_user
        )
    letter = with_receipts()[0]
    assert letter.subject == "Withdrawn: consent for Harbour Lights"
    assert "python -m consent.verify" in letter.body
    receipt = Receipt.from_bytes(enclosures(letter)["json"])
    assert verify_receipt(receipt).grants[0].withdrawn


def test_without_an_agent_only_the_actor_is_written_to(
    sign: MakeGrant, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sign()
    assert [letter.to for letter in with_receipts()] == [["robin@example.com"]]


def test_mail_that_fails_does_not_undo_a_signature(
    sign: MakeGrant,
    settings: Any,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "localhost", 9
    with django_capture_on_commit_callbacks(execute=True):
        grant = sign()
    assert Grant.objects.get(pk=grant.pk).signed_at


def test_letters_on_the_console_name_what_they_enclose(
    sign: MakeGrant,
    capsys: pytest.CaptureFixture[str],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sign()
    EmailBackend().send_messages(mail.outbox)
    shown = capsys.readouterr().out
    assert "robin@example.com" in shown
    assert "python -m consent.verify" in shown
    assert shown.count("[enclosed: consent-") == 2
    assert "base64" not in shown


def test_only_the_actor_names_their_agent(cast: Cast) -> None:
    for user in (cast.producer, cast.stranger):
        with pytest.raises(NotAllowed):
            agent_name(actor=cast.actor, email="me@example.com", acting_user=user)
    with pytest.raises(ConsentError):
        agent_name(actor=cast.actor, email="nobody", acting_user=cast.actor_user)
    address = "agent@example.com"
    agent_name(actor=cast.actor, email=address, acting_user=cast.actor_user)
    agent_name(actor=cast.actor, email="", acting_user=cast.actor_user)
    kinds = LedgerEntry.objects.filter(kind__startswith="agent-")
    assert [row.kind for row in kinds] == ["agent-named", "agent-removed"]
    assert address.encode() not in b"".join(bytes(row.content) for row in kinds)


# PDF


def text_of(pdf: bytes) -> str:
    """Every letter that a PDF of ours shows, by its own tables, which let a reader
    copy it or hear it read aloud."""
    codes = re.findall(rb"<[0-9A-F]{4}> <([0-9A-F]{4,8})>\n", pdf)
    return b"".join(bytes.fromhex(code.decode()) for code in codes).decode("utf-16-be")


@pytest.mark.parametrize(
    "name",
    [
        "Robin Vale",
        "Ольга Щербакова",
        "Ελένη Παπαδάκη",
        "ليلى خالد",
        "נועה כהן",
        "章子怡",
        "प्रिया",
        "🎭 Masks",
        "a\nb\u202etxt",
        "x" * 120,
    ],
)
def test_names_in_any_script_make_a_pdf(cast: Cast, sign: MakeGrant, name: str) -> None:
    cast.actor.stage_name = cast.actor.legal_name = name
    cast.actor.save()
    verdict = verdict_of(cast, sign())
    pdf = receipt_pdf(verdict)
    assert pdf.startswith(b"%PDF-")
    shown = set(text_of(pdf))
    if name[0] in "章प":
        assert {"U", "+"} <= shown
        assert name[0] not in shown
    elif name[0] in "ОΕR":
        assert set(name) - {" "} <= shown


def test_a_withdrawn_consents_pdf_says_so(cast: Cast, sign: MakeGrant) -> None:
    grant = sign()
    before = receipt_pdf(verdict_of(cast, grant))
    software_grant_revoke(
        grant=grant, authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    assert len(receipt_pdf(verdict_of(cast, grant))) > len(before)


def test_while_a_consent_is_suspended_its_receipt_says_so_and_is_mailed(
    cast: Cast,
    sign: MakeGrant,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    grant = sign()
    options = suspension_options(grant=grant, acting_user=cast.actor_user)
    with django_capture_on_commit_callbacks(execute=True):
        grant_suspend(
            grant=grant,
            assertion=cast.authenticator.get(options),
            acting_user=cast.actor_user,
        )
    (letter,) = with_receipts()
    assert letter.subject == "Suspended: consent for Harbour Lights"
    receipt = Receipt.from_bytes(enclosures(letter)["json"])
    (proven,) = verify_receipt(receipt).grants
    assert proven.standing(timezone.now()) == "suspended"
    assert proven.standing_at(proven.rests[0]) == "in force"


# Pages


@pytest.mark.parametrize(("form", "start"), [("json", b'{"about":'), ("pdf", b"%PDF-")])
def test_a_receipt_can_be_taken_away(
    cast: Cast, sign: MakeGrant, form: str, start: bytes
) -> None:
    grant = sign()
    address = reverse("consent:receipt", args=[grant.id, form])
    for user in (cast.actor_user, cast.producer):
        page = as_user(user).get(reverse("consent:grant", args=[grant.id]))
        assert address in page.content.decode()
        answer = as_user(user).get(address)
        assert answer.status_code == 200
        assert answer.content.startswith(start)
        assert "attachment" in answer["Content-Disposition"]
        assert answer["Cache-Control"] == "private, no-store"
    assert as_user(cast.stranger).get(address).status_code == 404
    assert as_user(cast.reviewer).get(address).status_code == 403
    page = as_user(cast.reviewer).get(reverse("consent:grant", args=[grant.id]))
    assert address not in page.content.decode()


def test_a_receipt_needs_a_login(client: Any, sign: MakeGrant) -> None:
    answer = client.get(reverse("consent:receipt", args=[sign().id, "json"]))
    assert answer.status_code == 302


def test_an_open_question_shows_no_receipt(cast: Cast, propose: MakeGrant) -> None:
    grant = propose()
    page = as_user(cast.actor_user).get(reverse("consent:grant", args=[grant.id]))
    assert "receipt." not in page.content.decode()
    address = reverse("consent:receipt", args=[grant.id, "pdf"])
    assert as_user(cast.actor_user).get(address).status_code == 403


def test_the_actor_names_an_agent_on_their_page(cast: Cast) -> None:
    client = as_user(cast.actor_user)
    client.post(reverse("consent:agent"), {"email": "agent@example.com"})
    cast.actor.refresh_from_db()
    assert cast.actor.agent_email == "agent@example.com"
    assert "agent@example.com" in client.get(reverse("consent:home")).content.decode()
    assert client.post(reverse("consent:agent"), {"email": "x"}).status_code == 400
    assert as_user(cast.producer).post(reverse("consent:agent")).status_code == 404


# Mail that could not go


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """with broken("agent@example.com"): no mail to that address is taken, or to any."""
    send = mail.EmailMessage.send

    def refuse(letter: mail.EmailMessage, *args: Any) -> int:
        if refused and letter.to[0] not in refused:
            return send(letter, *args)
        raise ConnectionRefusedError

    refused: list[str] = []

    @contextmanager
    def breaking(*addresses: str) -> Iterator[None]:
        refused[:] = addresses
        with monkeypatch.context() as server:
            server.setattr(mail.EmailMessage, "send", refuse)
            yield

    return breaking


def later(hours: float = 1) -> datetime:
    return timezone.now() + timedelta(hours=hours)


def test_a_receipt_that_could_not_be_mailed_goes_later_once_and_says_so(
    cast: Cast,
    sign: MakeGrant,
    broken: Callable[..., Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with broken(), django_capture_on_commit_callbacks(execute=True):
        grant = sign()
    assert not with_receipts()
    assert receipts_send_late() == 0  # not at once
    with broken():
        assert receipts_send_late(now=later()) == 0
    assert receipts_send_late(now=later()) == 1
    assert receipts_send_late(now=later()) == 0
    (letter,) = with_receipts()
    assert letter.to == ["robin@example.com"]
    today = date_format(timezone.now(), "DATE_FORMAT")
    assert letter.body.startswith(
        f"This comes late: it could not be mailed on {today}."
    )
    receipt = Receipt.from_bytes(enclosures(letter)["json"])
    assert verify_receipt(receipt).grants[0].record == grant.document


def test_one_address_that_fails_keeps_no_other_from_its_receipt(
    cast: Cast,
    sign: MakeGrant,
    broken: Callable[..., Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    agent_name(actor=cast.actor, email="agent@example.com", acting_user=cast.actor_user)
    with (
        broken("robin@example.com"),
        django_capture_on_commit_callbacks(execute=True),
    ):
        sign()
    (letter,) = with_receipts()
    assert letter.to == ["agent@example.com"]
    assert "comes late" not in letter.body
    mail.outbox.clear()
    assert receipts_send_late(now=later()) == 1
    assert [one.to for one in with_receipts()] == [["robin@example.com"]]


def test_a_late_receipt_is_given_up_after_three_days(
    cast: Cast,
    sign: MakeGrant,
    broken: Callable[..., Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with broken(), django_capture_on_commit_callbacks(execute=True):
        sign()
    assert receipts_send_late(now=later(hours=73)) == 0
    assert not UnsentReceipt.objects.exists()


def test_a_late_receipt_that_cannot_be_made_stays_to_be_sent(
    cast: Cast,
    sign: MakeGrant,
    broken: Callable[..., Any],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with broken(), django_capture_on_commit_callbacks(execute=True):
        grant = sign()
    shown = grant.shown_text
    Grant.objects.filter(pk=grant.pk).update(shown_text="You allow nothing.")
    assert receipts_send_late(now=later()) == 0
    Grant.objects.filter(pk=grant.pk).update(shown_text=shown)
    assert receipts_send_late(now=later()) == 1
