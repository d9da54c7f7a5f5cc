"""The child process that lets the native C2PA parser at a stranger's file.

Reads one JSON request from standard input ({path, anchors, time_limit_s}), writes one
JSON answer to standard output: the fields of read.Credential, or {"unreadable": code}.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MEMORY_LIMIT = 2 << 30
LONGEST_TEXT, LONGEST_LIST = 300, 100
UNTRUSTED = "signingCredential.untrusted"
SOFT_BINDING, CONSENT = "c2pa.soft-binding", "org.lipweb.consent"

Json = dict[str, Any]


def main() -> None:
    """Answer the request on standard input."""
    request = json.load(sys.stdin)
    limit(int(request["time_limit_s"]))
    answer = read(Path(request["path"]), request["anchors"].encode())
    sys.stdout.write(json.dumps(answer))


def limit(cpu_s: int) -> None:
    """Bind this process for good: processor time, memory, no files written."""
    for what, most in (
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_AS, MEMORY_LIMIT),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def read(path: Path, anchors: bytes) -> Json:
    """Read the credential of one file with the native library."""
    import c2pa  # After the limits: loading it is part of what they bind.

    from synthesis.provenance.native import media_type, settings

    try:
        kind = media_type(path)
        if kind is None:
            return {"unreadable": "reader-format-unknown"}
        context = c2pa.Context.from_dict(settings(anchors))
        with (
            path.open("rb") as file,
            c2pa.Reader(kind, file, context=context) as reader,
        ):
            return summary(json.loads(reader.json()))
    except c2pa.C2paError.ManifestNotFound:
        return {"state": "absent"}
    except (c2pa.C2paError, OSError, ValueError) as error:
        # The library has no type of its own for "it is elsewhere, and I may not ask".
        if str(error).startswith("Remote"):
            return {"unreadable": "reader-remote-not-fetched"}
        return {"unreadable": "reader-file-broken"}


def summary(store: Json) -> Json:
    """Shorten the library's report to what read.Credential holds."""
    manifest = store["manifests"][store["active_manifest"]]
    signature = manifest.get("signature_info") or {}
    actions = list(_actions(manifest))
    generators = manifest.get("claim_generator_info") or [{}]
    results = store.get("validation_results") or {}
    state, problems = _judged(results.get("activeManifest"))
    # The library's word is the stricter one where the two should ever differ.
    if store.get("validation_state") == "Invalid":
        state = "invalid"
    return {
        "state": state,
        "problems": problems,
        "manifest_id": _text(store["active_manifest"]),
        "title": _text(manifest.get("title")),
        "generator": _text(generators[0].get("name")),
        "actions": [_text(action.get("action")) for action in actions],
        "ingredients": [
            _ingredient(one, results) for one in _some(manifest.get("ingredients"))
        ],
        "consent_records": [
            _text(record)
            for data in _assertions(manifest, CONSENT)
            for record in _some(data.get("records"))
        ],
        "soft_bindings": [
            [_text(data.get("alg")), _text(block.get("value"))]
            for data in _assertions(manifest, SOFT_BINDING)
            for block in _some(data.get("blocks"))
        ],
        "signer": _text(signature.get("issuer")),
        "when": _text(signature.get("time") or _stated(actions)),
    }


def _judged(*results: Json | None) -> tuple[str, list[str]]:
    """State and problem codes of one manifest, all its validation results together."""
    good: set[object] = set()
    bad: dict[str, None] = {}  # A set that keeps its order.
    for result in results:
        good |= {one.get("code") for one in (result or {}).get("success") or []}
        failures = _some((result or {}).get("failure"))
        bad |= {_text(one.get("code")): None for one in failures}
    if any(code != UNTRUSTED for code in bad):
        return "invalid", list(bad)
    trusted = "signingCredential.trusted" in good and UNTRUSTED not in bad
    return ("trusted" if trusted else "valid"), list(bad)


def _ingredient(ingredient: Json, results: Json) -> Json:
    """What was recorded of an ingredient when it went in, and what differs today."""
    state, problems = "absent", list[str]()
    if ingredient.get("active_manifest"):
        recorded = ingredient.get("validation_results") or {}
        today = [
            delta.get("validationDeltas")
            for delta in results.get("ingredientDeltas") or []
            if str(delta.get("ingredientAssertionURI")).endswith(
                f"/{ingredient.get('label')}"
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


if __name__ == "__main__":
    main()
