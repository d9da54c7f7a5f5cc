"""Everything kept about an actor as one file, for them alone (GDPR, article 15)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from consent.access import require_self
from consent.encoding import base64_text
from consent.errors import ConsentError
from consent.history import history_of
from consent.models import Actor, Grant, Notice, PasskeyCredential
from consent.models.passkeys import SignedDocument
from consent.seams import seams
from consent.services.face_data import face_data_of
from consent.services.ledger import entries_about, ledger_append
from consent.services.notices import actor_tell
from consent.services.receipts import grant_receipt_make, receipt_as_pdf
from consent.zip_stream import json_blocks, json_rows, zip_stream

Part = tuple[str, Iterable[bytes]]


def export_make(*, actor: Actor, acting_user: AbstractBaseUser) -> Iterator[bytes]:
    """Write down that the actor takes everything away, and return the zip's bytes as
    they are made. Raises NotAllowed, before the first byte, for anybody but the actor
    or whoever signs for them."""
    require_self(acting_user, actor)
    with transaction.atomic():
        ledger_append(
            kind="data-exported",
            subject=str(actor.id),
            payload={"actor": str(actor.id)},
            acting_user=acting_user,
        )
        page = reverse("consent:own_data")
        actor_tell(actor=actor, kind="own-exported", facts={}, path=page)
    return zip_stream(_parts(actor), at=timezone.localtime())


def _parts(actor: Actor) -> Iterator[Part]:
    now = timezone.localtime()
    readme = render_to_string("consent/export.txt", {"actor": actor, "now": now})
    yield "README.txt", [readme.encode()]
    yield "person.json", json_blocks(_person(actor))
    grants = actor.grants.select_related(
        "project", "actor__user", "credential", "cosigner"
    )
    for grant in grants.order_by("proposed_at"):
        yield from _consent(grant)
    for receipt in seams.receipts_of(actor):
        yield from _receipt(f"receipts/{receipt.name}", receipt.make)
    yield "history.json", json_rows(asdict(event) for event in history_of(actor))
    for kept in seams.kept_about(actor):
        yield f"{kept.name}.json", json_rows(kept.rows)
    face = [asdict(kept) for kept in face_data_of(actor)]
    yield "face-data.json", json_blocks(face)
    notices = Notice.objects.filter(user=actor.user_id).order_by("at")
    yield "notices.json", json_rows(map(_notice, notices.iterator()))
    entries = entries_about(_subjects(actor))
    yield "log.json", json_rows(entry.document for entry in entries)


def _consent(grant: Grant) -> Iterator[Part]:
    folder = f"consents/{grant.id}"
    yield f"{folder}/words.txt", [grant.shown_text.encode()]
    yield f"{folder}/record.json", [bytes(grant.canonical)]
    yield f"{folder}/answer.json", json_blocks(_answer(grant))
    if grant.signed_at:
        yield from _receipt(f"receipts/consent-{grant.id}", _receipt_of(grant))


def _receipt_of(grant: Grant) -> Callable[[], Any]:
    return lambda: grant_receipt_make(grant)


def _receipt(name: str, make: Callable[[], Any]) -> Iterator[Part]:
    """A receipt in both forms, or why there is none just now."""
    try:
        receipt = make()
        pdf = receipt_as_pdf(receipt)
    except ConsentError as refusal:
        yield f"{name}.txt", [refusal.sentence.encode()]
        return
    yield f"{name}.json", [receipt.to_bytes()]
    yield f"{name}.pdf", [pdf]


def _person(actor: Actor) -> dict[str, Any]:
    user = actor.user
    return {
        "id": actor.id,
        "stage_name": actor.stage_name,
        "legal_name": actor.legal_name,
        "life": actor.life,
        "age": actor.age,
        "agent_email": actor.agent_email,
        "since": actor.created_at,
        "login": {
            "email": user.get_username() if user else "",
            "name": str(user or ""),
            "last_login": user.last_login if user else None,
        },
        "passkeys": [_passkey(key) for key in actor.passkeys.all()],
        "recoveries": [
            {
                "id": one.id,
                "reason": one.reason,
                "opened_at": one.opened_at,
                "opened_by": str(one.opened_by),
                "compared_at": one.compared_at,
                "compared_by": str(one.compared_by or ""),
                "compared_how": one.channel,
                "may_sign_from": one.grants_from,
            }
            for one in actor.recoveries.select_related("opened_by", "compared_by")
        ],
        "signed_for_by": [
            {
                "holder": one.holder,
                "as": one.signs,
                "from": one.starts_at,
                "until": one.ends_at,
                "evidence_sha256": one.evidence_sha256,
            }
            for one in actor.mandates.all()
        ],
        "productions": [
            {
                "production": one.project.name,
                "company": one.project.company,
                "invited_at": one.invited_at,
                "invited_address": one.email,
            }
            for one in actor.castings.select_related("project")
        ],
    }


def _passkey(key: PasskeyCredential) -> dict[str, Any]:
    return {
        "id": key.id,
        "fingerprint": key.fingerprint,
        "public_key": base64_text(bytes(key.public_key)),
        "registration": key.registration,
        "added_at": key.created_at,
        "may_sign": key.is_usable,
        "may_withdraw": key.is_withdrawing,
        "by_recovery": key.recovery_id,
        "confirmed": signed_in_full(key.confirmation)
        if hasattr(key, "confirmation")
        else {},
        "retired": signed_in_full(key.retirement) if hasattr(key, "retirement") else {},
    }


def _cosigned(grant: Grant) -> dict[str, Any]:
    if grant.cosigner is None:
        return {}
    signed = signed_in_full(grant.cosignature) if hasattr(grant, "cosignature") else {}
    return signed | {"name": grant.cosigner.name, "role": grant.cosigner.role}


def _answer(grant: Grant) -> dict[str, Any]:
    return {
        "production": grant.project.name,
        "company": grant.project.company,
        "status": grant.status,
        "asked_at": grant.proposed_at,
        "declined_at": grant.declined_at,
        "sent_back_at": grant.returned_at,
        "reason": grant.reason,
        "signature": signed_in_full(grant),
        "cosignature": _cosigned(grant),
        "withdrawals": [signed_in_full(one) for one in grant.revocations.all()],
        "suspensions": [
            signed_in_full(one) | {"kind": one.kind} for one in grant.suspensions.all()
        ],
        "files_approved": [
            signed_in_full(one) | {"file_sha256": one.output_sha256}
            for one in grant.output_approvals.all()
        ],
        "files_sent_back": [
            {
                "file_sha256": one.output_sha256,
                "reason": one.reason,
                "at": one.returned_at,
            }
            for one in grant.output_returns.all()
        ],
    }


def signed_in_full(document: SignedDocument) -> dict[str, Any]:
    """Return what was signed, with the signature, as JSON values; empty if unsigned."""
    if document.signature is None:
        return {}
    return {
        "signed_at": document.signed_at,
        "passkey": document.credential_id,
        "document": bytes(document.canonical).decode(),
        "words": document.shown_text,
        "authenticator_data": base64_text(bytes(document.authenticator_data or b"")),
        "client_data_json": base64_text(bytes(document.client_data_json or b"")),
        "signature": base64_text(bytes(document.signature)),
    }


def _notice(notice: Notice) -> dict[str, Any]:
    return {
        "at": notice.at,
        "title": notice.title,
        "sentence": notice.sentence,
        "read_at": notice.read_at,
        "mailed_at": notice.mailed_at,
    }


def _subjects(actor: Actor) -> list[str]:
    """Under what the ledger tells of the actor."""
    rows = [actor.passkeys.all(), actor.grants.all(), actor.mandates.all()]
    own = [str(pk) for row in rows for pk in row.values_list("pk", flat=True)]
    return [str(actor.id), *own, *seams.subjects_of(actor)]
