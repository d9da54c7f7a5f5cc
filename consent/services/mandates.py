"""Who signs for an actor who does not sign themselves, and on what evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from consent.access import require_producer
from consent.canonical import sha256_hex
from consent.errors import ConsentError, NotAllowed
from consent.models import Actor, Mandate, Project
from consent.record import Grantor, MandateRef, instant
from consent.services.ledger import ledger_append

LARGEST_BYTES: Final = 10 << 20
WHO_MAY: Final = {
    Mandate.Signs.GUARDIAN: ("living", "minor"),
    Mandate.Signs.ESTATE: ("deceased", None),
    Mandate.Signs.REPRESENTATIVE: ("living", "adult"),
}


@transaction.atomic
def mandate_record(
    *,
    project: Project,
    actor: Actor,
    signs: str,
    holder: str,
    evidence: File[Any],
    starts_at: datetime,
    ends_at: datetime,
    acting_user: AbstractBaseUser,
) -> Mandate:
    """Keep who signs for an actor of the cast, with the document that shows it. Its
    SHA-256 goes into the ledger and into each record; the document stays private."""
    require_producer(acting_user, project)
    if not actor.castings.filter(project=project).exists():
        raise NotAllowed("Invite the actor to this production first.")
    actor = Actor.objects.select_for_update().get(pk=actor.pk)
    actor.life, actor.age = _who_it_is_for(actor, Mandate.Signs(signs))
    actor.save(update_fields=["life", "age"])
    if (evidence.size or 0) > LARGEST_BYTES:
        raise NotAllowed("The evidence is larger than 10 MB. Upload a smaller file.")
    content = evidence.read()
    mandate = Mandate(
        actor=actor,
        signs=signs,
        holder=holder.strip(),
        evidence_sha256=sha256_hex(content),
        starts_at=starts_at,
        ends_at=ends_at,
        recorded_by_id=acting_user.pk,
    )
    mandate_ref(mandate)
    mandate.evidence.save("evidence", ContentFile(content), save=False)
    mandate.save()
    ledger_append(
        kind="mandate-recorded",
        subject=str(actor.id),
        payload=_payload(mandate),
        acting_user=acting_user,
    )
    return mandate


def _who_it_is_for(actor: Actor, signs: Mandate.Signs) -> tuple[str, str]:
    """Return life and age of whoever such a mandate is for. What an actor was once
    recorded as is never undone by a mandate of another kind, nor is a mandate taken
    for an adult who has signed for themselves, but by their representative."""
    life, age = WHO_MAY[signs]
    fits = actor.life == life and age in (None, actor.age)
    new = not actor.mandates.exists() and not actor.passkeys.exists()
    if not fits and not new:
        raise NotAllowed("This kind of mandate does not fit who the actor is.")
    return life, age or actor.age


def mandate_ref(mandate: Mandate) -> MandateRef:
    """Return the mandate as records carry it; RecordRefused if it is incomplete."""
    return MandateRef(
        holder=mandate.holder,
        evidence_sha256=mandate.evidence_sha256,
        starts_at=mandate.starts_at,
        ends_at=mandate.ends_at,
    )


def mandate_current(actor: Actor) -> Mandate | None:
    """Return the newest mandate that holds now."""
    now = timezone.now()
    rows = actor.mandates.filter(starts_at__lte=now, ends_at__gt=now)
    return rows.order_by("-recorded_at").first()


def grantor_of(actor: Actor) -> Grantor:
    """Return whose face it is and who signs for it now. Raises ConsentError for a
    minor, or somebody deceased, for whom nobody may sign."""
    mandate = mandate_current(actor)
    may_sign_alone = actor.life == Actor.Life.LIVING and actor.age == Actor.Age.ADULT
    had_one = mandate is None and actor.mandates.exists()
    if had_one or (mandate is None and not may_sign_alone):
        raise ConsentError(
            "no-mandate",
            _(
                "Nobody may sign for %(actor)s now. Record who does, with evidence, "
                "first."
            )
            % {"actor": actor},
        )
    return Grantor(
        actor_id=str(actor.id),
        legal_name=actor.legal_name,
        stage_name=actor.stage_name,
        life=actor.life,
        age=actor.age,
        signs=mandate.signs if mandate else "self",
        mandate=mandate_ref(mandate) if mandate else None,
    )


def _payload(mandate: Mandate) -> dict[str, Any]:
    return {
        "actor": str(mandate.actor_id),
        "mandate": str(mandate.id),
        "signs": mandate.signs,
        "evidence_sha256": mandate.evidence_sha256,
        "from": instant(mandate.starts_at),
        "until": instant(mandate.ends_at),
    }
