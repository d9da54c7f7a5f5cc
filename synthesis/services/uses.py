"""What became of an actor's face, for the actor: what was made, shown, approved,
downloaded and learned; and telling them of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from consent.models import Actor, LedgerEntry
from consent.readers import reading_tongue
from consent.seams import Made
from consent.sentences import day_words, language_words
from consent.services.ledger import entries_about
from consent.services.notices import use_tell
from synthesis.models import (
    ActorModel,
    Adaptation,
    Decision,
    Deliverable,
    FaceConfirmation,
    FaceSighting,
    Render,
)
from synthesis.services.consents import model_in_use

OPENED: Final = "deliverable-opened"
MOVEMENT: Final = "performance-exported"


def made_with(actor: Actor) -> list[Made]:
    """Everything done or begun with an actor's face, newest first, for the actor."""
    renders = list(
        Render.objects.filter(grants__actor=actor)
        .distinct()
        .select_related("dub__scene__project", "deliverable")
    )
    made = [
        *(_made(render) for render in renders),
        *_opened(renders),
        *_decided(renders),
        *_learned_of(actor),
    ]
    return sorted(made, key=lambda thing: thing.at, reverse=True)


def subjects_of(actor: Actor) -> list[str]:
    """Under which subjects the ledger tells of the actor's face."""
    renders = Render.objects.filter(grants__actor=actor)
    files = Deliverable.objects.filter(render__grants__actor=actor)
    runs = Adaptation.objects.filter(actor=actor)
    seen = FaceSighting.objects.filter(actor=actor)
    words = FaceConfirmation.objects.filter(actor=actor)
    rows: list[QuerySet[Any]] = [renders, files, runs, seen, words]
    return [
        str(pk) for row in rows for pk in row.distinct().values_list("pk", flat=True)
    ]


def title_of(render: Render) -> str:
    """What a version is called on the actor's pages."""
    return _("%(scene)s in %(language)s, version %(number)s") % {
        "scene": render.dub.scene.title,
        "language": language_words(render.dub.language, reading_tongue()),
        "number": render.version,
    }


def uses_tell(*, entry: LedgerEntry) -> None:
    """Tell each actor in a file of what the ledger has just been told: that it was
    made, watched, approved or downloaded. Drafts are made for looking and told of only
    once somebody looks. Their own looking is no news to them."""
    found = _told_of(entry)
    if found is None:
        return
    kind, render, key = found
    project = render.dub.scene.project
    by = entry.document["by"]
    facts = {
        "project": project.name,
        "file": title_of(render),
        "person": _names([by])[by],
    }
    for actor in Actor.objects.filter(grants__renders=render).distinct():
        if kind == "use-made" or actor.user_id != by:
            use_tell(
                actor=actor,
                kind=kind,
                facts=facts,
                path=reverse("consent:home") + "#history",
                project=project,
                key=key,
            )


def _told_of(entry: LedgerEntry) -> tuple[str, Render, str] | None:
    """The notice's kind, the render, and the key under which it is told once: that the
    same person watches the same file again is told once only, each download anew."""
    told, by = entry.payload, entry.document["by"]
    if entry.kind == MOVEMENT:
        return "use-movement", _render(pk=told["render"]), f"use:{entry.index}"
    if entry.kind not in ("deliverable-made", OPENED, "decision-made"):
        return None
    render = _render(deliverable__pk=told["deliverable"])
    if entry.kind == "deliverable-made":
        draft = render.tier == Render.Tier.DRAFT
        return None if draft else ("use-made", render, f"use:{entry.index}")
    if entry.kind == "decision-made":
        approved = told["verdict"] == Decision.Verdict.APPROVED
        return ("use-approved", render, f"use:{entry.index}") if approved else None
    if told["purpose"] == "download":
        return "use-downloaded", render, f"use:{entry.index}"
    return "use-shown", render, f"shown:{told['deliverable']}:{by}"


def _render(**where: Any) -> Render:
    return Render.objects.select_related("dub__scene__project").get(**where)


