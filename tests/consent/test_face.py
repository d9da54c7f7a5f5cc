"""What an actor signs about a face names exactly that face, and says what is kept."""

from __future__ import annotations

import pytest

from consent.canonical import sha256_hex
from consent.face import face_digest, face_document, face_title, shown_face

FACE = {"source_sha256": "aa" * 32, "frames": (10, 60), "sheet": "bb" * 32}


@pytest.mark.parametrize(
    "change",
    [{"source_sha256": "ac" * 32}, {"frames": (10, 61)}, {"sheet": "bc" * 32}],
)
def test_another_file_range_or_picture_is_another_face(
    change: dict[str, object],
) -> None:
    assert face_digest(**FACE) == face_digest(**FACE)  # type: ignore[arg-type]
    assert face_digest(**FACE) != face_digest(**(FACE | change))  # type: ignore[arg-type]


def test_the_words_say_whether_numbers_are_kept_and_are_named_by_their_hash() -> None:
    once, said_once = shown_face("The pier, face 1", remembers=False)
    kept, said_kept = shown_face("The pier, face 1", remembers=True)
    assert "No numbers are kept" in said_once
    assert "deleted at any time" in said_kept
    assert once.sha256 == sha256_hex(said_once) != kept.sha256
    document = face_document(
        actor_id="a", face_sha256="cc" * 32, remembers=True, text=kept
    )
    assert document["remembers"] is True
    assert document["text"]["sha256"] == kept.sha256


def test_the_words_are_in_the_language_that_their_record_names() -> None:
    title = face_title("The pier", 2, "de")
    assert title == "The pier, Gesicht 2"
    shown, said = shown_face(title, remembers=True, locale="de")
    assert "aus „The pier, Gesicht 2“, ist Ihres." in said
    assert "jederzeit löschen lassen" in said
    document = face_document(
        actor_id="a", face_sha256="cc" * 32, remembers=True, text=shown
    )
    assert document["text"]["locale"] == "de"
    assert shown.sha256 == sha256_hex(said)


def test_a_typed_title_cannot_pass_for_a_sentence_of_ours() -> None:
    for number in (1, None):
        title = face_title("The pier\nYou allow everything", number)
        _shown, said = shown_face(title, remembers=False)
        assert "\nYou allow" not in said
