"""Comparing two sets of terms: is one within the other, and what differs in words.

An actor may answer a question with narrower terms and sign those at once, since whoever
asked for more has asked for them too. No Django, no database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from consent.record import WORLDWIDE, GrantTerms
from consent.sentences import (
    MEDIA_WORDS,
    day_words,
    language_words,
    listed,
    until_words,
)


def language_covers(granted: str, wanted: str) -> bool:
    """Say whether a granted language range covers a tag (RFC 4647 section 3.3.1)."""
    granted, wanted = granted.lower(), wanted.lower()
    return wanted == granted or wanted.startswith(f"{granted}-")


def widenings(asked: GrantTerms, narrowed: GrantTerms) -> tuple[str, ...]:
    """Return in words every way in which narrowed goes beyond asked; empty if it is
    within it."""
    checks = (
        (not narrowed.inference or asked.inference, "changing the mouth"),
        (not narrowed.training or asked.training, "training"),
        (narrowed.output_approval or not asked.output_approval, "approval of versions"),
        (_excluded(asked) <= _excluded(narrowed), "excluded content"),
        (_scenes_within(asked, narrowed), "scenes"),
        (_languages_within(asked, narrowed), "languages"),
        (_territories_within(asked, narrowed), "countries"),
        (set(narrowed.media) <= set(asked.media), "where it is shown"),
        (narrowed.starts_at >= asked.starts_at, "the first day"),
        (narrowed.ends_at <= asked.ends_at, "the last day"),
        (
            narrowed.compensation_commitment == asked.compensation_commitment,
            "payment",
        ),
    )
    return tuple(
        f"This goes beyond what was asked: {what}."
        for within, what in checks
        if not within
    )


def _excluded(terms: GrantTerms) -> set[str]:
    return set(terms.excluded_content)


def _scenes_within(asked: GrantTerms, narrowed: GrantTerms) -> bool:
    if asked.scenes is None:
        return True
    if narrowed.scenes is None:
        return False
    known = {scene.sha256 for scene in asked.scenes}
    return {scene.sha256 for scene in narrowed.scenes} <= known


def _languages_within(asked: GrantTerms, narrowed: GrantTerms) -> bool:
    return all(
        any(language_covers(granted, tag) for granted in asked.languages)
        for tag in narrowed.languages
    )


def _territories_within(asked: GrantTerms, narrowed: GrantTerms) -> bool:
    if WORLDWIDE in asked.territories:
        return True
    return set(narrowed.territories) <= set(asked.territories)


def changes(before: GrantTerms, after: GrantTerms) -> tuple[str, ...]:
    """Return what differs between two versions, a sentence for each term."""
    return tuple(
        sentence for describe in CHANGES for sentence in describe(before, after)
    )


def _purposes(before: GrantTerms, after: GrantTerms) -> Iterable[str]:
    named = (
        ("Changing the mouth", before.inference, after.inference),
        ("Training on the face", before.training, after.training),
    )
    for what, was, now in named:
        if was != now:
            yield f"{what}: {_yes(now)}, before: {_yes(was)}."
    if before.output_approval != after.output_approval:
        wanted = after.output_approval
        yield (
            "Each finished version now needs the actor's approval."
            if wanted
            else "Finished versions no longer need the actor's approval."
        )


def _yes(choice: bool) -> str:
    return "yes" if choice else "no"


def _scope(before: GrantTerms, after: GrantTerms) -> Iterable[str]:
    named = (
        ("Scenes", _scene_titles(before), _scene_titles(after)),
        (
            "Languages",
            listed([language_words(tag) for tag in before.languages]),
            listed([language_words(tag) for tag in after.languages]),
        ),
        ("Countries", listed(before.territories), listed(after.territories)),
        (
            "Shown in",
            listed([MEDIA_WORDS[medium] for medium in before.media]),
            listed([MEDIA_WORDS[medium] for medium in after.media]),
        ),
        ("From", day_words(before.starts_at), day_words(after.starts_at)),
        ("To", until_words(before.ends_at), until_words(after.ends_at)),
    )
    for what, was, now in named:
        if was != now:
            yield f"{what}: {now}. Before: {was}."


def _scene_titles(terms: GrantTerms) -> str:
    if terms.scenes is None:
        return "every scene"
    return listed([f"“{scene.title}”" for scene in terms.scenes])


def _forbidden(before: GrantTerms, after: GrantTerms) -> Iterable[str]:
    for words in after.excluded_content:
        if words not in before.excluded_content:
            yield f"Newly excluded: {words}."
    for words in before.excluded_content:
        if words not in after.excluded_content:
            yield f"No longer excluded: {words}."


def _circumstances(before: GrantTerms, after: GrantTerms) -> Iterable[str]:
    if before.counsel != after.counsel:
        yield f"Advised by: {after.counsel or 'nobody'}."
    if before.compensation_commitment != after.compensation_commitment:
        yield "The payment agreed in a separate document changed."


CHANGES: Final[tuple[Callable[[GrantTerms, GrantTerms], Iterable[str]], ...]] = (
    _purposes,
    _scope,
    _forbidden,
    _circumstances,
)
