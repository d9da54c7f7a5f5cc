"""What became of the label on a file, in words."""

from __future__ import annotations

from typing import Any

from synthesis.scenes.facts import Clock


def label_in_words(record: dict[str, Any]) -> str:
    """What it says, for how long and where; "" where nothing was recorded."""
    if not record:
        return ""
    if record["opening_s"] is None:
        length = "for the whole length"
    else:
        length = f"for {record['opening_s']} s at the beginning"
        if record["breaks"]:
            length += " and after breaks"
        if record["every_minutes"]:
            length += f", every {record['every_minutes']} min"
    places = dict.fromkeys(_place(one["place"]) for one in record["shown"])
    return f"“{record['wording']}” {length}, {', '.join(places)}"


def label_remarks(record: dict[str, Any], clock: Clock) -> list[str]:
    """Where it is not as the policy or the law would have it, and why."""
    if not record:
        return []
    told = []
    for one in record["shown"]:
        span = (
            f"{clock.label(one['first_frame'])} to {clock.label(one['end_frame'] - 1)}"
        )
        if one["over_mouth"]:
            told.append(
                f"{span}: the label covers a part of a mouth, since mouths fill the"
                " whole picture there."
            )
        elif one["moved"]:
            told.append(
                f"{span}: the label is at the {_place(one['place'])}, since a mouth is"
                " in its corner."
            )
    if faces := record["unmeasured_faces"]:
        numbers = ", ".join(str(number) for number in faces)
        told.append(
            f"Face {numbers}: its place is not known any more, so the label may meet"
            " its mouth."
        )
    return told


def _place(place: str) -> str:
    return place.replace("-", " ")
