"""The sandboxed child's half: the native C2PA parser on a stranger's file.

Runs behind media/inside/jail.py. What goes back is short and plain: the fields of
read.Credential, or {"unreadable": code}.
"""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

import c2pa  # Here, not later: once the doors are shut no library can be opened.

from synthesis.media.wire import Outbox
from synthesis.provenance.native import (
    CLOCKS,
    CONSENT_LABEL,
    HEAD_BYTES,
    media_type_of,
    settings,
)

LONGEST_TEXT, LONGEST_LIST = 300, 100
TRUSTED, UNTRUSTED = "signingCredential.trusted", "signingCredential.untrusted"
NOT_YET_VALID = "reader-certificate-not-yet-valid"
WRONG_PURPOSE = "signingCredential.invalid"
OUT_OF_DATE = {"signingCredential.expired", "claimSignature.outsideValidity"}
SOFT_BINDING, DISCLOSURE = "c2pa.soft-binding", "c2pa.ai-disclosure"

Json = dict[str, Any]


def answer(source: BinaryIO, arguments: Json, outbox: Outbox) -> None:
    """Entry of the sandbox: read one file, say what was found."""
    outbox.json(
        read(
            source,
            arguments["anchors"].encode(),
            base64.b64decode(arguments["store"]),
            time_anchors=arguments["time_anchors"].encode(),
            in_full=arguments["in_full"],
        )
    )


def read(
    source: BinaryIO,
    anchors: bytes,
    store: bytes,
    *,
    time_anchors: bytes = b"",
    in_full: bool = False,
) -> Json:
    """Read the credential of one file with the native library; in_full: with its
    validation results as they are."""
    kind = media_type_of(source.read(HEAD_BYTES))
    source.seek(0)
    if kind is None:
        return {"unreadable": "reader-format-unknown"}
    context = c2pa.Context.from_dict(settings(anchors, time_anchors=time_anchors))
    file = io.BufferedReader(cast(io.RawIOBase, source), 1 << 20)
    try:
        with c2pa.Reader(
            kind, file, context=context, manifest_data=store or None
        ) as reader:
            found, details = json.loads(reader.json()), json.loads(reader.crjson())
    except c2pa.C2paError.ManifestNotFound:
        return {"state": "absent"}
    except (c2pa.C2paError, OSError, ValueError) as error:
        # The library has no type of its own for "it is elsewhere, and I may not ask".
        if str(error).startswith("Remote"):
            return {"unreadable": "reader-remote-not-fetched"}
        return {"unreadable": "reader-file-broken"}
    said = summary(found, details)
    if in_full:
        said["report"] = found.get("validation_results")
    return said


def summary(store: Json, details: Json) -> Json:
    """Shorten the library's two reports (its own JSON, and crJSON) to what
    read.Credential holds."""
    label = store["active_manifest"]
    manifest = store["manifests"][label]
    signature = manifest.get("signature_info") or {}
    results = store.get("validation_results") or {}
    state, problems = _judged(results.get("activeManifest"))
    # The library's word is the stricter one where the two should ever differ.
    if store.get("validation_state") == "Invalid":
        state = "invalid"
    later, first_label = _followed(store, details)
    first = store["manifests"][first_label]
    actions = list(_actions(first))
    generators = first.get("claim_generator_info") or [{}]
    updates = [_update(one) for one in later]
    return {
        "state": state,
        "problems": _of_certificate(problems, label, details),
        "manifest_id": _text(label),
        "first_id": _text(first_label),
        "title": _text(first.get("title")),
        "generator": _text(generators[0].get("name")),
        "actions": [_text(action.get("action")) for action in actions]
        + [update["action"] for update in updates],
        "ingredients": [
            _ingredient(one, first_label, results)
            for one in _some(first.get("ingredients"))
        ],
        "consent_records": [
            _text(record)
            for data in _assertions(first, CONSENT_LABEL)
            for record in _some(data.get("records"))
        ],
        "soft_bindings": [
            [_text(data.get("alg")), _text(block.get("value"))]
            for data in _assertions(first, SOFT_BINDING)
            for block in _some(data.get("blocks"))
        ],
        "updates": updates,
        "oversight": _oversight([first, *later]),
        "signer": _text(signature.get("issuer")),
        "when": _text(signature.get("time") or _stated(actions)),
        "clock": _clock(results.get("activeManifest")),
    }


def _followed(store: Json, details: Json) -> tuple[list[Json], str]:
    """The update manifests, oldest first, and the label of the one they update."""
    updating = {
        one.get("label")
        for one in _some(details.get("manifests"))
        if one.get("isUpdateManifest") is True
    }
    label, later = store["active_manifest"], list[Json]()
    while label in updating and len(later) < LONGEST_LIST:
        manifest = store["manifests"][label]
        parents = [
            one.get("active_manifest")
            for one in _some(manifest.get("ingredients"))
            if one.get("relationship") == "parentOf"
        ]
        if len(parents) != 1 or parents[0] not in store["manifests"]:
            break
        later.insert(0, manifest)
        label = parents[0]
    return later, label


