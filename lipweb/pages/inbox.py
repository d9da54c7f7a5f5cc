"""What waits for a person, worked out from the records at each look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from consent.models import Grant, KeyRecovery, Project, Role
from consent.record import instant
from synthesis.house_keys import certificate_trouble
from synthesis.models import Deliverable, Render, Scene, Track

if TYPE_CHECKING:
    from lipweb.models import User

MOST_SHOWN = 50
ENDING_SOON = timedelta(days=30)


@dataclass(frozen=True)
class Waiting:
    """One thing to do. kind is the badge's class; link may be missing."""

    title: str
    place: str
    sentence: str
    word: str
    kind: str
    link: str | None


def link_to(name: str, **parts: object) -> str | None:
    """The address of a page, or None where that part is not installed."""
    try:
        return reverse(name, kwargs=parts)
    except NoReverseMatch:
        return None


def projects_as(user: User, role: Role) -> list[Project]:
    return list(Project.objects.filter(memberships__user=user, memberships__role=role))


def to_review(user: User) -> Iterator[Waiting]:
    """Files ready for review that this reviewer has not decided about. Drafts are for
    looking and wait for nobody."""
    rows = Deliverable.objects.filter(
        render__state=Render.State.READY,
        render__tier=Render.Tier.FINAL,
        render__dub__scene__project__in=projects_as(user, Role.REVIEWER),
    ).exclude(decisions__reviewer=user)
    for row in rows.select_related("render__dub__scene__project")[:MOST_SHOWN]:
        scene = row.render.dub.scene
        yield Waiting(
            title=f"{scene.title}, {row.render.dub.language}",
            place=scene.project.name,
            sentence=f"Version {row.render.version} waits for your decision.",
            word="To review",
            kind="wait",
            link=link_to("synthesis:deliverable", deliverable_id=row.id),
        )


def faces_without_actor(user: User) -> Iterator[Waiting]:
    """Analysed scenes with faces that nobody has given an actor."""
    projects = projects_as(user, Role.PRODUCER)
    tracks = Track.objects.filter(actor=None, shot__scene__project__in=projects)
    rows = Scene.objects.filter(
        state=Scene.State.READY, pk__in=tracks.values("shot__scene"), dubs=None
    )
    for scene in rows.select_related("project")[:MOST_SHOWN]:
        yield Waiting(
            title=scene.title,
            place=scene.project.name,
            sentence="Say which actor each face belongs to, then add a dub.",
            word="Faces to name",
            kind="wait",
            link=link_to("synthesis:scene", scene_id=scene.id),
        )


def refused_scenes(user: User) -> Iterator[Waiting]:
    projects = projects_as(user, Role.PRODUCER)
    rows = Scene.objects.filter(state=Scene.State.REFUSED, project__in=projects)
    for scene in rows.select_related("project")[:MOST_SHOWN]:
        yield Waiting(
            title=scene.title,
            place=scene.project.name,
            sentence=scene.error_sentence,
            word="Refused",
            kind="bad",
            link=link_to("synthesis:scene", scene_id=scene.id),
        )


def stopped_renders(user: User) -> Iterator[Waiting]:
    """Dubs whose newest render failed, or whose newest file is sent back."""
    projects = projects_as(user, Role.PRODUCER)
    rows = Render.objects.filter(dub__scene__project__in=projects)
    newest: set[object] = set()
    ordered = rows.select_related("dub__scene__project").order_by("dub_id", "-version")
    for render in ordered:
        if render.dub_id in newest:
            continue
        newest.add(render.dub_id)
        scene = render.dub.scene
        if render.state == Render.State.FAILED:
            yield Waiting(
                title=f"{scene.title}, {render.dub.language}",
                place=scene.project.name,
                sentence=render.error_sentence,
                word="Render failed",
                kind="bad",
                link=link_to("synthesis:scene", scene_id=scene.id),
            )


