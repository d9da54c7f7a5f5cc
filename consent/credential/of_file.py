"""The credential of a file that was made here, against what is said of that file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from consent.credential.boxes import store_read
from consent.credential.chain import roots_read
from consent.credential.claim import Manifest, verify_manifest
from consent.credential.film import BINDING
from consent.errors import RecordRefused, SignatureRefused

CONSENT: Final = "org.lipweb.consent"
SOFT_BINDING: Final = "c2pa.soft-binding"
WITHDRAWN: Final = "withdrawn"

Json = Mapping[str, Any]


def verify_credential(
    store: bytes,
    facts: Json,
    *,
    records: Sequence[str],
    roots: bytes,
    told_at: Mapping[str, datetime],
) -> tuple[Manifest, ...]:
    """Return the manifests of a file, oldest first; the newest alone where the bundle
    has no more. facts: its file.json. records: hashes of the consents that are shown.
    roots: PEM. told_at: when the ledger was told of each manifest.

    What the file was made from may have credentials of its own, which are not looked
    at. Raises RecordRefused or SignatureRefused at the first thing that does not hold.
    """
    box, trusted = store_read(store), roots_read(roots)
    names = [facts["manifest"], *(one["manifest"] for one in facts["updates"])]
    if not box.children or box.children[-1].label != names[-1]:
        raise RecordRefused("The Content Credential in the bundle is of another file.")
    if not facts["credential_whole"]:
        names = names[-1:]
    manifests = [
        verify_manifest(box, name, roots=trusted, at=told_at[name]) for name in names
    ]
    for before, after in pairwise(manifests):
        if after.parent() != (before.id, before.box.sha256):
            raise SignatureRefused("An update is of another Content Credential.")
    if facts["credential_whole"]:
        _verify_first(manifests[0], facts, records)
    done = {one["manifest"]: one["what"] for one in facts["updates"]}
    for manifest in manifests:
        said = manifest.assertions.get(CONSENT, {}).get("state")
        if (said == WITHDRAWN) != (done.get(manifest.id) == WITHDRAWN):
            raise RecordRefused("The Content Credential says otherwise of consent.")
    return tuple(manifests)


def _verify_first(manifest: Manifest, facts: Json, records: Sequence[str]) -> None:
    """The manifest names the consents that the file stands on, and its mark."""
    named = list(manifest.assertions[CONSENT]["records"])
    if not set(records) <= set(named) or len(named) != len(facts["grants"]):
        raise RecordRefused("The Content Credential names other consents.")
    mark = manifest.assertions[SOFT_BINDING]
    marks = (mark["alg"], [block["value"] for block in mark["blocks"]])
    if marks != (facts["mark_algorithm"], [facts["mark"]]):
        raise RecordRefused("The Content Credential names another mark.")
    if BINDING not in manifest.assertions:
        raise RecordRefused("The Content Credential is bound to no film.")
