"""Days, lists and numbers as each language writes them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consent.canonical import sha256_hex
from consent.errors import RecordRefused
from consent.face import face_title, shown_face
from consent.record import (
    COSIGNER_ROLES,
    Basis,
    Cosigner,
    Dialogue,
    GrantRecord,
    MandateRef,
)
from consent.sentences import (
    grant_text,
    language_words,
    sections_of,
    shown_grant,
    shown_output,
    shown_passkey,
    shown_retirement,
    shown_revocation,
    shown_suspension,
)
from consent.tongue import LOCALES, Tongue, tongue_of
from tests.consent.test_record import record

WORDINGS = Path(__file__).with_name("wordings.json")
NIGHT = datetime(2027, 6, 1, tzinfo=UTC)
NOON = datetime(2027, 3, 1, 12, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("locale", "day", "noon", "until", "until_noon", "listed"),
    [
        (
            "en",
            "1 June 2027",
            "1 March 2027, 12:05",
            "the end of 31 May 2027",
            "1 March 2027, 12:05",
            "a, b and c",
        ),
        (
            "de",
            "1. Juni 2027",
            "1. März 2027, 12:05 Uhr",
            "zum Ende des 31. Mai 2027",
            "zum 1. März 2027, 12:05 Uhr",
            "a, b und c",
        ),
    ],
)
def test_days_and_lists_are_written_as_the_language_does(
    locale: str, day: str, noon: str, until: str, until_noon: str, listed: str
) -> None:
    _ = tongue_of(locale)
    assert (_.day(NIGHT), _.day(NOON)) == (day, noon)
    assert (_.until(NIGHT), _.until(NOON)) == (until, until_noon)
    assert _.listed(["a", "b", "c"]) == listed
    assert _.listed(["a"]) == "a"


def test_numbers_choose_their_form() -> None:
    _ = tongue_of("de")
    forms = ("%(count)d language", "%(count)d languages")
    assert _.ngettext(*forms, 1) == "1 Sprache"
    assert _.ngettext(*forms, 3) == "3 Sprachen"


def test_a_language_is_named_in_the_readers_own() -> None:
    assert language_words("es-MX", tongue_of("de")) == "Spanisch (es-MX)"
    assert language_words("es-MX") == "Spanish (es-MX)"
    assert language_words("tlh", tongue_of("de")) == "tlh"


@pytest.mark.parametrize("locale", ["fr", "DE", "", "../de"])
def test_no_other_language_is_taken(locale: str) -> None:
    with pytest.raises(RecordRefused):
        Tongue(locale)


def fullest() -> GrantRecord:
    """A record in which nearly every sentence has a cause."""
    wide = record(
        training=True,
        output_approval=True,
        dialogue=Dialogue(description="Their lines.", sha256="cd" * 32),
        basis=Basis(kind="contract-clause", document_sha256="ef" * 32),
        counsel="A. Counsel",
        union="The Guild",
        compensation_commitment="ab" * 32,
    )
    mandate = MandateRef(
        holder="Ida Guard",
        evidence_sha256="ab" * 32,
        starts_at=NOON,
        ends_at=NIGHT,
    )
    signer = replace(wide.grantor, age="minor", signs="guardian", mandate=mandate)
    return replace(wide, grantor=signer, cosigner=cosigner("agent"))


def cosigner(role: str) -> Cosigner:
    return Cosigner(
        cosigner_id="c0", role=role, name="Ayo Agent", email="ayo@agents.test"
    )


def wordings() -> dict[str, str]:
    """The SHA-256 of what each template says in each language of sample records."""
    said: dict[str, str] = {}

    def add(shown: Any, text: str, sample: str) -> None:
        said[f"{shown.template} {shown.locale} {sample}"] = sha256_hex(text)

    for locale in LOCALES:
        samples = {
            "plain": record(),
            "full": fullest(),
            "wide": record(
                inference=False,
                training=True,
                scenes=None,
                territories=("worldwide",),
                basis=Basis(kind="collective-agreement", document_sha256="ef" * 32),
            ),
        }
        for role in COSIGNER_ROLES:
            samples[role] = replace(record(), cosigner=cosigner(role))
        for sample, one in samples.items():
            named, text = shown_grant(one, locale)
            add(named.text, text, sample)
        add(*shown_revocation(record(), locale), "plain")
        for lifting in (False, True):
            shown, text = shown_suspension(record(), lifting=lifting, locale=locale)
            add(shown, text, "lifting" if lifting else "plain")
        add(*shown_output(record(), "ab" * 32, locale), "plain")
        add(*shown_passkey("abab cdcd", locale), "plain")
        add(*shown_retirement("abab cdcd", locale), "plain")
        title = face_title("The pier", 2, locale)
        for remembers in (False, True):
            shown, text = shown_face(title, remembers=remembers, locale=locale)
            add(shown, text, "remembers" if remembers else "once")
    return said


def test_words_change_only_with_their_templates_version() -> None:
    """What was signed must read the same for ever: a word that changes, in code or in
    a catalogue, needs another template version, and then new lines here."""
    assert wordings() == json.loads(WORDINGS.read_text())


@pytest.mark.parametrize("locale", LOCALES)
def test_a_record_names_the_language_of_its_words(locale: str) -> None:
    named, text = shown_grant(fullest(), locale)
    assert named.text.locale == locale
    assert named.text.sha256 == sha256_hex(text)
    assert grant_text(named) == text
    assert len(sections_of(text)) == 6


def test_german_says_what_english_says() -> None:
    english, german = (
        sections_of(shown_grant(fullest(), locale)[1]) for locale in LOCALES
    )
    for one, other in zip(english, german, strict=True):
        assert len(one.lines) == len(other.lines)
        assert one.heading != other.heading
        for line, zeile in zip(one.lines, other.lines, strict=True):
            assert line != zeile


def test_german_reads_as_an_actor_would_be_addressed() -> None:
    text = shown_grant(record(), "de")[1]
    assert "Solange Sie nicht unterschreiben, darf mit Ihrem Gesicht nichts" in text
    assert "nur in der Szene „The pier“ von „Harbour Lights“" in text
    assert "auf Spanisch (es) und Portugiesisch (pt-BR)" in text
    assert "Gezeigt werden darf es im Kino, und zwar in diesen Ländern: DE und" in text
    assert "vom 21. November 2026 bis zum Ende des 31. Mai 2027 (UTC)" in text
