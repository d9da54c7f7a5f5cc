"""The actor signs the words in the language she reads, and no others."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consent.canonical import canonical_bytes, sha256_hex
from consent.errors import ConsentError, NotAllowed, SignatureRefused
from consent.models import Grant
from consent.policy import verify
from consent.proof import grant_verify_signature, is_output_approved
from consent.receipt import Receipt
from consent.receipt_pdf import receipt_pdf, record_pdf
from consent.sentences import shown_grant
from consent.services.grants import grant_sign, grant_sign_options, grant_worded
from consent.services.outputs import output_approve, output_approve_options
from consent.services.passkeys import passkey_confirm, passkey_confirm_options
from consent.services.receipts import grant_receipt
from consent.services.software import software_passkey_enrol
from consent.services.withdrawals import (
    grant_revoke,
    grant_revoke_options,
    grant_suspend,
    suspension_lift,
    suspension_options,
)
from consent.verdict import verify_receipt
from tests.conftest import REPOSITORY
from tests.consent.conftest import Cast
from tests.consent.services.test_receipts import text_of

MakeGrant = Callable[..., Grant]
LOCALES = ("en", "de")
OTHER = {"en": "de", "de": "en"}


def signed_in_words(cast: Cast, grant: Grant, locale: str, read: str = "") -> Grant:
    """Sign the words of a locale; read is that of the words that were shown."""
    options = grant_sign_options(
        grant=grant, acting_user=cast.actor_user, locale=read or locale
    )
    return grant_sign(
        grant=grant,
        assertion=cast.authenticator.get(options),
        acting_user=cast.actor_user,
        locale=locale,
    )


@pytest.mark.parametrize("locale", LOCALES)
def test_language_and_hash_of_the_words_shown_are_signed(
    cast: Cast, propose: MakeGrant, use: Callable[..., Any], locale: str
) -> None:
    signed_in_words(cast, propose(), locale)
    grant = Grant.objects.get()
    told = json.loads(bytes(grant.canonical))
    assert told["schema"] == "lipweb-grant-v2"
    assert told["text"]["locale"] == locale
    assert told["text"]["sha256"] == sha256_hex(grant.shown_text)
    assert grant.shown_text == shown_grant(grant.document, locale)[1]
    grant_verify_signature(grant)
    assert verify(use()) == grant


@pytest.mark.parametrize("locale", LOCALES)
def test_a_signature_over_words_other_than_those_shown_fails(
    cast: Cast, propose: MakeGrant, locale: str
) -> None:
    with pytest.raises(SignatureRefused):
        signed_in_words(cast, propose(), locale, read=OTHER[locale])
    assert Grant.objects.get().signed_at is None


@pytest.mark.parametrize("locale", LOCALES)
def test_a_signed_text_cannot_be_given_out_as_the_other_language(
    cast: Cast, propose: MakeGrant, locale: str
) -> None:
    grant = signed_in_words(cast, propose(), locale)
    other = grant_worded(grant, OTHER[locale])
    rows = Grant.objects.filter(pk=grant.pk)
    rows.update(shown_text=other.shown_text)
    with pytest.raises(SignatureRefused):
        grant_verify_signature(Grant.objects.get())
    rows.update(record=other.record, canonical=other.canonical)
    with pytest.raises(SignatureRefused):
        grant_verify_signature(Grant.objects.get())


@pytest.mark.parametrize("locale", LOCALES)
def test_words_changed_before_the_signature_are_noticed(
    cast: Cast, propose: MakeGrant, locale: str
) -> None:
    grant = propose()
    Grant.objects.update(shown_text=grant.shown_text.replace("jaw", "nose"))
    with pytest.raises(NotAllowed):
        signed_in_words(cast, Grant.objects.get(), locale)


def test_a_question_stays_the_same_in_every_language(propose: MakeGrant) -> None:
    grant = propose()
    worded = grant_worded(grant, "de")
    assert worded.document.terms == grant.document.terms
    assert replace(worded.document, text=grant.document.text) == grant.document
    assert grant.document.text.locale == "en", "the row itself is left alone"
    assert canonical_bytes(worded.record) == bytes(worded.canonical)


def test_a_language_that_is_not_here_cannot_be_signed_in(
    cast: Cast, propose: MakeGrant
) -> None:
    with pytest.raises(ConsentError):
        signed_in_words(cast, propose(), "fr")


def test_everything_said_later_can_be_said_in_german(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = signed_in_words(cast, propose(output_approval=True), "de")
    who: dict[str, Any] = {"acting_user": cast.actor_user, "locale": "de"}
    device = cast.authenticator
    file = {"grant": grant, "output_sha256": "ab" * 32}
    answer = device.get(output_approve_options(**file, **who))
    approval = output_approve(**file, assertion=answer, **who)
    assert "Sie haben diese Fassung" in approval.shown_text
    assert is_output_approved(grant, "ab" * 32)
    answer = device.get(suspension_options(grant=grant, **who))
    resting = grant_suspend(grant=grant, assertion=answer, **who)
    assert "ruht, bis Sie die Aussetzung aufheben" in resting.shown_text
    answer = device.get(suspension_options(grant=grant, **who))
    suspension_lift(grant=grant, assertion=answer, **who)
    assert Grant.objects.get().status == "active"
    answer = device.get(grant_revoke_options(grant=grant, **who))
    revoked = grant_revoke(grant=grant, assertion=answer, **who)
    assert json.loads(bytes(revoked.canonical))["text"]["locale"] == "de"
    assert Grant.objects.get().status == "revoked"


def test_a_further_passkey_confirmed_in_german_signs(
    cast: Cast, propose: MakeGrant
) -> None:
    further = software_passkey_enrol(actor=cast.actor, acting_user=cast.actor_user)
    key = cast.actor.passkeys.get(is_first=False)
    who: dict[str, Any] = {"acting_user": cast.actor_user, "locale": "de"}
    options = passkey_confirm_options(credential=key, **who)
    answer = cast.authenticator.get(options)
    word = passkey_confirm(credential=key, assertion=answer, **who)
    assert "gehört ebenfalls Ihnen" in word.shown_text
    cast.authenticator = further
    grant_verify_signature(signed_in_words(cast, propose(), "de"))


# Checked by a stranger, and read on paper


@pytest.fixture
def german(cast: Cast, propose: MakeGrant) -> Receipt:
    """The receipt of a consent that was signed and withdrawn in German."""
    grant = signed_in_words(cast, propose(), "de")
    who: dict[str, Any] = {"acting_user": cast.actor_user, "locale": "de"}
    answer = cast.authenticator.get(grant_revoke_options(grant=grant, **who))
    grant_revoke(grant=grant, assertion=answer, **who)
    return grant_receipt(grant=Grant.objects.get(), acting_user=cast.actor_user)


def test_a_german_record_is_checked_without_django(
    german: Receipt, tmp_path: Path
) -> None:
    path = tmp_path / "receipt.json"
    path.write_bytes(german.to_bytes())
    script = (
        "import sys\n"
        "from consent.verify import main\n"
        f"code = main([{str(path)!r}])\n"
        "sys.exit('met Django' if 'django' in sys.modules else code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=REPOSITORY,
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "It was withdrawn on" in done.stdout
    assert "not know" not in done.stdout, "the German templates are known"


def test_german_words_that_say_something_else_are_refused(german: Receipt) -> None:
    grant, *later = german.documents
    for there, here in (("im Kino", "im Fernsehen"), ("Was sich", "What")):
        words = replace(grant, text=grant.text.replace(there, here))
        assert words != grant
        with pytest.raises(SignatureRefused):
            verify_receipt(replace(german, documents=(words, *later)))


def test_the_pdf_is_in_both_languages(german: Receipt) -> None:
    verdict = verify_receipt(german)
    english, deutsch = receipt_pdf(verdict), receipt_pdf(verdict, "de")
    assert b"/Lang (de)" in deutsch and b"/Lang (en)" in english
    (grant,) = verdict.grants
    # The letters that only German has are in the letters of the file.
    assert set("äöüß„") <= set(text_of(deutsch))
    asked = record_pdf(grant.record, "de")
    assert asked.startswith(b"%PDF-") and b"/Lang (de)" in asked
