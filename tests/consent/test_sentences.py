"""What the actor reads says what the record says, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from consent.canonical import sha256_hex
from consent.record import Grantor, MandateRef, SceneRef
from consent.sentences import (
    GRANT_TEMPLATE,
    grant_sections,
    grant_text,
    language_words,
    listed,
    sections_of,
    shown_grant,
    shown_output,
    shown_revocation,
    shown_suspension,
    until_words,
)
from tests.consent.test_record import record

CHANGES, ALLOWED, FORBIDDEN, KNOW, WAY_OUT, SIGNER = range(6)


def lines(part: int, **changes: Any) -> str:
    return "\n".join(grant_sections(record(**changes))[part].lines)


def test_what_changes_for_the_actor_comes_first() -> None:
    headings = [section.heading for section in grant_sections(record())]
    assert headings == [
        "What changes for you",
        "What you allow",
        "What stays forbidden",
        "What else you should know",
        "How you take it back",
        "Who signs",
    ]


def test_each_term_is_said() -> None:
    said = lines(ALLOWED)
    assert "Meridian Pictures may change the movement of your mouth and jaw" in said
    assert "only in the scene “The pier” of “Harbour Lights”" in said
    assert "Spanish (es) and Portuguese (pt-BR)" in said
    assert "cinemas, in these countries: DE and AT." in said
    assert "from 21 November 2026 to the end of 31 May 2027 (UTC)" in said
    assert "Never in connection with: advertising." in lines(FORBIDDEN)


def test_training_is_said_where_it_is_allowed_and_forbidden_where_not() -> None:
    assert "No model may be trained on your face." in lines(FORBIDDEN)
    assert "model learn from your face" not in lines(ALLOWED)
    both = {"training": True}
    assert "No model" not in lines(FORBIDDEN, **both)
    assert "model learn from your face" in lines(ALLOWED, **both)
    alone = {"training": True, "inference": False}
    assert "movement of your mouth" not in lines(ALLOWED, **alone)
    assert "may not be changed in any picture" in lines(FORBIDDEN, **alone)


def test_the_wide_terms_are_said_too() -> None:
    wide = {"scenes": None, "territories": ("worldwide",)}
    assert "in every scene of “Harbour Lights”" in lines(ALLOWED, **wide)
    assert "worldwide" in lines(ALLOWED, **wide)
    assert "advised by A. Union" in lines(KNOW, counsel="A. Union")
    assert "begins with abababab" in lines(KNOW, compensation_commitment="ab" * 32)


def test_the_actor_is_named_as_they_sign() -> None:
    assert lines(SIGNER) == (
        "You are Robin Valentine, known as Robin Vale, an adult, and sign for yourself."
    )
    grantor = Grantor(actor_id="1", legal_name="Robin Vale", stage_name="Robin Vale")
    assert "known as" not in grant_text(
        type(record())(**{**vars(record()), "grantor": grantor})
    )


def test_the_same_record_always_reads_the_same() -> None:
    assert grant_text(record()) == grant_text(record())
    named, text = shown_grant(record())
    assert named.text.sha256 == sha256_hex(text)
    assert named.text.template == GRANT_TEMPLATE
    # The words do not depend on their own hash.
    assert grant_text(named) == text


@pytest.mark.parametrize(
    "changes",
    [
        {"languages": ("es",)},
        {"territories": ("DE",)},
        {"media": ("social",)},
        {"training": True},
        {"scenes": None},
        {"starts_at": datetime(2026, 11, 22, tzinfo=UTC)},
        {"ends_at": datetime(2027, 6, 1, 12, tzinfo=UTC)},
        {"excluded_content": ()},
        {"output_approval": True},
    ],
)
def test_another_term_reads_otherwise(changes: dict[str, Any]) -> None:
    assert grant_text(record(**changes)) != grant_text(record())


def test_a_typed_name_cannot_pose_as_a_sentence() -> None:
    scene = SceneRef(title="Pier\n\nWhat you allow\nEverything", sha256="5c" * 32)
    text = grant_text(record(scenes=(scene,)))
    assert "“Pier What you allow Everything”" in text
    assert [part.heading for part in sections_of(text)].count("What you allow") == 1


def test_a_typed_name_cannot_turn_the_writing_around() -> None:
    turned = SceneRef(title="\u202epier\u2066", sha256="5c" * 32)
    assert "“pier”" in grant_text(record(scenes=(turned,)))


def test_shown_text_reads_back_into_its_sections() -> None:
    assert sections_of(grant_text(record())) == grant_sections(record())


def test_a_revocation_says_its_effects_and_its_limits() -> None:
    shown, text = shown_revocation(record())
    assert shown.sha256 == sha256_hex(text)
    assert "Work that is running is stopped." in text
    assert "cannot be called back" in text


def test_lists_and_days_read_as_people_write_them() -> None:
    assert listed(["a"]) == "a"
    assert listed(("a", "b", "c")) == "a, b and c"
    assert language_words("es-MX") == "Spanish (es-MX)"
    assert language_words("tlh") == "tlh"
    assert until_words(datetime(2027, 1, 1, 18, 30, tzinfo=UTC)) == (
        "1 January 2027, 18:30"
    )


def test_what_changes_is_said_before_the_terms() -> None:
    said = lines(CHANGES, training=True, output_approval=True)
    assert said.startswith("Until you sign, nothing may be done with your face.")
    assert "in 2 languages you may never have spoken" in said
    assert "keeps what it has learned" in said
    assert "Each finished version comes to you first." in said
    plain = lines(CHANGES)
    assert "learned" not in plain
    assert "comes to you first" not in plain


def test_whoever_signs_for_another_is_named_with_their_mandate() -> None:
    mandate = MandateRef(
        holder="Ida Guard",
        evidence_sha256="ab" * 32,
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        ends_at=datetime(2027, 1, 1, tzinfo=UTC),
    )
    grantor = replace(record().grantor, age="minor", signs="guardian", mandate=mandate)
    signer = grant_sections(replace(record(), grantor=grantor))[SIGNER]
    said = "\n".join(signer.lines)
    assert "You are Ida Guard and sign for Robin Valentine" in said
    assert "as their guardian" in said
    assert "from 1 January 2026 to the end of 31 December 2026 (UTC)" in said
    assert "begins with abababababababab." in said


def test_suspending_and_lifting_are_said_in_their_own_words() -> None:
    named, rest = shown_suspension(record(), lifting=False)
    _, again = shown_suspension(record(), lifting=True)
    assert "is kept, but may not be used" in rest
    assert "holds again, as you signed it" in again
    assert named.sha256 == sha256_hex(rest)


def test_an_approval_names_the_file_it_is_for() -> None:
    _, text = shown_output(record(), "cd" * 32)
    assert f"The file's fingerprint (SHA-256) is {'cd' * 32}." in text
