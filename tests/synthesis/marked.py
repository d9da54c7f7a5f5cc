"""Films with this house's mark, and a studio that this house does not know. Folders
that ask about such films take the fixtures in their conftest.py."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from synthesis import house_keys
from synthesis.media.probe import sha256_file
from synthesis.models import Deliverable
from synthesis.provenance.fingerprint import Fingerprint
from synthesis.provenance.manifest import sign
from synthesis.provenance.mark import Embedder
from tests.synthesis.provenance.conftest import (
    MARK_ID,
    Studio,
    encode,
    film,
    studio_in,
)


@dataclass(frozen=True)
class Marked:
    """A two-second film with this house's mark, unsigned and signed by the house; and a
    studio elsewhere, which this house does not know."""

    plain: Path
    signed: Path
    manifest_id: str
    fingerprint: bytes
    stranger: Studio


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Marked:
    folder = tmp_path_factory.mktemp("marked")
    lumas = film(5)
    _, key = house_keys.all_mark_keys()[0]
    embedder, fingerprint = Embedder(key, MARK_ID, 640, 360), Fingerprint(Fraction(25))
    for luma in lumas:
        embedder.apply(luma)
        fingerprint.push(luma)
    plain = encode(folder / "plain.mp4", lumas)
    stranger = studio_in(folder, plain)
    signed = sign(
        plain,
        folder / "signed.mp4",
        facts=stranger.facts,
        signer=house_keys.signer(),
        anchors=house_keys.anchors(),
    )
    return Marked(
        plain,
        folder / "signed.mp4",
        signed.manifest_id,
        fingerprint.bytes(),
        stranger,
    )


@pytest.fixture
def recorded(deliverable: Deliverable, marked: Marked) -> Deliverable:
    """The house's record of the marked film."""
    deliverable.sha256 = sha256_file(marked.signed)
    deliverable.manifest_id = marked.manifest_id
    deliverable.mark_id = MARK_ID.hex()
    deliverable.fingerprint = marked.fingerprint
    deliverable.save()
    return deliverable
