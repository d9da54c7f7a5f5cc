"""Receipts of what was made with a face, for whose face it is and who made it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from consent.access import is_producer
from consent.models import Actor, Cosigner, Grant, LedgerEntry, UnsentReceipt
from consent.receipt import Receipt
from consent.sentences import language_words
from consent.services.ledger import ledger_append
from consent.services.receipt_letters import receipt_mail
from consent.services.receipts import receipt_make
from synthesis.errors import NotAllowed
from synthesis.models import Deliverable, Render

MADE = "deliverable-made"


def deliverable_log(*, deliverable: Deliverable, acting_user: AbstractBaseUser) -> None:
    """Write into the ledger that the file was made, and on which consents. Belongs
    into the transaction in which the deliverable begins to exist."""
    render = deliverable.render
    ledger_append(
        kind=MADE,
        subject=str(deliverable.id),
        payload={
            "deliverable": str(deliverable.id),
            "render": str(render.id),
            "sha256": deliverable.sha256,
            "mark": deliverable.mark_id,
            "grants": sorted(str(grant.id) for grant in render.grants.all()),
        },
        acting_user=acting_user,
    )


def deliverable_receipt(
    *, deliverable: Deliverable, acting_user: AbstractBaseUser
) -> Receipt:
    """Return the receipt of a file: with every consent it stands on for the project's
    producers, with their own for an actor in it. Raises NotAllowed for others."""
    grants = deliverable.render.grants.select_related("actor", "project")
    if not is_producer(acting_user, deliverable.render.dub.scene.project):
        grants = grants.filter(actor__user=acting_user.pk)
    if not grants:
        raise NotAllowed("not-found", "There is no such file here.")
    return deliverable_receipt_of(deliverable, list(grants))


def deliverable_receipts_send(
    *, entry: LedgerEntry, late: UnsentReceipt | None = None, **_: Any
) -> int:
    """On commit of a finished file: mail each actor in it the receipt. A draft cannot
    leave the house, so nobody is written to for each try. Returns how many went."""
    if entry.kind != MADE:
        return 0
    deliverable = Deliverable.objects.get(id=entry.subject)
    if deliverable.render.tier == Render.Tier.DRAFT:
        return 0
    sent = 0
    dub = deliverable.render.dub
    for actor in Actor.objects.filter(grants__renders=deliverable.render).distinct():
        own = deliverable.render.grants.filter(actor=actor)
        tongue = language_words(dub.language)
        sent += receipt_mail(
            receipt=deliverable_receipt_of(deliverable, list(own)),
            entry=entry,
            late=late,
            actor=actor,
            name=f"file-{deliverable.id}",
            subject=f"Made with your face: {dub.scene} in {tongue}",
            context={
                "about": f"{dub.scene.project} made a file with your face: {dub.scene} "
                f"in {tongue}, version {deliverable.render.version}"
            },
            cosigners=Cosigner.objects.filter(grants__in=own).distinct(),
        )
    return sent


def deliverable_receipt_of(deliverable: Deliverable, grants: list[Grant]) -> Receipt:
    """Return the receipt of a file with these of its consents. Asks nobody's
    permission."""
    entries = LedgerEntry.objects.about(str(deliverable.id)).filter(kind=MADE)
    if not entries:
        raise NotAllowed("no-receipt", "The ledger does not say that this was made.")
    return receipt_make(
        subject=("deliverable", str(deliverable.id)),
        grants=grants,
        entries=entries,
        output_sha256=deliverable.sha256,
    )
