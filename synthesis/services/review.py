"""What reviewers say of a deliverable, and who may have its bytes."""

from __future__ import annotations

import logging

from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache
from django.db import transaction
from django.db.models.fields.files import FieldFile

from consent.models import Membership, Role
from consent.services.ledger import ledger_append
from synthesis.errors import NotAllowed, SynthesisError
from synthesis.models import Comment, Decision, Deliverable, Render
from synthesis.services.access import require_role
from synthesis.services.consents import render_verify
from synthesis.services.renders import grants_standing

log = logging.getLogger(__name__)

VIEWING_S = 3600
"""One ledger row a person and file within this time: a player asks many times."""


def comment_add(
    *, deliverable: Deliverable, frame: int, text: str, acting_user: AbstractBaseUser
) -> Comment:
    """Pin words to one frame. Any member of the project may."""
    _require_member(deliverable, acting_user)
    if not 0 <= frame < deliverable.frame_count:
        raise SynthesisError(
            "no-such-frame", f"The frames go from 0 to {deliverable.frame_count - 1}."
        )
    if not text.strip():
        raise SynthesisError("empty-comment", "Write a word or two first.")
    return Comment.objects.create(
        deliverable=deliverable,
        author_id=acting_user.pk,
        frame=frame,
        text=text.strip(),
    )


@transaction.atomic
def decision_make(
    *,
    deliverable: Deliverable,
    sha256: str,
    verdict: str,
    reason: str,
    acting_user: AbstractBaseUser,
) -> Decision:
    """Approve, or ask for changes, on exactly the bytes the reviewer was shown."""
    project = deliverable.render.dub.scene.project
    require_role(project=project, user=acting_user, role=Role.REVIEWER)
    render_verify(deliverable.render)
    if verdict not in Decision.Verdict.values:
        raise SynthesisError("bad-verdict", "Choose to approve or to ask for changes.")
    if verdict == Decision.Verdict.APPROVED and _is_draft(deliverable):
        raise NotAllowed(
            "draft-not-releasable",
            "This is a draft and may not leave the house. Ask for the final version and"
            " approve that one.",
        )
    if sha256 != deliverable.sha256:
        raise SynthesisError(
            "other-file",
            "The file has changed since this page was opened. Load the page again and"
            " look at the new file before you decide.",
        )
    decision = Decision.objects.create(
        deliverable=deliverable,
        sha256=sha256,
        verdict=verdict,
        reason=reason.strip(),
        reviewer_id=acting_user.pk,
    )
    ledger_append(
        kind="decision-made",
        subject=str(deliverable.id),
        payload={
            "deliverable": str(deliverable.id),
            "sha256": sha256,
            "verdict": verdict,
        },
        acting_user=acting_user,
    )
    return decision


def is_approved(deliverable: Deliverable) -> bool:
    """Say whether at least one reviewer approved these bytes and no reviewer's latest
    word on them asks for changes. A draft never is."""
    if _is_draft(deliverable):
        return False
    latest: dict[int, str] = {}
    decisions = deliverable.decisions.filter(sha256=deliverable.sha256)
    for reviewer_id, verdict in decisions.order_by("made_at", "id").values_list(
        "reviewer_id", "verdict"
    ):
        latest[reviewer_id] = verdict
    return bool(latest) and set(latest.values()) == {Decision.Verdict.APPROVED}


PURPOSES = ("review", "download", "copy")


def deliverable_open(
    *, deliverable: Deliverable, acting_user: AbstractBaseUser, purpose: str
) -> FieldFile:
    """Hand out the file for "download", or as a "copy" that a pipeline takes along, or
    what a browser plays of it for "review" in the player, after asking the policy anew,
    and write down who had it. An actor whose approval is asked for may watch it too.
    Raises ConsentDenied or NotAllowed."""
    if purpose not in PURPOSES:
        raise ValueError(purpose)
    if purpose == "review":
        if not _is_asked(deliverable, acting_user):
            _require_member(deliverable, acting_user)
        deliverable_verify(deliverable=deliverable, purpose=purpose)
        _write_down(deliverable, acting_user, purpose)
        return deliverable.playable.file
    _let_leave(deliverable, acting_user, purpose)
    return deliverable.file


@transaction.atomic
def _let_leave(deliverable: Deliverable, user: AbstractBaseUser, purpose: str) -> None:
    """Ask and write down with the grants locked: in the ledger a withdrawal stands
    wholly before the file's leaving, and refuses it, or wholly after."""
    _require_member(deliverable, user)
    grants_standing(deliverable.render)
    render_verify(deliverable.render)
    if purpose == "download":
        project = deliverable.render.dub.scene.project
        require_role(project=project, user=user, role=Role.PRODUCER)
        if not is_approved(deliverable):
            raise NotAllowed(
                "not-approved",
                "This file has not been approved. A reviewer decides on its review"
                " page.",
            )
    deliverable_verify(deliverable=deliverable, purpose=purpose)
    _write_down(deliverable, user, purpose)


def deliverable_verify(*, deliverable: Deliverable, purpose: str) -> None:
    """Raise ConsentDenied unless consent still allows handing the file out for this.
    Asked again and again for as long as its bytes are going out."""
    sha256 = "" if purpose == "review" else deliverable.sha256
    render_verify(deliverable.render, output_sha256=sha256)


def _is_draft(deliverable: Deliverable) -> bool:
    return deliverable.render.tier == Render.Tier.DRAFT


def _write_down(deliverable: Deliverable, user: AbstractBaseUser, purpose: str) -> None:
    seen = f"opened:{deliverable.id}:{user.pk}:{purpose}"
    if not cache.add(seen, 1, VIEWING_S):
        return
    try:
        ledger_append(
            kind="deliverable-opened",
            subject=str(deliverable.id),
            payload={
                "deliverable": str(deliverable.id),
                "sha256": deliverable.sha256,
                "purpose": purpose,
            },
            acting_user=user,
        )
    except BaseException:
        cache.delete(seen)  # or the next one would be let through unwritten
        raise


def _is_asked(deliverable: Deliverable, user: AbstractBaseUser) -> bool:
    """Say whether the user is an actor who is to approve this file."""
    grants = deliverable.render.grants.filter(actor__user_id=user.pk)
    asked = any(grant.document.terms.output_approval for grant in grants)
    return asked and not _is_draft(deliverable)


def _require_member(deliverable: Deliverable, user: AbstractBaseUser) -> None:
    project = deliverable.render.dub.scene.project
    if not Membership.objects.filter(project=project, user_id=user.pk).exists():
        raise NotAllowed("not-found", "There is no such file here.")
