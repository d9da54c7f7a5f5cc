"""The auditor's own check of a credential agrees with the C2PA library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consent.credential.boxes import cbor_read, store_read
from consent.credential.chain import roots_read
from consent.credential.claim import Manifest, verify_manifest
from consent.credential.film import BINDING, verify_binding
from consent.errors import ConsentError, RecordRefused, SignatureRefused
from synthesis.provenance import binding
from synthesis.provenance.container import manifest_boxes, top_boxes
from synthesis.provenance.keys import test_authority as authority_of
from synthesis.provenance.read import read_credential
from tests.synthesis.provenance.certificates import WRONG, signed_with_bad
from tests.synthesis.provenance.conftest import Studio, changed
from tests.synthesis.provenance.films import talking

NOW = datetime.now(UTC)
DAYS = timedelta(days=1)


def store_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return manifest_boxes(file)[0].store


def checked(store: bytes, roots: bytes, at: datetime | None = None) -> Manifest:
    box = store_read(store)
    return verify_manifest(
        box,
        box.children[-1].label,
        roots=roots_read(roots),
        at=at or datetime.now(UTC),
    )


def test_what_the_library_trusts_is_found_sound(studio: Studio, scene: Path) -> None:
    path = studio.signed("signed.mp4", scene)
    manifest = checked(store_of(path), studio.anchors)
    assert read_credential(path, anchors=studio.anchors).manifest_id == manifest.id
    assert manifest.root is not None
    assert manifest.assertions["org.lipweb.consent"]["records"] == ["d" * 64]
    assert manifest.parent() is None
    verify_binding(path, manifest.assertions[BINDING])


def test_no_byte_of_what_was_signed_can_be_another(studio: Studio, scene: Path) -> None:
    store = store_of(studio.signed("signed.mp4", scene))
    padding = store.rindex(b"cpad") if b"cpad" in store else store.rindex(b"pad")
    for at in range(0, padding, 97):
        bad = store[:at] + bytes([store[at] ^ 1]) + store[at + 1 :]
        try:
            found = checked(bad, studio.anchors)
        except ConsentError:
            continue
        # Only a name by which it is filed, and nothing that it says.
        assert found.assertions == checked(store, studio.anchors).assertions
        assert found.root is None or at < 200


@pytest.fixture(params=["blocks", "whole"])
def bound(
    studio: Studio,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Path:
    """A film of several blocks, and one whose media data is bound as a whole."""
    monkeypatch.setattr(binding, "_LEAST_BLOCK", 1 << 10)
    film = talking(tmp_path / "film.mp4")
    if request.param == "whole":
        film.write_bytes(film.read_bytes() + b"\0\0\0\x20mdat" + bytes(range(24)))
    path = studio.signed("signed.mp4", film)
    assertion = checked(store_of(path), b"").assertions[BINDING]
    assert ("merkle" in assertion) == (request.param == "blocks")
    return path


def test_a_film_is_the_one_that_was_signed_block_by_block(bound: Path) -> None:
    verify_binding(bound, checked(store_of(bound), b"").assertions[BINDING])


@pytest.mark.parametrize("part", [b"mdat", b"moov"])
@pytest.mark.parametrize("where", [4, 9, 17, 5_000, -1])
def test_a_changed_film_is_not_the_one_that_was_signed(
    bound: Path, part: bytes, where: int
) -> None:
    assertion = checked(store_of(bound), b"").assertions[BINDING]
    with bound.open("rb") as file:
        box = next(box for box in top_boxes(file) if box.kind == part)
    size = box.end - box.start
    with pytest.raises(SignatureRefused):
        at = box.start + (where % size if where < size else size // 2)
        verify_binding(changed(bound, at), assertion)


def test_a_shorter_or_a_longer_film_is_another(bound: Path) -> None:
    assertion = checked(store_of(bound), b"").assertions[BINDING]
    whole = bound.read_bytes()
    for other in (whole[:-1], whole + b"\0\0\0\x10mdat12345678", whole + b"\0"):
        bound.write_bytes(other)
        with pytest.raises(SignatureRefused):
            verify_binding(bound, assertion)


def test_a_binding_made_in_another_way_is_refused_not_passed_over(
    studio: Studio, scene: Path
) -> None:
    path = studio.signed("signed.mp4", scene)
    assertion = dict(checked(store_of(path), b"").assertions[BINDING])
    excluded, (tree,) = assertion["exclusions"], assertion["merkle"]
    others = [
        {"alg": "md5"},
        {"exclusions": [*excluded, {"xpath": "/moov", "length": 4}]},
        {"exclusions": excluded[:-1]},  # blocks of what is hashed as well
        {"merkle": None},  # and neither the one nor the other
        {"merkle": [1]},
        {"merkle": [tree, tree]},
    ]
    others += [
        {"merkle": [tree | change]}
        for change in (
            {"count": 2},
            {"localId": 1},
            {"alg": "sha512"},
            {"initHash": b"1"},
            {"fixedBlockSize": 0},
            {"hashes": ["text"], "count": 1},
        )
    ]
    for other in others:
        with pytest.raises(RecordRefused):
            verify_binding(path, assertion | other)


def test_a_signer_is_held_to_time_purpose_and_root(studio: Studio, scene: Path) -> None:
    store = store_of(studio.signed("signed.mp4", scene))
    assert checked(store, b"").root is None
    another = authority_of(studio.folder / "another")
    assert checked(store, another.root.read_bytes()).root is None
    for at in (NOW - 2 * DAYS, NOW + 4_000 * DAYS):
        with pytest.raises(SignatureRefused, match="was not valid"):
            checked(store, studio.anchors, at)
    bad = signed_with_bad(studio, scene, begins=-DAYS, ends=DAYS, uses=WRONG)
    with pytest.raises(SignatureRefused, match="another purpose"):
        checked(store_of(bad), studio.anchors)


@pytest.mark.parametrize(
    "store",
    [
        b"",
        b"\0\0\0\x08jumb",
        b"\0\0\0\x08free",
        b"\xff" * 100,
        b"\0\0\0\x10jumb\0\0\0\x08jumd",
        b"\0\0\0\x25jumb\0\0\0\x1djumd" + b"x" * 17 + b"c2pa",
    ],
)
def test_what_is_no_store_is_refused(store: bytes) -> None:
    with pytest.raises(RecordRefused):
        store_read(store)


def test_cbor_that_never_ends_is_refused() -> None:
    for content in (b"", b"\x9f" * 5_000, b"\x5b" + b"\xff" * 8, b"\x81" * 100_000):
        with pytest.raises(RecordRefused):
            cbor_read(content)
