"""The tree's hashes are those of RFC 9162, and its proofs prove."""

from __future__ import annotations

import pytest

from consent import merkle
from consent.errors import LedgerBroken

# The test leaves of the Certificate Transparency project, and their known roots.
CONTENTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
LEAVES = [merkle.leaf_hash(content) for content in CONTENTS]
KNOWN_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def recursive_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, as it is written there."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.node_hash(
        recursive_root(leaves[:split]), recursive_root(leaves[split:])
    )


@pytest.mark.parametrize(("size", "root"), KNOWN_ROOTS.items())
def test_roots_are_the_known_ones(size: int, root: str) -> None:
    assert merkle.tree_root(LEAVES[:size]).hex() == root


def test_growing_by_peaks_gives_the_root_of_the_definition() -> None:
    leaves = [merkle.leaf_hash(str(number).encode()) for number in range(70)]
    peaks: list[bytes] = []
    for size, leaf in enumerate(leaves):
        peaks = merkle.peaks_append(peaks, size=size, leaf=leaf)
        assert len(peaks) == (size + 1).bit_count()
        assert merkle.peaks_root(peaks) == recursive_root(leaves[: size + 1])


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 13])
def test_every_leaf_can_be_proved(size: int) -> None:
    leaves = [merkle.leaf_hash(str(number).encode()) for number in range(size)]
    root = merkle.tree_root(leaves)
    for index, leaf in enumerate(leaves):
        proof = merkle.inclusion_proof(leaves, index)
        merkle.verify_inclusion(
            leaf=leaf, index=index, size=size, proof=proof, root=root
        )


def test_a_proof_proves_nothing_else() -> None:
    root, proof = merkle.tree_root(LEAVES), merkle.inclusion_proof(LEAVES, 5)
    good = {"leaf": LEAVES[5], "index": 5, "size": 8, "proof": proof, "root": root}
    merkle.verify_inclusion(**good)
    wrong = [
        {"leaf": LEAVES[4]},
        {"index": 4},
        {"index": 8},
        {"index": -1},
        {"size": 16},
        {"proof": proof[:-1]},
        {"proof": [*proof, proof[0]]},
        {"proof": [bytes(32), *proof[1:]]},
        {"root": LEAVES[0]},
    ]
    for change in wrong:
        with pytest.raises(LedgerBroken):
            merkle.verify_inclusion(**(good | change))


def test_a_leaf_that_is_not_there_has_no_proof() -> None:
    with pytest.raises(LedgerBroken):
        merkle.inclusion_proof(LEAVES, 8)


def test_a_leaf_is_never_taken_for_a_node() -> None:
    assert merkle.leaf_hash(LEAVES[0] + LEAVES[1]) != merkle.node_hash(*LEAVES[:2])


@pytest.mark.parametrize("second", range(1, 18))
def test_growth_can_be_proved_from_every_size(second: int) -> None:
    leaves = [merkle.leaf_hash(str(number).encode()) for number in range(second)]
    for first in range(1, second + 1):
        merkle.verify_consistency(
            first=first,
            first_root=merkle.tree_root(leaves[:first]),
            second=second,
            second_root=merkle.tree_root(leaves),
            proof=merkle.consistency_proof(leaves, first),
        )


def test_a_proof_of_growth_proves_no_other_growth() -> None:
    good = {
        "first": 6,
        "first_root": merkle.tree_root(LEAVES[:6]),
        "second": 8,
        "second_root": merkle.tree_root(LEAVES),
        "proof": merkle.consistency_proof(LEAVES, 6),
    }
    merkle.verify_consistency(**good)
    proof = good["proof"]
    wrong = [
        {"first": 5},
        {"first": 0},
        {"first": 9},
        {"second": 16},
        {"first_root": merkle.tree_root(LEAVES[1:7])},
        {"second_root": LEAVES[0]},
        {"proof": []},
        {"proof": proof[:-1]},
        {"proof": [*proof, proof[0]]},
        *({"proof": [*proof[:n], bytes(32), *proof[n + 1 :]]} for n in range(3)),
    ]
    for change in wrong:
        with pytest.raises(LedgerBroken):
            merkle.verify_consistency(**(good | change))


def test_the_proof_of_growth_is_the_rfcs_example() -> None:
    # RFC 9162 section 2.1.5: PROOF(3, D_7) = [c, d, g, l] and PROOF(4, D_7) = [l].
    seven = LEAVES[:7]
    node = merkle.node_hash
    g, l_ = node(seven[0], seven[1]), node(node(seven[4], seven[5]), seven[6])
    assert merkle.consistency_proof(seven, 3) == [seven[2], seven[3], g, l_]
    assert merkle.consistency_proof(seven, 4) == [l_]


@pytest.mark.parametrize("size", [1, 2, 7, 8, 13])
def test_proofs_need_two_entries_for_each_hash(size: int) -> None:
    leaves = [merkle.leaf_hash(str(number).encode()) for number in range(size)]
    peaks: list[list[bytes]] = [[]]
    for number, leaf in enumerate(leaves):
        peaks.append(merkle.peaks_append(peaks[-1], size=number, leaf=leaf))
    ranges = {
        *(
            each
            for index in range(size)
            for each in merkle.inclusion_ranges(index, size)
        ),
        *(each for n in range(1, size) for each in merkle.consistency_ranges(n, size)),
    }
    for start, end in ranges:
        root = merkle.range_root(
            length=end - start, peaks=peaks[end - 1], leaf=leaves[end - 1]
        )
        assert root == merkle.tree_root(leaves[start:end])
