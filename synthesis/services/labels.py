"""The visible label's policy: who may change it, and what it means for one dub."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from consent.canonical import sha256_hex
from consent.models import Project, Role
from consent.services.ledger import ledger_append
from synthesis.errors import SynthesisError
from synthesis.media.probe import Probe
from synthesis.models import Dub, LabelPolicy, Render, Scene
from synthesis.provenance.label import (
    LEAST_OPENING_S,
    TEXT,
    Box,
    Fonts,
    Sign,
)
from synthesis.provenance.label.drawing import Transfer
from synthesis.provenance.label.lettering import font_read
from synthesis.provenance.label.wording import (
    ENGLISH,
    default_wording,
    primary,
    wording_checked,
)
from synthesis.services.access import require_role

MOST_OPENING_S, MOST_EVERY_MINUTES, MOST_BREAKS = 60, 120, 200
USUAL_OPENING_S = 5
_TRANSFERS: Mapping[int, Transfer] = {16: "pq", 18: "hlg"}


@dataclass(frozen=True)
class Wording:
    """What a label says. language: of the words, which may be English for a dub whose
    letters no font at hand can write. own: the house's, not ours."""

    text: str
    language: str
    own: bool


def label_policy(project: Project) -> LabelPolicy:
    """The project's policy; an unsaved one of defaults where none was ever set."""
    found = LabelPolicy.objects.filter(project=project).first()
    return found or LabelPolicy(project=project)


@transaction.atomic
def label_policy_set(
    *,
    project: Project,
    wordings: Mapping[str, str],
    corner: str,
    opening_s: int | None,
    every_minutes: int | None,
    acting_user: AbstractBaseUser,
) -> LabelPolicy:
    """Change what is shown on files made from now on; those that were made stay as they
    are. wordings: by language tag; an empty one means the house's default. The ledger
    says who changed it, and of own words their hash. Raises SynthesisError label-*."""
    require_role(project=project, user=acting_user, role=Role.PRODUCER)
    if corner not in LabelPolicy.Corner.values:
        raise SynthesisError("label-corner", "Choose one of the corners listed.")
    _require_within(opening_s, LEAST_OPENING_S, MOST_OPENING_S, "seconds")
    _require_within(every_minutes, 1, MOST_EVERY_MINUTES, "minutes")
    kept = {
        language.lower(): label_wording_check(text, language)
        for language, text in sorted(wordings.items())
        if text.strip()
    }
    Project.objects.select_for_update().get(pk=project.pk)
    policy = label_policy(project)
    before = _terms(policy)
    policy.wordings, policy.corner = kept, corner
    policy.opening_s = opening_s
    policy.every_minutes = every_minutes if opening_s is not None else None
    if _terms(policy) == before:
        return policy
    policy.changed_by_id = acting_user.pk
    policy.save()
    ledger_append(
        kind="label-policy-changed",
        subject=str(project.id),
        payload={
            "project": str(project.id),
            "label": _terms(policy),
            "before": before,
        },
        acting_user=acting_user,
    )
    return policy


@transaction.atomic
def scene_breaks_set(
    *, scene: Scene, frames: Collection[int], acting_user: AbstractBaseUser
) -> None:
    """Say with which frames the scene goes on after a break: there the label is shown
    anew. Raises SynthesisError."""
    require_role(project=scene.project, user=acting_user, role=Role.PRODUCER)
    if scene.state != Scene.State.READY:
        raise SynthesisError("scene-not-ready", "The scene is not analysed yet.")
    last = Probe.from_json(scene.media_facts).frame_count - 1
    if any(not 0 < frame <= last for frame in frames):
        raise SynthesisError(
            "break-outside-scene",
            f"A break must end inside the scene: on a frame from 1 to {last}.",
        )
    if len(frames) > MOST_BREAKS:
        raise SynthesisError("too-many-breaks", f"At most {MOST_BREAKS} breaks fit.")
    if Render.objects.live().filter(dub__scene=scene).exists():
        raise SynthesisError(
            "render-under-way",
            "A render of this scene is under way. Wait for it, or cancel it first.",
        )
    before, said = scene.breaks, sorted(set(frames))
    if before == said:
        return
    scene.breaks = said
    scene.save(update_fields=["breaks"])
    ledger_append(
        kind="scene-breaks-said",
        subject=str(scene.id),
        payload={
            "scene": str(scene.id),
            "scene_sha256": scene.sha256,
            "breaks": said,
            "before": before,
        },
        acting_user=acting_user,
    )


def label_wording_check(text: str, language: str) -> str:
    """A house's own words as they will be drawn. Raises SynthesisError label-* where
    they do not say AI, or no font at hand has their letters."""
    words = wording_checked(text, language)
    fonts_at_hand().writing(words)
    return words


def wording_for(policy: LabelPolicy, language: str) -> Wording:
    """What is said on a dub in this language."""
    tag = language.lower()
    for one in (tag, primary(tag)):
        if own := policy.wordings.get(one):
            return Wording(own, language, own=True)
    ours = default_wording(tag)
    if ours and fonts_at_hand().can_write(ours):
        return Wording(ours, primary(tag), own=False)
    return Wording(TEXT, ENGLISH, own=False)


def sign_for(
    wording: Wording, facts: Probe, active: Collection[int] | None = None
) -> Sign:
    """How the label of a film is drawn. active: the picture without its bars, left,
    top, right, bottom; the label stands inside it, unless that is too narrow. Raises
    SynthesisError label-*."""
    whole = Sign(
        facts.width,
        facts.height,
        text=wording.text,
        fonts=fonts_at_hand(),
        full_range=facts.colour.full_range,
        transfer=_TRANSFERS.get(facts.colour.transfer, "sdr"),
    )
    if active:
        inside = Sign(**vars(whole) | {"active": Box(*active)})
        if inside.fits():
            return inside
    whole.drawn("top-left")
    return whole


def label_verify(dub: Dub) -> None:
    """Raise SynthesisError label-* where the label could not be drawn on this dub:
    asked before hours are spent on its mouths."""
    facts = Probe.from_json(dub.scene.media_facts)
    wording = wording_for(label_policy(dub.scene.project), dub.language)
    sign_for(wording, facts, dub.scene.active_picture)


def fonts_at_hand() -> Fonts:
    """The font that ships and, if the operator named one, theirs."""
    return Fonts.with_own(settings.LABEL_FONT)


def label_font_trouble() -> str:
    """In a sentence: why the operator's font cannot be used; "" where nothing is wrong,
    or none is named."""
    try:
        if settings.LABEL_FONT:
            font_read(settings.LABEL_FONT)
    except SynthesisError as error:
        return error.sentence
    return ""


def _terms(policy: LabelPolicy) -> dict[str, Any]:
    """The policy for the ledger, which cannot forget: own words by their hash."""
    return {
        "wordings": {
            language: sha256_hex(text.encode())
            for language, text in sorted(policy.wordings.items())
        },
        "corner": policy.corner,
        "opening_s": policy.opening_s,
        "every_minutes": policy.every_minutes,
    }


def _require_within(value: int | None, least: int, most: int, unit: str) -> None:
    if value is not None and not least <= value <= most:
        raise SynthesisError(
            "label-duration",
            f"The label's {unit} must be from {least} to {most}"
            + (": two seconds are the least that can be read." if least > 1 else "."),
        )
