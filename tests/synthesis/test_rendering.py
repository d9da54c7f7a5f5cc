"""Between the encode and the signature: nothing unsigned is ever kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from lipweb.demo_production import SCENE, Demo
from synthesis import house_keys, rendering
from synthesis.errors import SynthesisError
from synthesis.models import Deliverable, Dub, Render, Track
from tests.conftest import REPOSITORY


@pytest.fixture
def encoded(demo: Demo, dub: Dub, monkeypatch: pytest.MonkeyPatch) -> Render:
    """A render that has come as far as its encoded, labelled and marked file."""
    render = Render.objects.create(
        dub=dub, version=1, state=Render.State.RUNNING, requested_by=demo.producer
    )
    render.grants.add(demo.grant)
    Track.objects.update(landmarks="")  # no face is measured

    def assemble(*, target: Path, **_: object) -> bytes:
        shutil.copyfile(SCENE, target)
        return b""

    monkeypatch.setattr(rendering, "assemble", assemble)
    monkeypatch.setattr(rendering, "tracks_to_render", lambda _: [])
    monkeypatch.setattr(rendering, "model_sha256", lambda _: "c" * 64)
    return render


def stored() -> set[Path]:
    return {path for path in settings.MEDIA_DIR.rglob("*") if path.is_file()}


def test_a_failed_signature_leaves_no_deliverable(
    encoded: Render, monkeypatch: pytest.MonkeyPatch, scratch_before: set[Path]
) -> None:
    class Broken:
        chain_pem = house_keys.signer().chain_pem
        expires = house_keys.signer().expires

        def sign(self, message: bytes) -> bytes:
            raise ConnectionError("the key service is down")

    monkeypatch.setattr(house_keys, "signer", Broken)
    before = stored()
    with pytest.raises(SynthesisError) as failure:
        rendering.render_finish(encoded)
    assert failure.value.code == "credential-not-signed"
    assert not Deliverable.objects.exists()
    assert stored() == before
    assert set(rendering.scratch_dir().iterdir()) == scratch_before


def test_a_file_whose_marks_cannot_be_read_back_is_not_kept(encoded: Render) -> None:
    """The picture put in place of the encode is signed, but carries no mark."""
    before = stored()
    with pytest.raises(SynthesisError) as failure:
        rendering.render_finish(encoded)
    assert failure.value.code == "not-read-back"
    assert not Deliverable.objects.exists()
    assert stored() == before


KILLED = """
import os, signal, sys
from dataclasses import replace
from pathlib import Path
from synthesis.provenance.keys import test_authority
from synthesis.provenance.manifest import ManifestFacts, sign
from synthesis.provenance.signers import signer_from_files

folder, scene = Path(sys.argv[1]), Path(sys.argv[2])
real = signer_from_files(*test_authority(folder / "keys").pair)

class Killer:
    chain_pem, expires = real.chain_pem, real.expires
    def sign(self, message):
        os.kill(os.getpid(), signal.SIGKILL)

none = folder / "no-sound"
none.write_bytes(b"no sound")
facts = ManifestFacts("t", scene, "a" * 64, none, "b" * 64, "m", "c" * 64, "en", "es",
                      "0" * 16, ("d" * 64,), None, "0")
sign(scene, folder / "out.mp4", facts=facts, signer=Killer())
"""


def test_a_worker_killed_while_it_signs_leaves_no_finished_file(
    tmp_path: Path,
) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(SCENE)], cwd=REPOSITORY
    )
    assert killed.returncode == -9
    assert not (tmp_path / "out.mp4").exists()
