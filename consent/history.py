"""Everything that was ever asked of an actor, signed by them and done with their face,
in one list, newest first, in the reader's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from consent.models import (
    Actor,
    Grant,
    LedgerEntry,
    OutputApproval,
    OutputReturn,
    Suspension,
)
from consent.seams import seams
from consent.services.face_data import DELETED


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened. word and tone are the badge's; url leads to it, receipt
    to the proof of it, and bundle, by POST, to all that is known of the file."""

    at: datetime
    word: str
    title: str
    tone: str = ""
    project: UUID | None = None
    url: str = ""
    receipt: str = ""
    bundle: str = ""


def history_of(actor: Actor, project: UUID | None = None) -> list[Event]:
    """Return every event of the actor's, newest first; of one production only if it
    is named."""
    events = [
        *_consents(actor),
        *_answers_to_files(actor),
        *_made(actor),
        *_deletions(actor),
    ]
    if project is not None:
        events = [event for event in events if event.project == project]
    return sorted(events, key=lambda event: event.at, reverse=True)


def _consents(actor: Actor) -> Iterator[Event]:
    rows = actor.grants.select_related(
        "project", "following", "cosignature"
    ).prefetch_related("revocations", "suspensions")
    for grant in rows:
        url = reverse("consent:grant", args=[grant.id])
        name = {"project": grant.project, "company": grant.project.company}
        for at, word, tone, title in _grant_events(grant):
            yield Event(
                at=at,
                word=word,
                title=title % name,
                tone=tone,
                project=grant.project_id,
                url=url,
            )


def _grant_events(grant: Grant) -> Iterator[tuple[datetime, str, str, str]]:
    """Moment, badge, tone and title of each thing that became of a question."""
    consent = _("Your consent for %(project)s")
    if grant.document.step.by == "actor":
        title = _("Your own, narrower terms for %(project)s")
        yield grant.proposed_at, _("Written by you"), "", title
    else:
        title = _("%(company)s asked for your consent in %(project)s")
        yield grant.proposed_at, _("Asked"), "" if grant.is_closed else "wait", title
    if grant.signed_at:
        yield grant.signed_at, _("Signed"), "ok", consent
        ends_at = grant.document.terms.ends_at
        if ends_at <= timezone.now() and not grant.revocation:
            yield ends_at, _("Ended"), "", consent
    if hasattr(grant, "cosignature") and grant.cosignature.signed_at:
        yield grant.cosignature.signed_at, _("Co-signed"), "ok", consent
    if grant.declined_at:
        yield grant.declined_at, _("Declined"), "", consent
    if grant.returned_at:
        title = _("The question for %(project)s")
        yield grant.returned_at, _("Sent back"), "", title
    for word in grant.suspensions.all():
        lifted = word.kind == Suspension.Kind.LIFTING
        badge = _("Suspension lifted") if lifted else _("Suspended")
        if word.signed_at:
            yield word.signed_at, badge, "ok" if lifted else "bad", consent
    for taken_back in grant.revocations.all():
        if taken_back.signed_at:
            yield taken_back.signed_at, _("Withdrawn"), "bad", consent


def _answers_to_files(actor: Actor) -> Iterator[Event]:
    """What the actor said of finished files that were to be approved by them."""
    approvals = OutputApproval.objects.filter(grant__actor=actor)
    approvals = approvals.filter(signed_at__isnull=False)
    returns = OutputReturn.objects.filter(grant__actor=actor)
    if not (approvals.exists() or returns.exists()):
        return
    titles = {one.sha256: one.title for one in seams.outputs_of(actor)}
    for one in approvals.select_related("grant__project"):
        at = one.signed_at or one.grant.proposed_at
        yield _of_file(one, titles, at, _("Approved by you"), "ok")
    for sent in returns.select_related("grant__project"):
        yield _of_file(sent, titles, sent.returned_at, _("Sent back by you"), "")


def _of_file(
    answer: OutputApproval | OutputReturn,
    titles: dict[str, str],
    at: datetime,
    word: str,
    tone: str,
) -> Event:
    sha256, grant = answer.output_sha256, answer.grant
    unnamed = _("A finished file of %(project)s") % {"project": grant.project}
    return Event(
        at=at,
        word=word,
        title=titles.get(sha256, unnamed),
        tone=tone,
        project=grant.project_id,
        url=reverse("consent:output", args=[grant.id, sha256])
        if sha256 in titles
        else reverse("consent:grant", args=[grant.id]),
    )


def _made(actor: Actor) -> Iterator[Event]:
    for thing in seams.made_with(actor):
        yield Event(
            at=thing.at,
            word=thing.state,
            title=thing.title,
            tone=thing.tone,
            project=thing.project,
            url=thing.url,
            receipt=thing.receipt,
            bundle=thing.bundle,
        )


def _deletions(actor: Actor) -> Iterator[Event]:
    entries = LedgerEntry.objects.about(str(actor.id))
    for entry in entries.filter(kind__in=[DELETED, "data-exported"]):
        if entry.kind == DELETED:
            yield Event(
                at=entry.at,
                word=_("Deleted by you"),
                title=_("What was measured and learned from your face"),
                url=reverse("consent:face_deleted", args=[entry.index]),
            )
        else:
            title = _("Everything kept about you, as one file")
            yield Event(at=entry.at, word=_("Downloaded by you"), title=title)
