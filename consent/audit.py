"""Check an audit bundle without its house: python -m consent.audit bundle.zip

No server, no network, no database. The Content Credential in it is checked as well: its
signature, the signer's certificates, all that it asserts; and with --file the film, of
which every byte must be the one that was signed. Exit codes: 0 everything in it holds,
and consent is in force; 1 it does not hold; 2 there is no such file; 3 it holds, but a
consent is not in force at --at; 4 it holds and is in force, but a passkey in it came by
recovery; 5 it holds, but not every consent that the file stands on is in it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from consent import merkle
from consent.bundle import (
    CREDENTIAL,
    DECISIONS,
    FACTS,
    INDEX,
    LARGEST_BYTES,
    MEMBERS,
    RECEIPT,
    ROOTS,
    SEAL,
    SEALED,
    Seal,
    document_read,
    index_bytes,
    members_read,
)
from consent.canonical import sha256_hex
from consent.checkpoint import Checkpoint, LedgerKey, verify_checkpoint
from consent.credential.chain import named
from consent.credential.claim import Manifest
from consent.credential.film import BINDING, verify_binding
from consent.credential.of_file import WITHDRAWN, verify_credential
from consent.errors import ConsentError, LedgerBroken, RecordRefused, SignatureRefused
from consent.receipt import EntryPart, Receipt
from consent.record import moment_of
from consent.verdict import Verdict, verify_receipt
from consent.verify import (
    DOES_NOT_HOLD,
    NOT_IN_FORCE,
    UNREADABLE,
    ending,
    moment_typed,
)

_BLOCK = 1 << 20
PARTIAL: Final = 5
UPDATED: Final = "manifest-updated"

Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What a bundle proves. facts: its file.json; decisions: in their order; manifests:
    of its credential, oldest first, only the newest if a consent did not stand."""

    facts: Json
    decisions: tuple[Json, ...]
    verdict: Verdict
    manifests: tuple[Manifest, ...]
    key: LedgerKey
    checkpoint: Checkpoint
    made_at: str

    @property
    def hidden(self) -> int:
        """How many consents the file stands on that are not in the bundle."""
        return len(self.facts["grants"]) - len(self.verdict.grants)

    def in_force(self, at: datetime) -> bool:
        """Whether consent stands at a moment, as far as the bundle tells: of those
        consents that are not in it by what the credential was last told."""
        updates = self.facts["updates"]
        if self.hidden and updates and updates[-1]["what"] == WITHDRAWN:
            return False
        return not self.verdict.grants or self.verdict.in_force(at)

    def ending(self, at: datetime) -> tuple[str, int]:
        """The title and the exit code for what holds, at an aware moment."""
        if self.in_force(at) and self.hidden:
            return "HOLDS, BUT NOT EVERY CONSENT IS SHOWN", PARTIAL
        if not self.in_force(at):
            return "HOLDS, BUT IS NOT IN FORCE", NOT_IN_FORCE
        return ending(self.verdict, at)

    def lines(self, at: datetime) -> list[str]:
        """The findings in plain words, as consent stands at an aware moment."""
        facts = self.facts
        told = [
            f"It is about the file {facts['deliverable']} with the SHA-256 "
            f"{facts['sha256']}, {facts['size_bytes']} bytes, invisible mark "
            f"{facts['mark']} ({facts['mark_algorithm']}).",
            f"Its Content Credential is {facts['manifest']}.",
            *self._on_signer(),
        ]
        if not facts["credential_whole"]:
            told.append(
                "Only the newest part of that credential is here: a consent did not"
                " stand when the bundle was made."
            )
        for one in facts["updates"]:
            told.append(f"Added to the credential on {one['at']}: {one['what']}.")
        for one in self.decisions:
            told.append(f"Decided on {one['at']}: {one['verdict']}.")
        for grant in self.verdict.grants:
            record, standing = grant.record, grant.standing(at)
            name = record.grantor.stage_name
            told.append(f"The consent of {name} ({record.grant_id}) is {standing}.")
        if self.hidden:
            told.append(
                "It stands on consents that are not in this bundle, by the ledger's"
                f" word: {self.hidden}."
            )
        return [
            *told,
            f"The bundle was made on {self.made_at}. The ledger {self.key.name} vouches"
            f" for it with {self.checkpoint.size} entries; it can say nothing of what"
            " happened after them.",
            "Compare the ledger's key with the one its house publishes: "
            f"{self.key.text} (fingerprint {self.key.fingerprint}).",
        ]

    def _on_signer(self) -> list[str]:
        newest = self.manifests[-1]
        told = [
            f"That credential holds: {len(self.manifests)} signed, the newest by"
            f" {named(newest.leaf)}."
        ]
        if newest.root is None:
            told.append(
                "Nobody vouches for that signer: no root in the bundle issued its"
                " certificate, and none was given with --roots."
            )
        else:
            told.append(
                "Compare the root that vouches for the signer with the one its house"
                f" publishes: {named(newest.root)}."
            )
        return told


