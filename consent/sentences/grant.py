"""A grant in plain words: what the actor reads, and signs together with the record."""

from __future__ import annotations

from typing import Final

from consent.record import WORLDWIDE, GrantRecord, GrantTerms
from consent.sentences.words import (
    Section,
    content_words,
    language_words,
    media_words,
    named,
    names,
    one_line,
    scene_words,
    text_of,
)
from consent.tongue import Tongue, gettext_noop, tongue_of

GRANT_TEMPLATE: Final = "lipweb-grant-4"

SIGNER_WORDS: Final = {
    "guardian": gettext_noop("their guardian"),
    "estate": gettext_noop("their estate"),
    "representative": gettext_noop("their representative"),
}
COSIGNER_WORDS: Final = {
    "agent": gettext_noop("your agent"),
    "union": gettext_noop("for your union"),
    "other": gettext_noop("whom you are asked together with"),
}


def grant_sections(record: GrantRecord, locale: str = "en") -> tuple[Section, ...]:
    """Return a grant in words: what changes for the actor, what exactly is allowed,
    the limits, the way out."""
    _ = tongue_of(locale)
    return (
        Section(_("What changes for you"), _changes(record, _)),
        Section(_("What you allow"), _allowed(record, _)),
        Section(_("What stays forbidden"), _limits(record, _)),
        Section(_("What else you should know"), _circumstances(record, _)),
        Section(_("How you take it back"), _way_out(_)),
        Section(_("Who signs"), _signer(record, _)),
    )


def shown_grant(record: GrantRecord, locale: str = "en") -> tuple[GrantRecord, str]:
    """Return the record with the locale and hash of its own words in it, and those
    words."""
    sections = grant_sections(record, locale)
    shown, text = named(GRANT_TEMPLATE, tongue_of(locale), sections)
    return record.with_text(shown), text


def grant_text(record: GrantRecord) -> str:
    """Return the words of a grant in the locale that its record names."""
    return text_of(grant_sections(record, record.text.locale))


def _changes(record: GrantRecord, _: Tongue) -> tuple[str, ...]:
    terms = record.terms
    lines = [_("Until you sign, nothing may be done with your face.")]
    if terms.inference:
        count = len(terms.languages)
        lines.append(
            _(
                "Once you sign, people will see you speak in “%(production)s” with a "
                "mouth made by a computer, in %(tongues)s you may never have spoken.",
                tongues=_.ngettext("%(count)d language", "%(count)d languages", count),
                **names(record),
            )
        )
    if terms.training:
        lines.append(
            _(
                "Once you sign, a computer keeps what it has learned of how your mouth "
                "looks and moves, for as long as %(company)s may use it.",
                **names(record),
            )
        )
    if terms.output_approval:
        lines.append(_("Each finished version comes to you first. You decide on it."))
    return tuple(lines)


def _allowed(record: GrantRecord, _: Tongue) -> tuple[str, ...]:
    terms = record.terms
    said = {**names(record), "scenes": scene_words(terms, _)}
    lines = []
    if terms.inference:
        tongues = _.listed([language_words(tag, _) for tag in terms.languages])
        lines += [
            _(
                "%(company)s may change the movement of your mouth and jaw %(scenes)s "
                "of “%(production)s”, so that your lips match dialogue spoken in "
                "%(tongues)s.",
                tongues=tongues,
                **said,
            ),
            *_dialogue(terms, _),
            _where(terms, _),
        ]
    if terms.training:
        lines.append(
            _(
                "%(company)s may let a computer model learn from your face %(scenes)s "
                "of “%(production)s”, for this production only.",
                **said,
            )
        )
    lines.append(_span(terms, _))
    return tuple(lines)


def _span(terms: GrantTerms, _: Tongue) -> str:
    start, end = _.day(terms.starts_at), _.until(terms.ends_at)
    return _("This holds from %(start)s to %(end)s (UTC).", start=start, end=end)


def _dialogue(terms: GrantTerms, _: Tongue) -> tuple[str, ...]:
    dialogue = terms.dialogue
    if dialogue is None:
        return (_("This record does not say which words you will seem to speak."),)
    said = one_line(dialogue.description).rstrip(".")
    lines = [_("What you will seem to say: %(words)s.", words=said)]
    if dialogue.sha256:
        lines.append(
            _(
                "The words stand in a script whose fingerprint begins with %(mark)s.",
                mark=dialogue.sha256[:16],
            )
        )
    return tuple(lines)


def _where(terms: GrantTerms, _: Tongue) -> str:
    media = media_words(terms.media, _)
    if WORLDWIDE in terms.territories:
        return _("It may be shown in %(media)s, worldwide.", media=media)
    return _(
        "It may be shown in %(media)s, in these countries: %(countries)s.",
        media=media,
        countries=_.listed(terms.territories),
    )