def _update(manifest: Json) -> Json:
    done = [one for one in _actions(manifest) if one.get("action") != "c2pa.opened"]
    consent = next(_assertions(manifest, CONSENT_LABEL), {})
    return {
        "action": _text(done[0].get("action")) if done else "",
        "when": _text(_stated(done)),
        "consent": _text(consent.get("state")),
    }


def _oversight(manifests: list[Json]) -> str:
    """The level of human oversight as last stated."""
    levels = [
        (data.get("contentProfile") or {}).get("humanOversightLevel")
        for manifest in manifests
        for data in _assertions(manifest, DISCLOSURE)
    ]
    return _text(levels[-1]) if levels else ""


def _of_certificate(problems: list[str], label: str, details: Json) -> list[str]:
    """Say of a bad certificate what it is. The library has one code for "not valid yet"
    and "expired", and finds any bad certificate untrusted besides."""
    if OUT_OF_DATE & set(problems) and _begins_later(label, details):
        kept = [code for code in problems if code not in OUT_OF_DATE]
        problems = [NOT_YET_VALID, *kept]
    if set(problems) & {NOT_YET_VALID, WRONG_PURPOSE, *OUT_OF_DATE}:
        problems = [code for code in problems if code != UNTRUSTED]
    return problems


def _begins_later(label: str, details: Json) -> bool:
    begins = [
        one["signature"]["certificateInfo"]["validity"]["notBefore"]
        for one in _some(details.get("manifests"))
        if one.get("label") == label
    ]
    return bool(begins) and datetime.fromisoformat(begins[0]) > datetime.now(UTC)


def _judged(*results: Json | None) -> tuple[str, list[str]]:
    """State and problem codes of one manifest, all its validation results together."""
    good: set[object] = set()
    bad: dict[str, None] = {}  # A set that keeps its order.
    for result in results:
        for one in (result or {}).get("success") or []:
            if one.get("code") == TRUSTED and CLOCKS in str(one.get("explanation")):
                bad[UNTRUSTED] = None  # Who may tell the time may not sign files.
            else:
                good.add(one.get("code"))
        failures = _some((result or {}).get("failure"))
        bad |= {_text(one.get("code")): None for one in failures}
    if any(code != UNTRUSTED for code in bad):
        return "invalid", list(bad)
    trusted = TRUSTED in good and UNTRUSTED not in bad
    return ("trusted" if trusted else "valid"), list(bad)


def _clock(result: Json | None) -> str:
    """Whose word the time of the signature is."""
    told = [
        one.get("code")
        for kind in ("success", "informational")
        for one in _some((result or {}).get(kind))
    ]
    if "timeStamp.trusted" in told:
        return "trusted"
    return "unknown" if "timeStamp.validated" in told else ""


def _ingredient(ingredient: Json, manifest_label: str, results: Json) -> Json:
    """What was recorded of an ingredient when it went in, and what differs today."""
    state, problems = "absent", list[str]()
    if ingredient.get("active_manifest"):
        recorded = ingredient.get("validation_results") or {}
        today = [
            delta.get("validationDeltas")
            for delta in results.get("ingredientDeltas") or []
            if str(delta.get("ingredientAssertionURI")).endswith(
                f"/{manifest_label}/c2pa.assertions/{ingredient.get('label')}"
            )
        ]
        state, problems = _judged(recorded.get("activeManifest"), *today)
    return {
        "title": _text(ingredient.get("title")),
        "relationship": _text(ingredient.get("relationship")),
        "state": state,
        "problems": problems,
    }


def _assertions(manifest: Json, label: str) -> Iterator[Json]:
    """Data of the assertions of that label, a version suffix allowed."""
    for assertion in _some(manifest.get("assertions")):
        name = str(assertion.get("label"))
        data = assertion.get("data")
        if isinstance(data, dict) and (name == label or name.startswith(label + ".v")):
            yield data


def _actions(manifest: Json) -> Iterator[Json]:
    for data in _assertions(manifest, "c2pa.actions"):
        yield from _some(data.get("actions"))


def _stated(actions: list[Json]) -> object:
    return next((action["when"] for action in actions if action.get("when")), "")


def _some(listed: object) -> list[Any]:
    return listed[:LONGEST_LIST] if isinstance(listed, list) else []


def _text(value: object) -> str:
    """Printable characters only, cut short: it is going to be shown to people."""
    text = value if isinstance(value, str) else ""
    return "".join(c for c in text[:LONGEST_TEXT] if c.isprintable())