def audit(content: bytes, *, roots: bytes | None = None) -> Audited:
    """Return what the bundle proves. roots: PEM of those to trust in place of the
    bundle's own. Raises LedgerBroken, RecordRefused or SignatureRefused at the first
    thing in it that does not hold."""
    members = members_read(content)
    try:
        found = _audited(members, members[ROOTS] if roots is None else roots)
        if roots is not None and any(one.root is None for one in found.manifests):
            raise SignatureRefused("No given root vouches for the credential's signer.")
        return found
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise RecordRefused("A part of the bundle is not of its form.") from error


def _audited(members: Mapping[str, bytes], roots: bytes) -> Audited:
    facts = document_read(members[FACTS], FACTS)
    seal = Seal.from_bytes(members[SEAL])
    key = LedgerKey.from_text(seal.ledger_key)
    checkpoint = verify_checkpoint(seal.checkpoint, key)
    entries = [_entry(part, checkpoint) for part in seal.entries]
    deliverable = facts["deliverable"]
    if any(entry["subject"] != deliverable for entry in entries):
        raise RecordRefused("The bundle holds a ledger entry about something else.")
    _verify_index(members, deliverable, entries[-1])
    verdict = _verify_receipt(members[RECEIPT], facts, key)
    decisions = document_read(members[DECISIONS], DECISIONS)["decisions"]
    _verify_logged(facts, decisions, entries)
    told_at = {
        entry["payload"]["manifest"]: moment_of(entry["at"])
        for entry in entries
        if entry["kind"] == UPDATED
    }
    assert verdict.deliverable is not None  # noqa: S101 - as _verify_receipt saw
    told_at[facts["manifest"]] = verdict.deliverable.at
    manifests = verify_credential(
        members[CREDENTIAL],
        facts,
        records=[grant.part.sha256 for grant in verdict.grants],
        roots=roots,
        told_at=told_at,
    )
    return Audited(
        facts=facts,
        decisions=tuple(decisions),
        verdict=verdict,
        manifests=manifests,
        key=key,
        checkpoint=checkpoint,
        made_at=entries[-1]["at"],
    )


def _entry(part: EntryPart, checkpoint: Checkpoint) -> dict[str, Any]:
    fields = document_read(part.content, "A ledger entry")
    merkle.verify_inclusion(
        leaf=merkle.leaf_hash(part.content),
        index=fields["index"],
        size=checkpoint.size,
        proof=part.proof,
        root=checkpoint.root,
    )
    return fields


def _verify_index(members: Mapping[str, bytes], deliverable: str, last: Json) -> None:
    """The members are those of the index, and the index that of the ledger."""
    index = members[INDEX]
    told = document_read(index, INDEX)
    for name in sorted(MEMBERS):
        if told["members"].get(name) != sha256_hex(members[name]):
            raise SignatureRefused(f"{name} is not the one the bundle was made with.")
    if index != index_bytes(deliverable, {name: members[name] for name in MEMBERS}):
        raise SignatureRefused("The bundle's index is about something else.")
    sealed = {"deliverable": deliverable, "index_sha256": sha256_hex(index)}
    if last["kind"] != SEALED or last["payload"] != sealed:
        raise LedgerBroken("The ledger does not know this bundle.")


