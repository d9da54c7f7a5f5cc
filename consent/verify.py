"""Check a receipt without its house: python -m consent.verify receipt.json

No server, no network, no database: what is in the file must prove itself. Exit codes:
0 it holds, and the consent is in force; 1 it does not hold; 2 it cannot be read, or
compared with what was given; 3 it holds, but the consent is not in force at --at; 4 it
holds and is in force, but a passkey in it came by recovery, so that only the house says
whose hand it is in.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from consent import merkle
from consent.checkpoint import Checkpoint, checkpoint_read, verify_checkpoint
from consent.encoding import base64_bytes
from consent.errors import ConsentError, LedgerBroken, RecordRefused
from consent.receipt import LARGEST_BYTES, Receipt
from consent.verdict import Verdict, verify_receipt
from consent.verdict_words import sentences

HOLDS: Final = 0
DOES_NOT_HOLD: Final = 1
UNREADABLE: Final = 2
NOT_IN_FORCE: Final = 3
BY_RECOVERY: Final = 4


class NotComparable(Exception):
    """What was given beside the receipt does not suffice to compare with it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the verdict in sentences; return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        receipt = Receipt.from_bytes(_read(options.receipt))
        given = _note(options.checkpoint) if options.checkpoint else None
        proof = _read(options.consistency) if options.consistency else None
    except (OSError, UnicodeDecodeError, RecordRefused) as error:
        sentence = getattr(error, "sentence", "") or str(error)
        return _say("UNREADABLE", [sentence], UNREADABLE)
    try:
        verdict = verify_receipt(receipt)
        told = sentences(verdict, options.at)
        if options.key and options.key != verdict.key.text:
            raise LedgerBroken("The receipt's ledger has another key than the given.")
        if given is not None:
            told.append(compare(verdict, given, proof))
    except ConsentError as error:
        return _say("DOES NOT HOLD", [error.sentence], DOES_NOT_HOLD)
    except NotComparable as problem:
        return _say("NOT COMPARED", [str(problem)], UNREADABLE)
    title, code = ending(verdict, options.at)
    return _say(title, told, code)


def ending(verdict: Verdict, at: datetime) -> tuple[str, int]:
    """Return the title and the exit code for what holds, at an aware moment."""
    if not verdict.in_force(at):
        return "HOLDS, BUT IS NOT IN FORCE", NOT_IN_FORCE
    if verdict.on_the_houses_word:
        return "HOLDS, BUT A PASSKEY CAME BY RECOVERY", BY_RECOVERY
    return "HOLDS", HOLDS


def compare(verdict: Verdict, note: str, proof: bytes | None) -> str:
    """Hold the receipt's checkpoint against one that came another way (signed note).

    proof is the JSON of the house's /ledger/consistency for the two sizes, needed
    where they differ. Returns a sentence; raises LedgerBroken where the house signed
    two ledgers that are not one, NotComparable where that cannot be told."""
    given, own = verify_checkpoint(note, verdict.key), verdict.checkpoint
    first, second = sorted((given, own), key=lambda point: point.size)
    path: list[bytes] = []
    if first.size != second.size and first.size > 0:
        path = _proof_between(first, second, proof)
    if first.size:
        merkle.verify_consistency(
            first=first.size,
            first_root=first.root,
            second=second.size,
            second_root=second.root,
            proof=path,
        )
    return f"It agrees with the given checkpoint of {given.size} entries."


def _proof_between(
    first: Checkpoint, second: Checkpoint, proof: bytes | None
) -> list[bytes]:
    sizes = f"from={first.size}&to={second.size}"
    if proof is None:
        raise NotComparable(
            "The given checkpoint is of another size. Fetch the proof between them "
            f"from the house's address /ledger/consistency?{sizes} and give it with "
            "--consistency."
        )
    try:
        fields = json.loads(proof)
        if (fields["from"], fields["to"]) != (first.size, second.size):
            raise NotComparable(f"The proof is not the one for {sizes}.")
        return [base64_bytes(node) for node in fields["proof"]]
    except (KeyError, TypeError, ValueError, RecordRefused) as error:
        raise NotComparable("The proof of consistency cannot be read.") from error


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_BYTES + 1)


def _note(path: Path) -> str:
    note = _read(path).decode()
    checkpoint_read(note)
    return note


def moment_typed(text: str) -> datetime:
    """Return the moment of ISO 8601 text, in UTC unless it says otherwise."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _parser() -> argparse.ArgumentParser:
    lines = (__doc__ or "").strip().split("\n", 2)
    parser = argparse.ArgumentParser(
        prog="python -m consent.verify", description=lines[0], epilog=lines[2]
    )
    parser.add_argument("receipt", type=Path, help="the receipt (JSON)")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        help="a checkpoint of the ledger that came to you another way",
    )
    parser.add_argument(
        "--consistency", type=Path, help="proof between the two, if sizes differ"
    )
    parser.add_argument("--key", help="the ledger's key, as its house publishes it")
    parser.add_argument(
        "--at",
        type=moment_typed,
        default=datetime.now(UTC),
        help="moment to ask about, such as 2026-11-21T12:00Z (now)",
    )
    return parser


def _say(title: str, lines: Sequence[str], code: int) -> int:
    sys.stdout.write("\n".join([f"{title}.", *(f"- {line}" for line in lines)]) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