def _made(render: Render) -> Made:
    file = getattr(render, "deliverable", None)
    tones = {
        Render.State.READY: "ok",
        Render.State.FAILED: "",
        Render.State.CANCELLED: "",
        Render.State.WITHDRAWN: "bad",
    }
    return Made(
        title=_titled(render),
        state=_("Made") if file else render.state_words,
        tone=tones.get(Render.State(render.state), "busy"),
        at=file.made_at if file else render.ended_at or render.requested_at,
        project=render.dub.scene.project_id,
        receipt=reverse("synthesis:deliverable_receipt", args=[file.id, "pdf"])
        if file
        else "",
        bundle=reverse("synthesis:audit_bundle", args=[file.id]) if file else "",
    )


def _titled(render: Render) -> str:
    return _("%(file)s, for %(project)s") % {
        "file": title_of(render),
        "project": render.dub.scene.project,
    }


def _opened(renders: list[Render]) -> Iterator[Made]:
    """Who watched or took away a file, or the movement in it, from the ledger."""
    by_subject: dict[str, Render] = {str(render.pk): render for render in renders}
    for render in renders:
        file = getattr(render, "deliverable", None)
        if file is not None:
            by_subject[str(file.pk)] = render
    entries = [
        entry for entry in entries_about(by_subject) if entry.kind in (OPENED, MOVEMENT)
    ]
    names = _names(entry.document["by"] for entry in entries)
    for entry in entries:
        render = by_subject[entry.subject]
        away = entry.kind == MOVEMENT or entry.payload["purpose"] == "download"
        person = {"person": names[entry.document["by"]]}
        if entry.kind == MOVEMENT:
            state = _("Mouth movement downloaded by %(person)s") % person
        elif away:
            state = _("Downloaded by %(person)s") % person
        else:
            state = _("Watched by %(person)s") % person
        yield Made(
            title=_titled(render),
            state=state,
            tone="wait" if away else "",
            at=entry.at,
            project=render.dub.scene.project_id,
        )


def _decided(renders: list[Render]) -> Iterator[Made]:
    by_id = {render.pk: render for render in renders}
    rows = Decision.objects.filter(deliverable__render__in=list(by_id))
    for row in rows.select_related("reviewer", "deliverable"):
        render = by_id[row.deliverable.render_id]
        approved = row.verdict == Decision.Verdict.APPROVED
        person = {"person": row.reviewer}
        yield Made(
            title=_titled(render),
            state=_("Approved by %(person)s") % person
            if approved
            else _("Changes wanted by %(person)s") % person,
            tone="ok" if approved else "",
            at=row.made_at,
            project=render.dub.scene.project_id,
        )


def _learned_of(actor: Actor) -> Iterator[Made]:
    """What the networks learned, or were learning, of the actor's face."""
    runs = Adaptation.objects.filter(actor=actor)
    for run in runs.select_related("actor", "project", "requested_by"):
        yield Made(
            title=_("Learning how your mouth moves, for %(project)s, by %(person)s")
            % {"project": run.project, "person": run.requested_by},
            state=_learning_in_words(run),
            at=run.ended_at or run.requested_at,
            project=run.project_id,
        )
    brought = ActorModel.objects.filter(actor=actor, adaptation=None)
    for model in brought.select_related("grant__project"):
        yield Made(
            title=_(
                "Learning how your mouth moves, for %(project)s; it came with the"
                " software"
            )
            % {"project": model.grant.project},
            state=_("Learned, in use"),
            at=model.made_at,
            project=model.grant.project_id,
        )


def _learning_in_words(run: Adaptation) -> str:
    if run.model_deleted_at:
        return _("Deleted on %(day)s UTC") % {
            "day": day_words(run.model_deleted_at, reading_tongue())
        }
    if run.state != Adaptation.State.READY:
        return run.state_words
    in_use = model_in_use(actor=run.actor, project=run.project)
    return _("Learned, in use") if in_use else _("Learned, not used: consent has ended")


def _names(ids: Iterable[int | None]) -> dict[int | None, str]:
    """Each person's name by their id; the house itself, where nobody acted."""
    wanted = set(ids)
    people = get_user_model().objects.in_bulk([pk for pk in wanted if pk is not None])
    return {pk: str(people.get(pk, _("this site"))) for pk in wanted}
