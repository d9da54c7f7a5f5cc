"""Signing and reading Content Credentials: real certificates, real files."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import c2pa
import pytest

from synthesis.errors import SynthesisError
from synthesis.provenance import keys
from synthesis.provenance.manifest import LabelFacts, ManifestFacts, sign
from synthesis.provenance.read import Ingredient, read_credential
from synthesis.provenance.signers import signer_from_files
from tests.synthesis.provenance.conftest import (
    MARK_ID,
    Studio,
    changed,
    encode,
    film,
    media_at,
    remuxed,
)


def test_a_signed_file_is_trusted_and_says_all_it_should(
    studio: Studio, scene: Path
) -> None:
    path, signed = studio.sign("out.mp4", scene)
    credential = read_credential(path, anchors=studio.anchors)
    assert credential.state == "trusted"
    assert credential.problems == ()
    assert credential.manifest_id == signed.manifest_id
    assert credential.title == "Scene 12, Spanish"
    assert credential.generator == "lipweb"
    assert credential.actions == (
        "c2pa.opened",
        "c2pa.placed",
        "c2pa.dubbed",
        "c2pa.translated",
        "c2pa.edited",
        "c2pa.watermarked.bound",
    )
    assert credential.consent_records == ("d" * 64,)
    assert credential.soft_bindings == (("org.lipweb.lattice.2", MARK_ID.hex()),)
    assert {(i.title, i.relationship, i.state) for i in credential.ingredients} == {
        ("Scene", "parentOf", "absent"),
        ("Dub sound", "componentOf", "absent"),
        ("native", "inputTo", "absent"),
    }
    assert credential.when.endswith("Z")


@pytest.mark.parametrize(
    ("opening_s", "duration"),
    [(None, {"duration": "whole"}), (5, {"duration": "opening", "seconds": 5})],
)
def test_the_manifest_says_what_the_label_in_the_picture_says(
    studio: Studio, scene: Path, opening_s: int | None, duration: dict[str, object]
) -> None:
    label = LabelFacts("KI-VERÄNDERT", "de", opening_s)
    path = studio.signed("out.mp4", scene, label=label)
    store = json.loads(c2pa.Reader(path).json())
    manifest = store["manifests"][store["active_manifest"]]
    (said,) = (
        one["data"]
        for one in manifest["assertions"]
        if one["label"] == "org.lipweb.visible-label"
    )
    assert said == {"wording": "KI-VERÄNDERT", "language": "de"} | duration
    assert read_credential(path, anchors=studio.anchors).state == "trusted"


def test_the_manifest_names_nobody_and_no_path(studio: Studio, scene: Path) -> None:
    _, signed = studio.sign("out.mp4", scene)
    assert str(studio.folder).encode() not in signed.manifest
    assert scene.name.encode() not in signed.manifest
    assert b"dub.wav" not in signed.manifest


def test_a_changed_picture_breaks_the_credential(studio: Studio, scene: Path) -> None:
    path = studio.signed("out.mp4", scene)
    credential = read_credential(changed(path, media_at(path)), anchors=studio.anchors)
    assert credential.state == "invalid"
    assert credential.problems == ("assertion.bmffHash.mismatch",)


def test_a_changed_claim_breaks_the_credential(studio: Studio, scene: Path) -> None:
    path = studio.signed("out.mp4", scene)
    in_manifest = path.read_bytes().index(b"c2pa.dubbed") + 6
    credential = read_credential(changed(path, in_manifest), anchors=studio.anchors)
    assert credential.state == "invalid"
    assert "assertion.hashedURI.mismatch" in credential.problems


def test_a_changed_signature_breaks_the_credential(studio: Studio, scene: Path) -> None:
    path = studio.signed("out.mp4", scene)
    leaf = studio.authority.chain.read_text().split("-----")[2]
    der = base64.b64decode(leaf)
    after_certificate = path.read_bytes().index(der) + len(der) // 2
    credential = read_credential(
        changed(path, after_certificate), anchors=studio.anchors
    )
    assert credential.state == "invalid"


def test_boxes_put_in_afterwards_are_noticed(studio: Studio, scene: Path) -> None:
    path = studio.signed("out.mp4", scene)
    for box in (b"free", b"skip", b"mdat"):
        longer = path.with_name("longer.mp4")
        longer.write_bytes(path.read_bytes() + b"\0\0\0\x10" + box + b"contents")
        assert read_credential(longer, anchors=studio.anchors).state == "invalid"


def test_another_authority_reads_valid_but_not_trusted(
    studio: Studio, scene: Path
) -> None:
    path = studio.signed("out.mp4", scene)
    other = keys.test_authority(studio.folder / "other").root.read_bytes()
    for anchors in (other, b""):
        credential = read_credential(path, anchors=anchors)
        assert credential.state == "valid"
        assert credential.problems == ("signingCredential.untrusted",)
        assert credential.holds


def test_both_roots_are_trusted_while_keys_rotate(studio: Studio, scene: Path) -> None:
    old = studio.signed("old.mp4", scene)
    newer = keys.test_authority(studio.folder / "newer")
    signer = signer_from_files(newer.chain, newer.key)
    new = studio.folder / "new.mp4"
    sign(scene, new, facts=studio.facts, signer=signer)
    both = studio.anchors + newer.root.read_bytes()
    assert read_credential(old, anchors=both).state == "trusted"
    assert read_credential(new, anchors=both).state == "trusted"


def test_the_manifest_of_one_film_does_not_fit_another(
    studio: Studio, scene: Path
) -> None:
    one = studio.signed("one.mp4", scene).read_bytes()
    other_film = encode(
        studio.folder / "other.mp4", film(2, width=160, height=96, frames=10)
    )
    other = other_film.read_bytes()
    start = one.index(b"uuid") - 4
    box = one[start : start + int.from_bytes(one[start : start + 4], "big")]
    head = int.from_bytes(other[:4], "big")
    forged = studio.folder / "forged.mp4"
    forged.write_bytes(other[:head] + box + other[head:])
    credential = read_credential(forged, anchors=studio.anchors)
    assert credential.state == "invalid"
    assert "assertion.bmffHash.mismatch" in credential.problems


def test_a_remux_drops_the_credential(studio: Studio, scene: Path) -> None:
    path = studio.signed("out.mp4", scene)
    bare = remuxed(path, studio.folder / "bare.mp4")
    credential = read_credential(bare, anchors=studio.anchors)
    assert credential.state == "absent"
    assert credential.problems == ()


def test_the_scenes_own_credential_is_kept(studio: Studio, scene: Path) -> None:
    first, _ = studio.sign("first.mp4", scene)
    second = studio.signed("second.mp4", scene, scene_path=first)
    credential = read_credential(second, anchors=studio.anchors)
    assert credential.state == "trusted"
    assert Ingredient("Scene", "parentOf", "trusted") in credential.ingredients
    elsewhere = read_credential(second, anchors=b"")
    kept = next(i for i in elsewhere.ingredients if i.title == "Scene")
    assert kept.state == "valid"


def test_a_broken_ingredient_shows_under_a_good_claim(
    studio: Studio, scene: Path
) -> None:
    first = studio.signed("first.mp4", scene)
    broken = changed(first, media_at(first))
    second = studio.signed("second.mp4", scene, scene_path=broken)
    credential = read_credential(second, anchors=studio.anchors)
    assert credential.state == "trusted"
    kept = next(i for i in credential.ingredients if i.title == "Scene")
    assert kept.state == "invalid"
    assert kept.problems == ("assertion.bmffHash.mismatch",)


def test_ingredients_that_cannot_be_parsed_go_in_by_their_hash(
    studio: Studio, scene: Path
) -> None:
    odd = studio.folder / "odd.mkv"
    odd.write_bytes(b"\x1a\x45\xdf\xa3" + bytes(100))
    broken = studio.folder / "broken.wav"
    broken.write_bytes(b"RIFF\xff\xff\xff\xffWAVE" + bytes(10))
    path, signed = studio.sign("out.mp4", scene, scene_path=odd, sound_path=broken)
    credential = read_credential(path, anchors=studio.anchors)
    assert credential.state == "trusted"
    assert len(credential.ingredients) == 3
    assert b"sha256:" + b"a" * 64 in signed.manifest
    assert b"sha256:" + b"b" * 64 in signed.manifest


def test_the_output_may_replace_its_source(studio: Studio, scene: Path) -> None:
    path = studio.folder / "same.mp4"
    path.write_bytes(scene.read_bytes())
    studio.sign("same.mp4", path)
    assert read_credential(path, anchors=studio.anchors).state == "trusted"


class BrokenSigner:
    """A key service that is down."""

    def __init__(self, studio: Studio) -> None:
        self.chain_pem = studio.signer.chain_pem
        self.expires = studio.signer.expires

    def sign(self, message: bytes) -> bytes:
        raise ConnectionError("the key service is down")


def test_a_failed_signature_leaves_nothing_behind(studio: Studio, scene: Path) -> None:
    before = set(studio.folder.iterdir())
    with pytest.raises(SynthesisError) as failure:
        sign(
            scene,
            studio.folder / "out.mp4",
            facts=studio.facts,
            signer=BrokenSigner(studio),
        )
    assert failure.value.code == "credential-not-signed"
    assert set(studio.folder.iterdir()) == before


def test_a_failed_signature_keeps_an_older_target(studio: Studio, scene: Path) -> None:
    target = studio.folder / "out.mp4"
    target.write_bytes(b"older")
    text = studio.folder / "text.mp4"
    text.write_text("this is no film")
    with pytest.raises(SynthesisError):
        sign(text, target, facts=studio.facts, signer=studio.signer)
    assert target.read_bytes() == b"older"


def test_a_missing_source_or_folder_is_a_refusal(studio: Studio, scene: Path) -> None:
    with pytest.raises(SynthesisError):
        studio.sign("out.mp4", studio.folder / "none.mp4")
    with pytest.raises(SynthesisError):
        sign(
            scene,
            studio.folder / "none" / "out.mp4",
            facts=studio.facts,
            signer=studio.signer,
        )


@pytest.mark.parametrize(
    "change",
    [
        {"consent_records": ("Jane Doe",)},
        {"consent_records": ()},
        {"scene_sha256": "A" * 64},
        {"ledger_root": "x"},
        {"mark_id": "123"},
        {"oversight": "approved"},
    ],
)
def test_facts_that_are_no_hashes_are_refused(
    studio: Studio, change: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"hash|record|mark id|oversight"):
        replace(studio.facts, **change)


def test_facts_cannot_be_changed_after_the_check(studio: Studio) -> None:
    with pytest.raises(AttributeError):
        studio.facts.mark_id = "x"  # type: ignore[misc]
    assert isinstance(studio.facts, ManifestFacts)


def test_the_library_is_the_pinned_one() -> None:
    assert c2pa.__version__ == "0.38.1"
