"""What the verify page says of an answer, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from consent.models.grants import Status
from synthesis.provenance.problems import in_words
from synthesis.provenance.verdict import Code, Consent, Looked, Seen, sentences

SHORT: Final = {
    Code.UNCHANGED: ("ok", _("Made here, and unchanged")),
    Code.CHANGED: ("wait", _("Made here, but changed since")),
    Code.MISFIT: ("bad", _("Our credential on something else")),
    Code.STRIPPED: ("wait", _("Made here; its credential is gone")),
    Code.RELABELLED: ("bad", _("Made here, under another maker's credential")),
    Code.PASTED: ("bad", _("Our mark on another picture")),
    Code.UNRECORDED: ("wait", _("Our mark, but no record of the file")),
    Code.FOREIGN: ("", _("Not made here")),
    Code.FOREIGN_BROKEN: ("bad", _("Not made here, and its credential is broken")),
    Code.NOTHING: ("", _("Nothing was found")),
}
"""Of each verdict: how it is coloured, and its shortest form."""

CHANGED: Final = {
    Code.UNCHANGED: ("ok", _("No")),
    Code.CHANGED: ("wait", _("Yes")),
    Code.MISFIT: ("bad", _("Yes, or it is another file")),
    Code.FOREIGN: ("ok", _("No, not since its maker signed it")),
    Code.FOREIGN_BROKEN: ("bad", _("Yes, or its credential was")),
}
"""Whether the file was changed since it was signed; of any other it cannot be told."""

SIGNED: Final = {
    "trusted": ("ok", _("Known to this server")),
    "valid": ("wait", _("Not known to this server")),
    "invalid": ("bad", _("Not proven")),
}
"""What a credential's state says of the name its signer goes by."""

UNTRUSTED: Final = "signingCredential.untrusted"

STEPS: Final = {
    "waiting": _("Waiting for other files"),
    "credential": _("Reading the Content Credential"),
    "mark": _("Searching the picture for our mark"),
    "record": _("Looking up what we know of it"),
}
"""What happens to a file meanwhile."""

# What makers do to files (C2PA spec 2.4, actions); any other is shown as it is called.
ACTIONS: Final = {
    "c2pa.created": _("created"),
    "c2pa.opened": _("opened"),
    "c2pa.placed": _("put together"),
    "c2pa.dubbed": _("dubbed"),
    "c2pa.translated": _("translated"),
    "c2pa.edited": _("edited"),
    "c2pa.edited.metadata": _("description changed"),
    "c2pa.converted": _("converted"),
    "c2pa.transcoded": _("re-encoded"),
    "c2pa.cropped": _("cropped"),
    "c2pa.resized": _("resized"),
    "c2pa.color_adjustments": _("colours adjusted"),
    "c2pa.drawing": _("drawn on"),
    "c2pa.repackaged": _("repackaged"),
    "c2pa.published": _("released"),
    "c2pa.watermarked": _("marked invisibly"),
    "c2pa.watermarked.bound": _("marked invisibly"),
}


def told(result: Mapping[str, Any]) -> dict[str, Any]:
    """What the template shows of file_verify's answer, beside the answer itself."""
    code, credential = Code(result["code"]), result["credential"]
    consent = [_consent(row) for row in result["consent"]]
    looked = Looked(**result["looked"] | {"seen": Seen(result["looked"]["seen"])})
    tone, short = SHORT[code]
    changed_tone, changed = CHANGED.get(code, ("", _("That cannot be told")))
    signed_tone, signed = SIGNED.get(credential["state"], ("", ""))
    broken = [one for one in credential["ingredients"] if one["state"] == "invalid"]
    holds = credential["state"] in ("trusted", "valid")
    return {
        "tone": tone,
        "short": gettext(short),
        "sentences": [
            gettext(one.words) % _in_our_words(one.values)
            for one in sentences(
                code, looked, consent, is_of_broken=bool(broken) and holds
            )
        ],
        "changed": (changed_tone, gettext(changed)),
        "signed": (signed_tone, gettext(signed) if signed else ""),
        "withdrawn": any(not one.stands for one in consent),
        "consent": [(one, _status(one.status)) for one in consent],
        "steps": [_action(step) for step in credential["actions"]],
        "updates": [
            one | {"done": _action(one["action"])} for one in credential["updates"]
        ],
        "problems": _problems(credential["problems"], but=UNTRUSTED),
        "ingredients": [
            one | {"problems_said": _problems(one["problems"], but=_but(one["state"]))}
            for one in credential["ingredients"]
        ],
    }


def _consent(row: Mapping[str, Any]) -> Consent:
    since = date.fromisoformat(row["since"]) if row["since"] else None
    return Consent(row["actor"], row["status"], since)


def _in_our_words(values: Mapping[str, object]) -> dict[str, object]:
    words = dict(values)
    if "status" in words:
        words["status"] = _status(str(words["status"]))
    return words


def _status(status: str) -> str:
    return str(Status(status).label) if status in Status.values else status


def _action(action: str) -> str:
    return gettext(ACTIONS[action]) if action in ACTIONS else action


def _but(state: str) -> str:
    """Of what is broken it says nothing that nobody vouches for its signer too."""
    return UNTRUSTED if state == "invalid" else ""


def _problems(codes: list[str], *, but: str) -> list[str]:
    """Each sentence once, but for a code of which more is said in its place."""
    said = (gettext(in_words(code)) for code in codes if code != but)
    return list(dict.fromkeys(said))
