"""The face guard's answers in words: for the actor, and for the producer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthesis.faces.features import shipped_figures
from synthesis.faces.sface import NAME as SFACE
from synthesis.models import FaceSighting, Track
from synthesis.services.faces import (
    confirmation_standing,
    sighting_of,
    sighting_refusal,
)

Verdict = FaceSighting.Verdict


@dataclass(frozen=True)
class Said:
    """One face that is said to be the actor's, with the guard's answer in a sentence.
    waits: the actor is asked whether it is them."""

    sighting: FaceSighting
    sentence: str
    badge: str
    tone: str
    waits: bool


ANSWERS: dict[str, tuple[str, str, str]] = {
    Verdict.WAITING: ("wait", "Being looked at", "A worker is looking at this face."),
    Verdict.SAME: ("ok", "Recognised", "It looks like the face you enrolled."),
    Verdict.OTHER: (
        "bad",
        "Does not look like you",
        "It does not look like the face you enrolled. Nothing is made with it unless"
        " you confirm that it is you.",
    ),
    Verdict.UNSURE: (
        "wait",
        "Waits for you",
        "It could not be told whether this is you. Nothing is made with it unless you"
        " confirm it.",
    ),
    Verdict.UNKNOWN: (
        "wait",
        "Waits for you",
        "There is nothing to compare it with yet. Nothing is made with it unless you"
        " confirm that it is you.",
    ),
    Verdict.DENIED: (
        "bad",
        "Not you",
        "You said that this is not you. Nothing is made with it as yours.",
    ),
}


def what_is_said(sighting: FaceSighting) -> Said:
    """A face with the guard's answer, for its actor."""
    word = confirmation_standing(sighting)
    if word is not None:
        kept = " and let it be remembered" if word.remembers else ""
        return Said(sighting, f"You confirmed this face{kept}.", "Yours", "ok", False)
    tone, badge, sentence = ANSWERS[sighting.verdict]
    if sighting.is_reference and not sighting.reason and sighting.sheet_sha256:
        tone, badge = "wait", "Waits for you"
        sentence = "If this is you, confirm it, and your face can be compared with it."
    if sighting.reason:
        sentence = sighting.reason
    settled = (Verdict.SAME, Verdict.DENIED)
    waits = bool(sighting.sheet_sha256) and sighting.verdict not in settled
    return Said(sighting, sentence, badge, tone, waits)


def guard_told(track: Track) -> dict[str, Any] | None:
    """How the guard stands to a track, for the producer: None where nobody is said to
    be it; "live" while it is being compared."""
    if track.actor is None:
        return None
    row = sighting_of(track)
    refusal = sighting_refusal(row, track)
    if refusal is None:
        recognised = row is not None and row.verdict == Verdict.SAME
        badge = "Recognised" if recognised else "Confirmed by the actor"
        return {"badge": badge, "tone": "ok", "sentence": "", "live": False}
    live = row is not None and row.verdict == Verdict.WAITING
    tone = "bad" if refusal.code in ("face-mismatch", "face-denied") else "wait"
    badge = {
        "face-mismatch": "Another face",
        "face-denied": "Not the actor",
        "face-not-compared": "Comparing",
    }.get(refusal.code, "Actor must confirm")
    told = "" if live else refusal.sentence
    return {"badge": badge, "tone": tone, "sentence": told, "live": live}


def can_tell(folder: Path) -> list[str]:
    """What the comparison can and cannot tell, with what was measured."""
    if (folder / SFACE).exists():
        first = [
            "This house compares faces with OpenCV's SFace network, at the threshold"
            " its makers name. It was not measured here."
        ]
    else:
        first = _measured()
    return [
        *first,
        "It cannot tell twins, or people who look much alike, from each other.",
        "Heavy make-up, a mask, a beard that was not there, hard light, or a face"
        " turned away can make it say “not you” or “cannot tell”. Then you are asked.",
        "Faces smaller than 24 pixels across the eyes are not compared: you are asked.",
        "It is a guard against mix-ups, not a proof of who somebody is. Your signature"
        " is the proof.",
    ]


def _measured() -> list[str]:
    told = shipped_figures()
    easy, hard = told["clean"], told["disturbed"]
    missed = _percent(easy["own_not_accepted"])
    return [
        f"It was measured on {told['talkers']} people, {told['left_out_at_a_time']} at"
        " a time kept out of its learning. That is few: take these numbers as a rough"
        " guide.",
        f"In good pictures, {_percent(easy['others_accepted'])} of other people were"
        f" taken for the same person, and {missed} of people were not recognised.",
        "In pictures with changed light, blur, size and compression,"
        f" {_percent(hard['others_accepted'])} of other people were taken for the same"
        f" person, and {_percent(hard['own_not_accepted'])} of people were not"
        " recognised. Footage of another day is more like these, or worse.",
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
