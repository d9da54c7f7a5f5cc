"""What is kept of an actor's face for the networks, and deleting all of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from consent.access import require_self
from consent.errors import NotAllowed
from consent.models import Actor, LedgerEntry
from consent.seams import FaceStore, seams
from consent.services.ledger import ledger_append
from consent.services.notices import actor_tell, producers_tell

DELETED = "face-data-deleted"


@dataclass(frozen=True)
class KeptOfFace:
    """One kind of thing kept of a face, in words, and how many there are."""

    code: str
    title: str
    what_for: str
    count: int


def face_data_of(actor: Actor) -> list[KeptOfFace]:
    """Return every kind that the house can keep, with how much of it there is."""
    return [
        KeptOfFace(store.code, store.title(), store.what_for(), store.count(actor))
        for store in seams.face_stores
    ]


@transaction.atomic
def face_data_forget(*, actor: Actor, acting_user: AbstractBaseUser) -> LedgerEntry:
    """Delete all that was measured and learned from the actor's face; return the
    ledger's entry on it. Signed records and the ledger stay, and so do consents: what
    they allow can only be made anew from new measurements. Raises NotAllowed for
    anybody but the actor, and where nothing is kept."""
    require_self(acting_user, actor)
    actor = Actor.objects.select_for_update().get(pk=actor.pk)
    kept = {store.code: store.forget(actor, acting_user) for store in seams.face_stores}
    if not any(kept.values()):
        raise NotAllowed(_("Nothing is kept that was measured from your face."))
    entry = ledger_append(
        kind=DELETED,
        subject=str(actor.id),
        payload={"actor": str(actor.id), "deleted": kept},
        acting_user=acting_user,
    )
    actor_tell(
        actor=actor,
        kind="own-face-deleted",
        facts={"what": _in_words(kept)},
        path=reverse("consent:face_deleted", args=[entry.index]),
    )
    for casting in actor.castings.select_related("project"):
        producers_tell(
            project=casting.project,
            kind="face-deleted",
            facts={"project": casting.project.name, "actor": actor.stage_name},
            path=reverse("consent:actors", args=[casting.project.id]),
        )
    return entry


def deleted_of(entry: LedgerEntry) -> list[KeptOfFace]:
    """Return what an entry says was deleted, in words."""
    counts = entry.payload["deleted"]
    return [
        KeptOfFace(store.code, store.title(), store.what_for(), counts[store.code])
        for store in seams.face_stores
        if counts.get(store.code)
    ]


def _in_words(kept: dict[str, int]) -> str:
    by_code: dict[str, FaceStore] = {store.code: store for store in seams.face_stores}
    return "; ".join(by_code[code].title() for code, count in kept.items() if count)
