"""Narrower is narrower in every term, and each difference is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consent.narrowing import changes, widenings
from consent.record import GrantTerms, SceneRef
from consent.tongue import tongue_of

PIER = SceneRef(title="The pier", sha256="5c" * 32)
ROOM = SceneRef(title="The room", sha256="0d" * 32)
BEGINS, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)

ASKED = GrantTerms(
    languages=("es", "de-AT"),
    territories=("DE", "MX"),
    media=("cinema", "streaming"),
    starts_at=BEGINS,
    ends_at=ENDS,
    inference=True,
    scenes=(PIER, ROOM),
    excluded_content=("politics",),
)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"languages": ("es-MX",)},
        {"territories": ("MX",)},
        {"media": ("cinema",)},
        {"scenes": (ROOM,)},
        {"starts_at": BEGINS + SECOND, "ends_at": ENDS - SECOND},
        {"excluded_content": ("politics", "nudity")},
        {"output_approval": True},
        {"counsel": "Guild of Actors"},
    ],
)
def test_less_is_within(change: dict[str, Any]) -> None:
    assert widenings(ASKED, replace(ASKED, **change)) == ()


@pytest.mark.parametrize(
    ("change", "term"),
    [
        ({"languages": ("de",)}, "languages"),
        ({"languages": ("es", "fr")}, "languages"),
        ({"territories": ("worldwide",)}, "countries"),
        ({"territories": ("DE", "AT")}, "countries"),
        ({"media": ("social",)}, "where it is shown"),
        ({"scenes": None}, "scenes"),
        ({"scenes": (SceneRef(title="X", sha256="ee" * 32),)}, "scenes"),
        ({"starts_at": BEGINS - SECOND}, "the first day"),
        ({"ends_at": ENDS + SECOND}, "the last day"),
        ({"training": True}, "training"),
        ({"excluded_content": ()}, "excluded content"),
        ({"compensation_commitment": "ab" * 32}, "payment"),
    ],
)
def test_each_term_that_goes_beyond_is_named(change: dict[str, Any], term: str) -> None:
    assert widenings(ASKED, replace(ASKED, **change)) == (
        f"This goes beyond what was asked: {term}.",
    )


def test_everywhere_covers_any_country_and_any_scene() -> None:
    wide = replace(ASKED, scenes=None, territories=("worldwide",))
    assert widenings(wide, ASKED) == ()
    wanted = replace(ASKED, output_approval=True)
    assert widenings(wanted, ASKED) == (
        "This goes beyond what was asked: approval of versions.",
    )


def test_every_difference_is_said_and_nothing_else() -> None:
    assert changes(ASKED, ASKED) == ()
    after = replace(
        ASKED,
        languages=("es",),
        scenes=(PIER,),
        ends_at=datetime(2026, 7, 1, tzinfo=UTC),
        excluded_content=("politics", "nudity"),
        output_approval=True,
    )
    assert changes(ASKED, after) == (
        "Each finished version now needs the actor's approval.",
        "Scenes: “The pier”. Before: “The pier” and “The room”.",
        "Languages: Spanish (es). Before: Spanish (es) and German (de-AT).",
        "To: the end of 30 June 2026. Before: the end of 31 December 2026.",
        "Newly excluded: nudity.",
    )
    assert changes(after, ASKED)[-1] == "No longer excluded: nudity."


def test_training_switched_off_is_said() -> None:
    before = replace(ASKED, training=True)
    assert changes(before, ASKED) == ("Training on the face: no, before: yes.",)


def test_an_excluded_kind_is_named_in_the_readers_language() -> None:
    """What else is excluded stays in the words it was typed in."""
    after = replace(ASKED, excluded_content=("politics", "nudity", "any war film"))
    assert widenings(ASKED, after) == ()
    assert changes(ASKED, after, tongue_of("de")) == (
        "Neu ausgeschlossen: Nacktheit.",
        "Neu ausgeschlossen: any war film.",
    )
    assert after.excluded_kinds == {"politics", "nudity"}
    assert after.excluded_words == ("any war film",)
