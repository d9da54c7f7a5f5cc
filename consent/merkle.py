"""The Merkle tree of the ledger: RFC 9162 section 2.1, SHA-256.

A tree is a list of leaf hashes. Beside the whole tree stand its peaks, the roots of
its perfect subtrees from left to right, one for each 1 bit of its size: enough to
append a leaf and to know the root in log(n) steps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from consent.errors import LedgerBroken

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(content: bytes) -> bytes:
    """Return the 32-byte hash of a leaf's content."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of a node over its two children's hashes."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def peaks_append(peaks: Sequence[bytes], *, size: int, leaf: bytes) -> list[bytes]:
    """Return the peaks of a tree of size leaves after one more leaf hash."""
    grown = [*peaks, leaf]
    while size & 1:
        right = grown.pop()
        grown.append(node_hash(grown.pop(), right))
        size >>= 1
    return grown


def peaks_root(peaks: Sequence[bytes]) -> bytes:
    """Return the root hash of the tree with these peaks."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Return the root hash over all leaf hashes."""
    peaks: list[bytes] = []
    for size, leaf in enumerate(leaves):
        peaks = peaks_append(peaks, size=size, leaf=leaf)
    return peaks_root(peaks)


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Return the ranges of leaves, (first, past the last), whose roots are the audit
    path of the leaf at index, from the leaf upwards (RFC 9162 section 2.1.3.1)."""
    if not 0 <= index < size:
        raise LedgerBroken(f"The ledger has no entry {index}.")
    ranges = []
    start, end = 0, size
    while end - start > 1:
        split = start + _largest_power_below(end - start)
        if index < split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start = split
    return ranges[::-1]


def consistency_ranges(first: int, second: int) -> list[tuple[int, int]]:
    """Return the ranges of leaves whose roots prove that a tree of first leaves grew
    into one of second (RFC 9162 section 2.1.4.1)."""
    if not 0 < first <= second:
        raise LedgerBroken(f"No ledger of {second} entries grew from one of {first}.")
    ranges = []
    start, end, known = 0, second, True
    while first != end:
        split = start + _largest_power_below(end - start)
        if first <= split:
            ranges.append((split, end))
            end = split
        else:
            ranges.append((start, split))
            start, known = split, False
    if not known:
        ranges.append((start, end))
    return ranges[::-1]


def range_root(*, length: int, peaks: Sequence[bytes], leaf: bytes) -> bytes:
    """Return the root over a proof's range of that many leaves.

    peaks are those of the whole tree just before the range's last leaf, whose hash
    leaf is: a proof needs two entries for each of its hashes, not the whole ledger.
    """
    inside = (length - 1).bit_count()
    own = list(peaks[len(peaks) - inside :])
    return peaks_root(peaks_append(own, size=length - 1, leaf=leaf))


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of the leaf at index, from the leaf upwards."""
    ranges = inclusion_ranges(index, len(leaves))
    return [tree_root(leaves[start:end]) for start, end in ranges]


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """Return the proof that the tree over leaves grew from its first ones."""
    ranges = consistency_ranges(first, len(leaves))
    return [tree_root(leaves[start:end]) for start, end in ranges]


def _largest_power_below(length: int) -> int:
    return 1 << (length - 1).bit_length() - 1


def verify_inclusion(
    *, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raise LedgerBroken unless proof leads from the leaf hash at index to the root
    of a tree of size leaves (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        raise LedgerBroken("The entry's place lies outside the ledger.")
    node, last, reached = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise LedgerBroken("The proof of inclusion is too long.")
        if node & 1 or node == last:
            reached = node_hash(sibling, reached)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            reached = node_hash(reached, sibling)
        node, last = node >> 1, last >> 1
    if last or reached != root:
        raise LedgerBroken("The entry is not part of this ledger.")


def verify_consistency(
    *,
    first: int,
    first_root: bytes,
    second: int,
    second_root: bytes,
    proof: Sequence[bytes],
) -> None:
    """Raise LedgerBroken unless proof shows that the tree of second leaves holds, at
    its beginning and unchanged, the tree of first (RFC 9162 section 2.1.4.2)."""
    if not 0 < first <= second:
        raise LedgerBroken("A ledger only grows: the sizes do not fit.")
    path = list(proof)
    if first == second:
        if path or first_root != second_root:
            raise LedgerBroken("Two ledgers of one size differ: a fork.")
        return
    if first & (first - 1) == 0:
        path.insert(0, first_root)
    if not path:
        raise LedgerBroken("The proof of consistency is empty.")
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise LedgerBroken("The proof of consistency is too long.")
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    if last or old != first_root or new != second_root:
        raise LedgerBroken("One ledger is not the other's beginning: a fork.")