def questions_asked(user: User) -> Iterator[Waiting]:
    """Questions to this actor, which only they can answer."""
    rows = Grant.objects.open().filter(actor__user=user).select_related("project")
    for grant in rows[:MOST_SHOWN]:
        if grant.is_answerable:
            yield Waiting(
                title=grant.project.name,
                place=grant.project.company,
                sentence="You are asked for your consent.",
                word="To answer",
                kind="wait",
                link=link_to("consent:grant", grant_id=grant.id),
            )


def cosignatures_asked(user: User) -> Iterator[Waiting]:
    """Consents that an actor signed and this co-signer has not."""
    rows = (
        Grant.objects.signed().unrevoked().filter(cosigner__user=user, cosignature=None)
    )
    for grant in rows.select_related("project", "actor")[:MOST_SHOWN]:
        yield Waiting(
            title=grant.actor.stage_name,
            place=grant.project.name,
            sentence="You are asked to co-sign this consent.",
            word="To co-sign",
            kind="wait",
            link=link_to("consent:grant", grant_id=grant.id),
        )


def recoveries_to_compare(user: User) -> Iterator[Waiting]:
    """New passkeys whose fingerprint a producer has still to compare."""
    for project in projects_as(user, Role.PRODUCER):
        rows = KeyRecovery.objects.filter(
            actor__castings__project=project, compared_at=None, passkey__isnull=False
        )
        for recovery in rows.select_related("actor")[:MOST_SHOWN]:
            yield Waiting(
                title=recovery.actor.stage_name,
                place=project.name,
                sentence="Has a new passkey by recovery. Compare its fingerprint.",
                word="To compare",
                kind="wait",
                link=link_to(
                    "consent:recover",
                    project_id=project.id,
                    actor_id=recovery.actor_id,
                ),
            )


def questions_sent_back(user: User) -> Iterator[Waiting]:
    """Questions that an actor wants asked differently."""
    rows = Grant.objects.filter(
        project__in=projects_as(user, Role.PRODUCER),
        returned_at__isnull=False,
        following=None,
    )
    for grant in rows.select_related("project", "actor")[:MOST_SHOWN]:
        yield Waiting(
            title=grant.actor.stage_name,
            place=grant.project.name,
            sentence="Sent your question back. Read why, then ask anew.",
            word="Sent back",
            kind="wait",
            link=link_to("consent:grant", grant_id=grant.id),
        )


def consents_ending(user: User) -> Iterator[Waiting]:
    """Consents that end within 30 days, with the days that are left."""
    now = timezone.now()
    rows = Grant.objects.current(now).filter(
        project__in=projects_as(user, Role.PRODUCER),
        record__scope__until__lte=instant(now + ENDING_SOON),
    )
    for grant in rows.select_related("project", "actor")[:MOST_SHOWN]:
        days = (grant.document.terms.ends_at - now).days
        yield Waiting(
            title=grant.actor.stage_name,
            place=grant.project.name,
            sentence=f"This consent ends in {days} {'day' if days == 1 else 'days'}."
            if days
            else "This consent ends within a day.",
            word="Ends soon",
            kind="wait",
            link=link_to("consent:grant", grant_id=grant.id),
        )


def signing_certificate_ending(user: User) -> Iterator[Waiting]:
    """To the operator: the certificate that signs outputs ends soon, or is unusable."""
    trouble = certificate_trouble() if user.is_staff else ""
    if trouble:
        yield Waiting(
            title="Signing certificate",
            place="This installation",
            sentence=trouble,
            word="Ends soon",
            kind="bad",
            link=None,
        )


# Other parts of the house add their own questions here.
SOURCES: list[Callable[[User], Iterator[Waiting]]] = [
    signing_certificate_ending,
    questions_asked,
    cosignatures_asked,
    recoveries_to_compare,
    questions_sent_back,
    to_review,
    faces_without_actor,
    stopped_renders,
    refused_scenes,
    consents_ending,
]


def inbox_of(user: User) -> list[Waiting]:
    """Everything that waits for this person, most pressing first."""
    return [thing for source in SOURCES for thing in source(user)][:MOST_SHOWN]