def _verify_receipt(content: bytes, facts: Json, key: LedgerKey) -> Verdict:
    receipt = Receipt.from_bytes(content)
    verdict = verify_receipt(receipt)
    made = verdict.deliverable
    if made is None or receipt.subject[1] != facts["deliverable"]:
        raise RecordRefused("The consents in the bundle are those of another file.")
    if verdict.key != key:
        raise LedgerBroken("Receipt and seal come from two ledgers.")
    told = made.payload
    same = (told["sha256"], told["mark"], sorted(told["grants"]))
    if same != (facts["sha256"], facts["mark"], facts["grants"]):
        raise LedgerBroken("The ledger says something else of the file that was made.")
    return verdict


def _verify_logged(
    facts: Json, decisions: Sequence[Json], entries: Sequence[Json]
) -> None:
    """Decisions and updates are the ledger's, each once and in its order."""
    about = {"deliverable": facts["deliverable"]}
    decided = [
        about | {"sha256": one["sha256"], "verdict": one["verdict"]}
        for one in decisions
    ]
    updated = [
        about
        | {"sha256": facts["sha256"], "manifest": one["manifest"], "what": one["what"]}
        for one in facts["updates"]
    ]
    for kind, shown in (("decision-made", decided), (UPDATED, updated)):
        logged = [entry["payload"] for entry in entries if entry["kind"] == kind]
        if logged != shown:
            raise LedgerBroken(
                f"The ledger tells of other acts of the kind {kind} than the bundle."
            )


def verify_film(path: Path, found: Audited) -> str:
    """Compare a film with the bundle's hash and, where its first manifest is in the
    bundle, with the hash that was signed. Raises SignatureRefused for another film."""
    told = verify_file(path, found.facts)
    if not found.facts["credential_whole"]:
        return told
    verify_binding(path, found.manifests[0].assertions[BINDING])
    return f"{told} Its credential was signed for these very pictures and sounds."


def verify_file(path: Path, facts: Json) -> str:
    """Compare a film with the bundle's hash; what an update added to its end, and the
    word it put in the place of another, is taken off first. Raises SignatureRefused
    if it is another film."""
    patches: list[tuple[int, bytes]] = [(0, b"")]
    if facts["updates"]:
        patches.append((facts["purpose_at"], b"manifest"))
    for at, patch in patches:
        if _sha256(path, facts["size_bytes"], at, patch) == facts["sha256"]:
            return "The given film is the file this bundle is about."
    raise SignatureRefused("The given film is not the file this bundle is about.")


def _sha256(path: Path, size: int, at: int, patch: bytes) -> str:
    """Of the first bytes of a film, the patch put over them."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        digest.update(file.read(at) + patch)
        file.seek(at + len(patch))
        while block := file.read(min(_BLOCK, size - file.tell())):
            digest.update(block)
    return digest.hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the verdict in sentences; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with options.bundle.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
        roots = options.roots.read_bytes() if options.roots else None
        found = audit(content, roots=roots)
        told = found.lines(options.at)
        if options.key and options.key != found.key.text:
            raise LedgerBroken("The bundle's ledger has another key than the given.")
        if options.file:
            told.insert(0, verify_film(options.file, found))
    except OSError as error:
        return _say("UNREADABLE", [str(error)], UNREADABLE, options.json)
    except ConsentError as error:
        return _say("DOES NOT HOLD", [error.sentence], DOES_NOT_HOLD, options.json)
    title, code = found.ending(options.at)
    return _say(title, told, code, options.json)


def _parser() -> argparse.ArgumentParser:
    lines = (__doc__ or "").strip().split("\n", 2)
    parser = argparse.ArgumentParser(
        prog="python -m consent.audit", description=lines[0], epilog=lines[2]
    )
    parser.add_argument("bundle", type=Path, help="the audit bundle (zip)")
    parser.add_argument("--file", type=Path, help="the film, to compare it as well")
    parser.add_argument(
        "--roots", type=Path, help="roots to trust (PEM), as the house publishes them"
    )
    parser.add_argument("--key", help="the ledger's key, as its house publishes it")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--at",
        type=moment_typed,
        default=datetime.now(UTC),
        help="moment to ask about, such as 2026-11-21T12:00Z (now)",
    )
    return parser


def _say(title: str, lines: Sequence[str], code: int, as_json: bool) -> int:
    words = "\n".join([f"{title}.", *(f"- {line}" for line in lines)])
    if as_json:
        words = json.dumps({"verdict": title, "sentences": list(lines), "exit": code})
    sys.stdout.write(words + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
