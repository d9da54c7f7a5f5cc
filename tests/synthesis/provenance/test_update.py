"""Update manifests: a release and a withdrawal, without a byte of the media read."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from synthesis.errors import SynthesisError
from synthesis.media.probe import sha256_file
from synthesis.provenance.container import (
    UpdatedFile,
    manifest_boxes,
    sha256_as_signed,
    skeleton,
)
from synthesis.provenance.read import Credential, library_report, read_credential
from synthesis.provenance.update import Before, Update, UpdateFacts, What, update_sign
from tests.synthesis.provenance.conftest import (
    Studio,
    changed,
    encode,
    film,
    media_at,
)

SAID = UpdateFacts(
    what="published",
    title="Scene 12, Spanish",
    consent_records=("d" * 64,),
    model_name="native",
    model_sha256="c" * 64,
    software_version="0.1.0",
)


def updated(
    studio: Studio, path: Path, what: What, before: Update | None = None
) -> Update:
    """The update signed over `path`, which is as first signed."""
    with path.open("rb") as file:
        head, first = skeleton(file), manifest_boxes(file)[0]
    store = before.store if before else first.store
    found = read_credential(path, anchors=studio.anchors, store=store)
    assert found.manifest_id is not None
    return update_sign(
        Before(
            head=head,
            appended=before.appended if before else b"",
            store=store,
            manifest_id=found.manifest_id,
            checked=library_report(path, anchors=studio.anchors, store=store),
        ),
        replace(SAID, what=what),
        signer=studio.signer,
    )


def written(path: Path, update: Update, name: str) -> Path:
    """The file as a download of it is."""
    copy = path.with_name(name)
    with UpdatedFile(path.open("rb"), update.appended) as file:
        copy.write_bytes(file.read())
    return copy


@pytest.fixture
def made(studio: Studio, scene: Path) -> Path:
    return studio.signed("made.mp4", scene)


def read(studio: Studio, path: Path) -> Credential:
    return read_credential(path, anchors=studio.anchors)


def test_a_release_is_read_as_part_of_what_it_releases(
    studio: Studio, made: Path
) -> None:
    first = read(studio, made)
    release = updated(studio, made, "published")
    found = read(studio, written(made, release, "out.mp4"))
    assert (found.state, found.problems) == ("trusted", ())
    assert (found.manifest_id, found.first_id) == (
        release.manifest_id,
        first.manifest_id,
    )
    assert found.actions == (*first.actions, "c2pa.published")
    assert found.oversight == "human_validated" != first.oversight
    for name in ("title", "ingredients", "consent_records", "soft_bindings", "when"):
        assert getattr(found, name) == getattr(first, name)
    assert [(one.action, one.consent) for one in found.updates] == [
        ("c2pa.published", "")
    ]


def test_a_withdrawal_comes_on_top_of_a_release(studio: Studio, made: Path) -> None:
    release = updated(studio, made, "published")
    withdrawal = updated(studio, made, "withdrawn", release)
    found = read(studio, written(made, withdrawal, "out.mp4"))
    assert found.state == "trusted"
    assert found.manifest_id == withdrawal.manifest_id
    assert [(one.action, one.consent) for one in found.updates] == [
        ("c2pa.published", ""),
        ("c2pa.edited.metadata", "withdrawn"),
    ]
    assert found.consent_records == ("d" * 64,)


def test_an_update_changes_no_byte_of_the_media(studio: Studio, made: Path) -> None:
    before = made.read_bytes()
    out = written(made, updated(studio, made, "published"), "out.mp4").read_bytes()
    differ = [i for i, (a, b) in enumerate(zip(before, out, strict=False)) if a != b]
    at = before.index(b"manifest\0")
    assert differ == list(range(at, at + 8))


def test_a_file_keeps_its_identity_through_updates(studio: Studio, made: Path) -> None:
    release = updated(studio, made, "published")
    withdrawal = updated(studio, made, "withdrawn", release)
    approved = sha256_file(made)
    with made.open("rb") as file:
        assert sha256_as_signed(file) == (approved, b"")
    for update in (release, withdrawal):
        out = written(made, update, "out.mp4")
        assert sha256_file(out) != approved
        with out.open("rb") as file:
            assert sha256_as_signed(file) == (approved, update.appended)


def test_a_changed_picture_shows_under_an_update(studio: Studio, made: Path) -> None:
    out = written(made, updated(studio, made, "published"), "out.mp4")
    found = read(studio, changed(out, media_at(out)))
    assert found.state == "invalid"
    assert "assertion.bmffHash.mismatch" in found.problems


def test_a_changed_update_is_broken(studio: Studio, made: Path) -> None:
    out = written(made, updated(studio, made, "published"), "out.mp4")
    in_update = out.read_bytes().index(b"c2pa.published") + 6
    found = read(studio, changed(out, in_update))
    assert found.state == "invalid"
    assert "assertion.hashedURI.mismatch" in found.problems


def test_the_update_of_one_file_does_not_fit_another(
    studio: Studio, made: Path
) -> None:
    other_film = encode(
        studio.folder / "other.mp4", film(2, width=160, height=96, frames=10)
    )
    other = studio.signed("other-signed.mp4", other_film)
    release = updated(studio, made, "published")
    assert read(studio, written(other, release, "forged.mp4")).state == "invalid"


def test_nothing_is_added_to_a_file_that_was_changed_on_the_disk(
    studio: Studio, made: Path
) -> None:
    broken = changed(made, media_at(made))
    with pytest.raises(SynthesisError) as refusal:
        updated(studio, broken, "published")
    assert refusal.value.code == "credential-broken"


def test_a_file_without_a_credential_cannot_be_updated(scene: Path) -> None:
    with scene.open("rb") as file, pytest.raises(SynthesisError) as refusal:
        skeleton(file)
    assert refusal.value.code == "credential-missing"


@pytest.mark.parametrize("block", [1, 7, 64, 4096])
def test_an_updated_file_reads_alike_in_any_pieces(
    studio: Studio, made: Path, block: int
) -> None:
    appended = b"the box that signing put behind it"
    whole = UpdatedFile(made.open("rb"), appended).read()
    assert len(whole) == made.stat().st_size + len(appended)
    around = whole.index(b"original\0") - 20
    with UpdatedFile(made.open("rb"), appended) as file:
        for start in (0, around, around + 22, len(whole) - 50, len(whole) + 5):
            file.seek(start)
            pieces = b""
            while len(pieces) < 60 and (piece := file.read(block)):
                assert len(piece) <= block
                pieces += piece
            assert pieces == whole[start : start + len(pieces)]
            assert len(pieces) >= min(60, max(0, len(whole) - start))


def test_a_file_without_update_is_read_as_it_is() -> None:
    assert UpdatedFile(io.BytesIO(b"no film at all"), b"").read() == b"no film at all"