def _limits(record: GrantRecord, _: Tongue) -> tuple[str, ...]:
    terms = record.terms
    if record.grantee.assignable:
        passing = _(
            "%(company)s may pass these rights on to another company.", **names(record)
        )
    else:
        passing = _(
            "No other production and no other company may use it: %(company)s cannot "
            "pass it on.",
            **names(record),
        )
    lines = [passing]
    if not terms.inference:
        lines.append(_("Your mouth may not be changed in any picture."))
    if not terms.training:
        lines.append(_("No model may be trained on your face."))
    lines += [
        _("Your pictures may not be searched by machines for other purposes."),
        _("Your voice is not part of this. Nothing may be made that imitates it."),
        _("Nothing but your mouth and jaw may be changed."),
    ]
    lines += [
        _("Never in connection with: %(words)s.", words=content_words(words, _))
        for words in terms.excluded_content
    ]
    return tuple(lines)


def _circumstances(record: GrantRecord, _: Tongue) -> tuple[str, ...]:
    terms = record.terms
    marks = _(
        "Each result must say that it was altered: a label in the picture, a mark "
        "inside it, and a signed record in the file."
    )
    if terms.output_approval:
        approval = _("Nothing is handed out before you have approved it.")
    else:
        approval = _("You are not asked again before a finished version is handed out.")
    payment = _("This record says nothing about payment.")
    if terms.compensation_commitment is not None:
        payment = _(
            "Your payment is agreed in a separate document, whose fingerprint begins "
            "with %(mark)s.",
            mark=terms.compensation_commitment[:16],
        )
    return (marks, approval, payment, *_grounds(record, _))


def _grounds(record: GrantRecord, _: Tongue) -> tuple[str, ...]:
    terms, cosigner = record.terms, record.cosigner
    lines = []
    if terms.basis.document_sha256:
        mark = terms.basis.document_sha256[:16]
        if terms.basis.kind == "contract-clause":
            ground = gettext_noop(
                "You are also asked because of a clause in your contract, whose "
                "fingerprint begins with %(mark)s. Without your signature here, "
                "nothing may be made all the same."
            )
        else:
            ground = gettext_noop(
                "A collective agreement speaks of this too. Its fingerprint begins "
                "with %(mark)s. Without your signature here, nothing may be made all "
                "the same."
            )
        lines.append(_(ground, mark=mark))
    if terms.counsel:
        lines.append(_("You were advised by %(name)s.", name=_named(terms.counsel)))
    if terms.union:
        lines.append(_("Your union %(name)s was involved.", name=_named(terms.union)))
    if cosigner:
        lines.append(
            _(
                "%(name)s, %(role)s, has to sign these same words too. Until then they "
                "allow nothing. To take them back, your own passkey is enough.",
                name=one_line(cosigner.name),
                role=_(COSIGNER_WORDS[cosigner.role]),
            )
        )
    return tuple(lines)


def _named(typed: str) -> str:
    # The sentence brings its own full stop.
    return one_line(typed).rstrip(".")


def _way_out(_: Tongue) -> tuple[str, ...]:
    return (
        _(
            "You can take this back at any time, here, with your passkey, without "
            "giving a reason."
        ),
        _(
            "From then on waiting work is cancelled, running work is stopped, finished "
            "files are locked, and whatever was learned from your face must be deleted."
        ),
        _(
            "You can also suspend it: the same happens, but nothing is deleted, and "
            "you can lift it again."
        ),
        _(
            "Copies that were already handed out cannot be called back. Whoever looks "
            "them up reads that your consent was withdrawn."
        ),
    )


def _signer(record: GrantRecord, _: Tongue) -> tuple[str, ...]:
    grantor, mandate = record.grantor, record.grantor.mandate
    legal, stage = one_line(grantor.legal_name), one_line(grantor.stage_name)
    known = legal
    if stage and stage != legal:
        known = _("%(legal)s, known as %(stage)s", legal=legal, stage=stage)
    if mandate is None:
        return (_("You are %(name)s, an adult, and sign for yourself.", name=known),)
    return (
        _(
            "You are %(holder)s and sign for %(name)s, as %(role)s. In these words "
            "“you” is %(actor)s.",
            holder=one_line(mandate.holder),
            name=known,
            role=_(SIGNER_WORDS[grantor.signs]),
            actor=stage or legal,
        ),
        _(
            "Your mandate holds from %(start)s to %(end)s (UTC). After that nothing "
            "may be made on it.",
            start=_.day(mandate.starts_at),
            end=_.until(mandate.ends_at),
        ),
        _(
            "It is shown by a document whose fingerprint begins with %(mark)s.",
            mark=mandate.evidence_sha256[:16],
        ),
    )
