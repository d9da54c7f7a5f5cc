"""Files of other makers: read fairly, whatever they are and whatever they say."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import c2pa
import cv2
import numpy as np
import pytest
from django.template.loader import render_to_string

from synthesis.provenance.native import settings as library_settings
from synthesis.provenance.verdict import Code
from synthesis.services.verification import file_verify
from synthesis.verification.words import told
from tests.synthesis.provenance.conftest import Studio, changed, encode, film

pytestmark = pytest.mark.django_db


def signed_elsewhere(
    studio: Studio, source: Path, kind: str, **definition: Any
) -> Path:
    """The file with a manifest by a maker this house does not know."""
    about = {
        "claim_version": 2,
        "title": "Harbour",
        "format": kind,
        "claim_generator_info": [{"name": "Another camera", "version": "1"}],
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {
                    "actions": [
                        {
                            "action": "c2pa.created",
                            "digitalSourceType": "http://cv.iptc.org/newscodes/"
                            "digitalsourcetype/digitalCapture",
                        }
                    ]
                },
            }
        ],
    } | definition
    target = source.with_name(f"signed-{source.name}")
    context = c2pa.Context.from_dict(library_settings(b""))
    chain = studio.signer.chain_pem.decode()
    native = c2pa.Signer.from_callback(
        studio.signer.sign, c2pa.C2paSigningAlg.ES256, chain, None
    )
    with (
        native,
        c2pa.Builder(about, context=context) as builder,
        source.open("rb") as old,
        target.open("w+b") as new,
    ):
        builder.sign(native, kind, old, new)
    return target


def shown(found: dict[str, Any]) -> str:
    context = {"result": found, "name": "file", **told(found)}
    return render_to_string("synthesis/verification/_result.html", context)


@pytest.fixture
def still(tmp_path: Path) -> Path:
    """A picture without any suffix: types are told by content."""
    path = tmp_path / "still"
    noise = np.random.default_rng(1).integers(0, 255, (64, 96, 3), np.uint8)
    path.write_bytes(cv2.imencode(".jpg", noise)[1].tobytes())
    return path


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [(".jpg", "image/jpeg"), (".png", "image/png"), (".webp", "image/webp")],
)
def test_a_pictures_credential_is_read_and_no_mark_is_claimed(
    studio: Studio, tmp_path: Path, suffix: str, kind: str
) -> None:
    path = tmp_path / "still"
    noise = np.random.default_rng(1).integers(0, 255, (64, 96, 3), np.uint8)
    path.write_bytes(cv2.imencode(suffix, noise)[1].tobytes())
    found = file_verify(path)
    assert found["code"] == Code.NOTHING
    assert found["looked"]["seen"] == "no-moving-picture"
    assert "so it was not looked for" in found["verdict"]

    signed = signed_elsewhere(studio, path, kind)
    found = file_verify(signed)
    assert found["code"] == Code.FOREIGN
    claimed = found["credential"]
    assert (claimed["title"], claimed["generator"]) == ("Harbour", "Another camera")
    words = shown(found)
    assert "Not known to this server" in words
    assert "Not looked for" in words
    assert "Steps: <bdi>created</bdi>" in words

    content = signed.read_bytes()
    found = file_verify(changed(signed, len(content) - 20))
    assert found["code"] == Code.FOREIGN_BROKEN


def test_hostile_words_in_a_manifest_are_short_printable_and_escaped(
    studio: Studio, still: Path
) -> None:
    hostile = (
        "<script>alert(1)</script>\u202egnp.exe\u202c\x00\x1b[31m\u200b\u2066"
        + "Z̷̨̧̢̡͎͇" * 20
        + "x" * 100_000
    )
    signed = signed_elsewhere(
        studio,
        still,
        "image/jpeg",
        title=hostile,
        claim_generator_info=[{"name": "lipwеb" + hostile, "version": "1"}],
    )
    found = file_verify(signed)
    assert found["code"] == Code.FOREIGN
    claimed = found["credential"]
    for text in (claimed["title"], claimed["generator"]):
        assert 0 < len(text) <= 300
        assert text.isprintable()
        assert "\u202e" not in text
    words = shown(found)
    assert "<script" not in words
    assert len(words) < 20_000
    # A name that looks like ours does not make it ours.
    assert "We do not vouch for it" in words
    assert "lipw" not in found["verdict"]


def test_a_broken_ingredient_shows_under_a_claim_that_holds(
    studio: Studio, tmp_path: Path
) -> None:
    small = encode(tmp_path / "s.mp4", film(1, width=160, height=96, frames=10))
    theirs = studio.signed("theirs.mp4", small)
    at = theirs.read_bytes().rindex(b"mdat") + 100
    broken = changed(theirs, at)
    path = studio.signed("made.mp4", small, scene_path=broken)
    found = file_verify(path)
    assert found["credential"]["state"] == "valid"
    states = {one["title"]: one["state"] for one in found["credential"]["ingredients"]}
    assert states == {"native": "absent", "Scene": "invalid", "Dub sound": "absent"}
    assert "something it was made from is broken" in found["verdict"]
    words = shown(found)
    assert "own credential broken" in words
    assert "were changed after it was signed" in words


def test_a_store_alone_and_a_manifest_elsewhere_are_answered(
    studio: Studio, still: Path
) -> None:
    still.write_bytes(io.BytesIO(b"\0\0\0\x20jumb" + b"\0" * 24).getvalue())
    assert file_verify(still)["code"] == Code.NOTHING
