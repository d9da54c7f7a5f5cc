"""The face guard's answers in words: for the actor, and for the producer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from consent.readers import reading_locale
from synthesis.faces.features import shipped_figures
from synthesis.faces.sface import NAME as SFACE
from synthesis.models import FaceSighting, Footage
from synthesis.services.face_confirmations import (
    confirmation_standing,
    is_confirmed,
    title_of,
)
from synthesis.services.face_questions import is_waiting
from synthesis.services.faces import Seen, sighting_of, sighting_refusal
from synthesis.services.measured import FORGOTTEN

Verdict = FaceSighting.Verdict


OWN_CLIP: Final = gettext_noop(
    "If this is you, confirm it, and your face can be compared with it."
)


PROPOSED: Final = gettext_noop(
    "It looks like the face you enrolled. The production asks whether later faces may"
    " be compared with this one, too."
)


@dataclass(frozen=True)
class Said:
    """One face that is said to be the actor's, with the guard's answer in a sentence.
    waits: the actor is asked whether it is them."""

    sighting: FaceSighting
    title: str
    sentence: str
    badge: str
    tone: str
    waits: bool


ANSWERS: dict[str, tuple[str, str, str]] = {
    Verdict.WAITING: (
        "wait",
        gettext_noop("Being looked at"),
        gettext_noop("A worker is looking at this face."),
    ),
    Verdict.SAME: (
        "ok",
        gettext_noop("Recognised"),
        gettext_noop("It looks like the face you enrolled."),
    ),
    Verdict.OTHER: (
        "bad",
        gettext_noop("Does not look like you"),
        gettext_noop(
            "It does not look like the face you enrolled. Nothing is made with it"
            " unless you confirm that it is you."
        ),
    ),
    Verdict.UNSURE: (
        "wait",
        gettext_noop("Waits for you"),
        gettext_noop(
            "It could not be told whether this is you. Nothing is made with it unless"
            " you confirm it."
        ),
    ),
    Verdict.UNKNOWN: (
        "wait",
        gettext_noop("Waits for you"),
        gettext_noop(
            "There is nothing to compare it with yet. Nothing is made with it unless"
            " you confirm that it is you."
        ),
    ),
    Verdict.DENIED: (
        "bad",
        gettext_noop("Not you"),
        gettext_noop(
            "You said that this is not you. Nothing is made with it as yours."
        ),
    ),
}


def what_is_said(sighting: FaceSighting) -> Said:
    """A face with the guard's answer, for its actor, in their language."""
    title = title_of(sighting, reading_locale())
    word = confirmation_standing(sighting)
    if word is not None:
        sentence = (
            _("You confirmed this face and let it be remembered.")
            if word.remembers
            else _("You confirmed this face.")
        )
        return Said(sighting, title, sentence, _("Yours"), "ok", False)
    tone, badge, sentence = ANSWERS[sighting.verdict_now]
    if sighting.is_own_clip and not sighting.reason and sighting.sheet_sha256:
        tone, badge, sentence = "wait", ANSWERS[Verdict.UNKNOWN][1], OWN_CLIP
    if sighting.proposed and sighting.verdict_now == Verdict.SAME:
        tone, badge, sentence = "wait", ANSWERS[Verdict.UNKNOWN][1], PROPOSED
    if sighting.reason:
        sentence = sighting.reason
    return Said(sighting, title, _(sentence), _(badge), tone, is_waiting(sighting))


def guard_told(seen: Seen) -> dict[str, Any] | None:
    """How the guard stands to a face, for the producer: None where nobody is said to
    be it; "live" while it is being compared."""
    if seen.actor is None:
        return None
    row = sighting_of(seen)
    refusal = sighting_refusal(row, seen)
    if refusal is None:
        recognised = row is not None and row.verdict == Verdict.SAME
        badge = "Recognised" if recognised else "Confirmed by the actor"
        return {"badge": badge, "tone": "ok", "sentence": "", "live": False}
    live = row is not None and row.verdict == Verdict.WAITING
    tone = (
        "bad" if refusal.code in ("face-mismatch", "face-denied", FORGOTTEN) else "wait"
    )
    can_confirm = row is None or bool(row.sheet_sha256)
    badge = {
        "face-mismatch": "Another face",
        "face-denied": "Not the actor",
        "face-not-compared": "Comparing",
        FORGOTTEN: "Measurements deleted",
    }.get(refusal.code, "Actor must confirm" if can_confirm else "Cannot be used")
    told = "" if live else refusal.sentence
    return {"badge": badge, "tone": tone, "sentence": told, "live": live}


def footage_told(footage: Footage) -> dict[str, Any]:
    """The same of footage to learn from, and more: "closed" while it may not be learned
    from, "asked" once the actor was asked to let it be remembered, "can_propose" while
    a producer may ask that."""
    row, told = sighting_of(footage), guard_told(footage)
    recognised = row is not None and row.verdict_now == Verdict.SAME
    proposed = row is not None and row.proposed
    unanswered = row is not None and not is_confirmed(row)
    return {
        **(told or {}),
        "footage": footage,
        "closed": told is not None and told["tone"] != "ok" and not told["live"],
        "asked": recognised and proposed and unanswered,
        "can_propose": recognised and not proposed and unanswered,
    }


def can_tell(folder: Path) -> list[str]:
    """What the comparison can and cannot tell, with what was measured."""
    if (folder / SFACE).exists():
        first = [
            _(
                "This house compares faces with OpenCV's SFace network, at the"
                " threshold its makers name. It was not measured here."
            )
        ]
    else:
        first = _measured()
    return [
        *first,
        _("It cannot tell twins, or people who look much alike, from each other."),
        _(
            "Heavy make-up, a mask, a beard that was not there, hard light, or a face"
            " turned away can make it say “not you” or “cannot tell”. Then you are"
            " asked."
        ),
        _(
            "Faces smaller than 24 pixels across the eyes are not compared: you are"
            " asked."
        ),
        _(
            "It is a guard against mix-ups, not a proof of who somebody is. Your"
            " signature is the proof."
        ),
    ]


def _measured() -> list[str]:
    told = shipped_figures()
    easy, hard = told["clean"], told["disturbed"]
    return [
        _(
            "It was measured on %(people)d people, %(aside)d at a time kept out of its"
            " learning. That is few: take these numbers as a rough guide."
        )
        % {"people": told["talkers"], "aside": told["left_out_at_a_time"]},
        _(
            "In good pictures, %(taken)s of other people were taken for the same"
            " person, and %(missed)s of people were not recognised."
        )
        % _rates(easy),
        _(
            "In pictures with changed light, blur, size and compression, %(taken)s of"
            " other people were taken for the same person, and %(missed)s of people"
            " were not recognised. Footage of another day is more like these, or"
            " worse."
        )
        % _rates(hard),
    ]


def _rates(shares: dict[str, float]) -> dict[str, str]:
    named = (("taken", "others_accepted"), ("missed", "own_not_accepted"))
    return {
        name: f"{number_format(round(100 * shares[share], 1), 1)}\u00a0%"
        for name, share in named
    }
