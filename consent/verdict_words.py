"""A verdict in plain words, for whoever was handed a receipt. No Django."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from consent.keyring import Entry, ProvenKey
from consent.record import moment_of
from consent.sentences import day_words, until_words
from consent.tongue import ENGLISH, Tongue, gettext_noop
from consent.verdict import ProvenGrant, Standing, Verdict

STANDING_WORDS: Final[dict[Standing, str]] = {
    "in force": "It is in force",
    "withdrawn": "It is withdrawn",
    "suspended": "It is suspended",
    "not co-signed": "It waits for its co-signature",
    "mandate over": "The mandate of whoever signed it does not hold",
    "over": "Its time is over",
    "not begun": "Its time has not begun",
}
CHANNELS: Final = {
    "telephone": gettext_noop("by telephone"),
    "video": gettext_noop("in a video call"),
    "in-person": gettext_noop("face to face"),
}
"""How a fingerprint was compared, as the ledger has it, and in words."""
ROLE_WORDS: Final = {
    "agent": gettext_noop("the actor's agent"),
    "union": gettext_noop("a union"),
    "other": gettext_noop("a further person"),
}
FIRST_KEY_WORDS: Final = {
    "actor": gettext_noop(
        "The passkey %(mark)s was the first one of the actor, or of who signs for "
        "them. That it is theirs the house says, by whose invitation it came: ask them "
        "whether this is the fingerprint that they noted."
    ),
    "cosigner": gettext_noop(
        "The passkey %(mark)s was the first one of the co-signer. That it is theirs "
        "the house says, by whose invitation it came: ask them whether this is the "
        "fingerprint that they noted."
    ),
}


def sentences(verdict: Verdict, at: datetime) -> list[str]:
    """Return the verdict in plain words, as it stands at an aware moment."""
    lines = []
    for grant in verdict.grants:
        lines += _grant_lines(grant, at)
    if verdict.deliverable:
        lines += _deliverable_lines(verdict)
    for key in verdict.keys:
        lines += key_lines(key)
    lines += verdict.remarks
    size, root = verdict.checkpoint.size, verdict.checkpoint.root.hex()
    lines.append(
        f"The ledger {verdict.checkpoint.origin} vouches for it with {size} entries "
        f"and the root {root}. It can say nothing of what happened after them, nor of "
        "what was left out here: a withdrawal, say, that the ledger has and this file "
        "has not."
    )
    lines.append(
        f"Compare the ledger's key with the one its house publishes: "
        f"{verdict.key.text} (fingerprint {verdict.key.fingerprint})."
    )
    return lines


def _deliverable_lines(verdict: Verdict) -> list[str]:
    if verdict.deliverable is None:
        return []
    told = verdict.deliverable.payload
    lines = [
        f"The file with the SHA-256 {told.get('sha256')} was made on this consent "
        f"on {day_words(verdict.deliverable.at)} (UTC)."
    ]
    for grant in verdict.grants:
        if not grant.record.terms.output_approval:
            continue
        approved = dict(grant.approvals).get(str(told.get("sha256")))
        who = grant.record.grantor.stage_name
        lines.append(
            f"{who} approved this very file on {day_words(approved.at)} (UTC)."
            if approved
            else f"{who} has not approved it: it may not be handed out."
        )
    others = len(told["grants"]) - len(verdict.grants)
    if others:
        lines.append(f"It stands on other people's consents too: {others}.")
    return lines


def key_lines(key: ProvenKey, _: Tongue = ENGLISH) -> list[str]:
    """Return what must be said of a key: how it came and what that is worth, and
    whether it was retired."""
    mark = key.part.fingerprint
    if key.opened:
        lines = [_recovery(key, key.opened, _)]
    elif key.came == "confirmed":
        confirmed = _(
            "The passkey %(mark)s was confirmed with an earlier passkey of the same "
            "person.",
            mark=mark,
        )
        lines = [confirmed]
    else:
        lines = [_(FIRST_KEY_WORDS[key.holder[0]], mark=mark)]
    if key.retired:
        lines.append(
            _(
                "The passkey %(mark)s was retired on %(day)s (UTC). What it signed "
                "before that counts; nothing that it signed later does.",
                mark=mark,
                day=_.day(key.retired.at),
            )
        )
    return lines


def _recovery(key: ProvenKey, opened: Entry, _: Tongue) -> str:
    reason = " ".join((key.part.reason or "").split())
    stop = "" if reason.endswith((".", "!", "?")) else "."
    told = [
        _(
            "The passkey %(mark)s came by recovery. The house opened it on %(day)s "
            "(UTC) and gave as the reason: %(reason)s",
            mark=key.part.fingerprint,
            day=_.day(opened.at),
            reason=_.quoted(reason) + stop,
        )
    ]
    if key.recovered:
        channel = CHANNELS.get(str(key.recovered.payload["channel"]))
        told.append(
            _(
                "It says that the fingerprint was compared %(channel)s on %(day)s "
                "(UTC). New consents it may sign from %(start)s (UTC).",
                channel=_(channel) if channel else _("in some way"),
                day=_.day(key.recovered.at),
                start=_.day(moment_of(key.recovered.payload["grants_from"])),
            )
        )
    else:
        told.append(
            _("Its fingerprint was not compared: it may withdraw, but not allow.")
        )
    if key.confirmed:
        told.append(_("Since then an earlier passkey of the same person confirmed it."))
    else:
        told.append(
            _(
                "No earlier passkey vouches for it. So this proves what the house said "
                "and when, and that this one key signed; that the key is in the same "
                "hands as before rests on the house's word. Ask the person, by a way "
                "that is not the house's, whether this fingerprint is theirs."
            )
        )
    return " ".join(told)


def _grant_lines(grant: ProvenGrant, at: datetime) -> list[str]:
    grantor, grantee = grant.record.grantor, grant.record.grantee
    terms, key = grant.record.terms, grant.key.part
    lines = [
        f"{grantor.legal_name} ({grantor.stage_name}) signed the consent "
        f"{grant.record.grant_id} for “{grantee.production}” by {grantee.company}.",
        f"It was signed on {day_words(grant.signed.at)} (UTC) at {key.origin} with the "
        f"passkey {key.fingerprint}, after its owner was recognised.",
    ]
    cosigner = grant.record.cosigner
    if cosigner and grant.cosigned and grant.cosigning_key:
        lines.append(
            f"{cosigner.name}, {ROLE_WORDS[cosigner.role]}, co-signed the same words "
            f"on {day_words(grant.cosigned.at)} (UTC) with the passkey "
            f"{grant.cosigning_key.part.fingerprint}."
        )
    elif cosigner:
        lines.append(f"{cosigner.name} has not co-signed it: it allows nothing yet.")
    lines.append(
        f"It runs from {day_words(terms.starts_at)} to {until_words(terms.ends_at)} "
        f"(UTC). {STANDING_WORDS[grant.standing(at)]} at {at:%Y-%m-%d %H:%M} UTC."
    )
    for number, rest in enumerate(grant.rests):
        done = "lifted again" if number % 2 else "suspended"
        lines.append(f"It was {done} on {day_words(rest.at)} (UTC).")
    if grant.withdrawn:
        lines.append(f"It was withdrawn on {day_words(grant.withdrawn.at)} (UTC).")
    approved = len(grant.approvals)
    if approved:
        files = "1 finished file" if approved == 1 else f"{approved} finished files"
        lines.append(f"{grantor.stage_name} approved {files} under it.")
    return lines
