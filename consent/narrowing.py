"""Comparing two sets of terms: is one within the other, and what differs in words.

An actor may answer a question with narrower terms and sign those at once, since whoever
asked for more has asked for them too. No Django, no database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from consent.record import WORLDWIDE, GrantTerms
from consent.sentences import content_words, language_words, media_words, one_line
from consent.tongue import ENGLISH, Tongue


def language_covers(granted: str, wanted: str) -> bool:
    """Say whether a granted language range covers a tag (RFC 4647 section 3.3.1)."""
    granted, wanted = granted.lower(), wanted.lower()
    return wanted == granted or wanted.startswith(f"{granted}-")


def widenings(
    asked: GrantTerms, narrowed: GrantTerms, _: Tongue = ENGLISH
) -> tuple[str, ...]:
    """Return in words every way in which narrowed goes beyond asked; empty if it is
    within it."""
    checks = (
        (not narrowed.inference or asked.inference, _("changing the mouth")),
        (not narrowed.training or asked.training, _("training")),
        (
            narrowed.output_approval or not asked.output_approval,
            _("approval of versions"),
        ),
        (_excluded(asked) <= _excluded(narrowed), _("excluded content")),
        (_scenes_within(asked, narrowed), _("scenes")),
        (_languages_within(asked, narrowed), _("languages")),
        (_territories_within(asked, narrowed), _("countries")),
        (set(narrowed.media) <= set(asked.media), _("where it is shown")),
        (narrowed.starts_at >= asked.starts_at, _("the first day")),
        (narrowed.ends_at <= asked.ends_at, _("the last day")),
        (
            narrowed.compensation_commitment == asked.compensation_commitment,
            _("payment"),
        ),
        (narrowed.dialogue == asked.dialogue, _("what is said")),
        (narrowed.basis == asked.basis, _("the ground of the question")),
    )
    return tuple(
        _("This goes beyond what was asked: %(what)s.", what=what)
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


def changes(
    before: GrantTerms, after: GrantTerms, _: Tongue = ENGLISH
) -> tuple[str, ...]:
    """Return what differs between two versions, a sentence for each term."""
    return tuple(
        sentence for describe in CHANGES for sentence in describe(before, after, _)
    )


def _purposes(before: GrantTerms, after: GrantTerms, _: Tongue) -> Iterable[str]:
    answer = {True: _("yes"), False: _("no")}
    named = (
        (_("Changing the mouth"), before.inference, after.inference),
        (_("Training on the face"), before.training, after.training),
    )
    for what, was, now in named:
        if was != now:
            yield _(
                "%(what)s: %(now)s, before: %(was)s.",
                what=what,
                now=answer[now],
                was=answer[was],
            )
    if after.output_approval and not before.output_approval:
        yield _("Each finished version now needs the actor's approval.")
    if before.output_approval and not after.output_approval:
        yield _("Finished versions no longer need the actor's approval.")


def _scope(before: GrantTerms, after: GrantTerms, _: Tongue) -> Iterable[str]:
    for what, say in _scope_words(_):
        was, now = say(before), say(after)
        if was != now:
            yield _("%(what)s: %(now)s. Before: %(was)s.", what=what, now=now, was=was)


def _scope_words(_: Tongue) -> Iterable[tuple[str, Callable[[GrantTerms], str]]]:
    """Each part of the scope: its name, and how it is said of terms."""
    yield _("Scenes"), lambda terms: _scene_titles(terms, _)
    yield (
        _("Languages"),
        lambda terms: _.listed([language_words(tag, _) for tag in terms.languages]),
    )
    yield _("Countries"), lambda terms: _.listed(terms.territories)
    yield _("Shown in"), lambda terms: media_words(terms.media, _)
    yield _("From"), lambda terms: _.day(terms.starts_at)
    yield _("To"), lambda terms: _.until(terms.ends_at)
    yield _("What is said"), lambda terms: _dialogue(terms, _)


def _scene_titles(terms: GrantTerms, _: Tongue) -> str:
    if terms.scenes is None:
        return _("every scene")
    return _.listed([_.quoted(one_line(scene.title)) for scene in terms.scenes])


def _dialogue(terms: GrantTerms, _: Tongue) -> str:
    if terms.dialogue is None:
        return _("not named")
    return one_line(terms.dialogue.description).rstrip(".")


def _forbidden(before: GrantTerms, after: GrantTerms, _: Tongue) -> Iterable[str]:
    for words in after.excluded_content:
        if words not in before.excluded_content:
            yield _("Newly excluded: %(words)s.", words=content_words(words, _))
    for words in before.excluded_content:
        if words not in after.excluded_content:
            yield _("No longer excluded: %(words)s.", words=content_words(words, _))


def _circumstances(before: GrantTerms, after: GrantTerms, _: Tongue) -> Iterable[str]:
    if before.counsel != after.counsel:
        yield _("Advised by: %(name)s.", name=after.counsel or _("nobody"))
    if before.union != after.union:
        yield _("Union involved: %(name)s.", name=after.union or _("none"))
    if before.compensation_commitment != after.compensation_commitment:
        yield _("The payment agreed in a separate document changed.")
    if before.basis != after.basis:
        yield _("The contract or agreement named as the ground changed.")


CHANGES: Final[
    tuple[Callable[[GrantTerms, GrantTerms, Tongue], Iterable[str]], ...]
] = (
    _purposes,
    _scope,
    _forbidden,
    _circumstances,
)
