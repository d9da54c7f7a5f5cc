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


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Return the audit path of the leaf at index, from the leaf upwards
    (RFC 9162 section 2.1.3.1)."""
    if not 0 <= index < len(leaves):
        raise LedgerBroken(f"The ledger has no entry {index}.")
    if len(leaves) == 1:
        return []
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if index < split:
        return [*inclusion_proof(leaves[:split], index), tree_root(leaves[split:])]
    rest = inclusion_proof(leaves[split:], index - split)
    return [*rest, tree_root(leaves[:split])]


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
