"""Who signs: keys in files, keys in another process, and certificates out of date."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from synthesis.errors import SynthesisError
from synthesis.provenance import keys
from synthesis.provenance.keys import KeyFolder
from synthesis.provenance.manifest import sign
from synthesis.provenance.read import read_credential
from synthesis.provenance.signers import (
    SocketSigner,
    signer_at_socket,
    signer_from_files,
)
from tests.conftest import REPOSITORY
from tests.synthesis.provenance.certificates import DAY, WRONG, issued, pem
from tests.synthesis.provenance.conftest import Studio


@pytest.fixture
def desk(studio: Studio) -> Iterator[SocketSigner]:
    """A signer whose key only another process knows."""
    socket = studio.folder / "key.sock"
    command = [sys.executable, "-m", "synthesis.provenance.key_process"]
    keeper = subprocess.Popen(
        [*command, str(studio.authority.key), str(socket)], cwd=REPOSITORY
    )
    until = time.monotonic() + 60
    while not socket.exists() and time.monotonic() < until:
        time.sleep(0.02)
    yield signer_at_socket(studio.authority.chain, str(socket))
    keeper.terminate()
    keeper.wait()


def test_a_key_in_another_process_signs_as_one_in_a_file(
    studio: Studio, scene: Path, desk: SocketSigner
) -> None:
    path = studio.folder / "out.mp4"
    sign(scene, path, facts=studio.facts, signer=desk, anchors=studio.anchors)
    assert read_credential(path, anchors=studio.anchors).state == "trusted"
    assert desk.expires == studio.signer.expires


def encrypted(studio: Studio, password: bytes) -> Path:
    """The studio's key as an encrypted PKCS#8 file."""
    key = serialization.load_pem_private_key(studio.authority.key.read_bytes(), None)
    path = studio.folder / "locked.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(password),
        )
    )
    return path


def test_an_encrypted_key_opens_with_its_password_alone(
    studio: Studio, scene: Path
) -> None:
    chain, key = studio.authority.chain, encrypted(studio, b"correct horse")
    signer = signer_from_files(chain, key, password=b"correct horse")
    path = studio.folder / "out.mp4"
    sign(scene, path, facts=studio.facts, signer=signer, anchors=studio.anchors)
    assert read_credential(path, anchors=studio.anchors).state == "trusted"
    for password, said in ((None, "no password is set"), (b"battery", "is wrong")):
        with pytest.raises(SynthesisError, match=said) as refused:
            signer_from_files(chain, key, password=password)
        assert refused.value.code == "signing-key-unusable"
        assert "battery" not in refused.value.sentence
    # A password that a plain key does not need stands in nobody's way.
    signer_from_files(chain, studio.authority.key, password=b"battery")


def test_a_key_process_opens_an_encrypted_key(studio: Studio) -> None:
    socket, secret = studio.folder / "key.sock", studio.folder / "password"
    command = [sys.executable, "-m", "synthesis.provenance.key_process"]
    words = [*command, str(encrypted(studio, b"correct horse")), str(socket)]
    refused = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "no password is set" in refused.stderr
    assert "Traceback" not in refused.stderr
    secret.write_text("correct horse\n")
    keeper = subprocess.Popen([*words, str(secret)], cwd=REPOSITORY)
    try:
        until = time.monotonic() + 60
        while not socket.exists() and time.monotonic() < until:
            time.sleep(0.02)
        signer_at_socket(studio.authority.chain, str(socket)).sign(b"message")
    finally:
        keeper.terminate()
        keeper.wait()


def test_the_socket_is_for_its_owner_and_group(
    studio: Studio, desk: SocketSigner
) -> None:
    assert Path(desk.path).stat().st_mode & 0o007 == 0


def test_a_process_with_another_key_is_found_out(
    studio: Studio, scene: Path, desk: SocketSigner
) -> None:
    other = keys.test_authority(studio.folder / "other")
    wrong = signer_at_socket(other.chain, desk.path)
    target = studio.folder / "out.mp4"
    with pytest.raises(SynthesisError) as failure:
        sign(scene, target, facts=studio.facts, signer=wrong)
    assert failure.value.code == "credential-not-signed"
    assert not target.exists()


def test_a_process_that_is_gone_leaves_nothing_unsigned(
    studio: Studio, scene: Path
) -> None:
    gone = signer_at_socket(studio.authority.chain, str(studio.folder / "none.sock"))
    before = set(studio.folder.iterdir())
    with pytest.raises(SynthesisError):
        sign(scene, studio.folder / "out.mp4", facts=studio.facts, signer=gone)
    assert set(studio.folder.iterdir()) == before


@pytest.mark.parametrize(
    ("begins", "ends", "uses", "said"),
    [
        (-3 * DAY, -DAY, None, "has expired"),
        (DAY, 3 * DAY, None, "not valid before"),
        (-DAY, DAY, WRONG, "another purpose"),
    ],
)
def test_a_certificate_that_may_not_sign_today_is_refused_in_words(
    studio: Studio, begins: object, ends: object, uses: object, said: str
) -> None:
    now = datetime.now(UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    more = {"uses": uses} if uses else {}
    leaf = issued(studio.authority, key, begins=now + begins, ends=now + ends, **more)
    chain, private = studio.folder / "chain.pem", studio.folder / "key.pem"
    chain.write_bytes(pem(leaf))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    for load in (
        lambda: signer_from_files(chain, private),
        lambda: signer_at_socket(chain, "any"),
    ):
        with pytest.raises(SynthesisError, match=said) as refusal:
            load()
        assert refusal.value.code == "signing-key-unusable"


def test_a_renewed_certificate_is_used_and_the_old_one_still_trusted(
    studio: Studio, scene: Path
) -> None:
    old = studio.signed("old.mp4", scene)
    studio.authority.renew()
    renewed = signer_from_files(*studio.authority.pair)
    assert renewed.chain_pem != studio.signer.chain_pem
    new = studio.folder / "new.mp4"
    sign(scene, new, facts=studio.facts, signer=renewed, anchors=studio.anchors)
    for path in (old, new):
        assert read_credential(path, anchors=studio.anchors).state == "trusted"


def test_certificates_can_be_renewed_again_and_again(tmp_path: Path) -> None:
    authority = keys.test_authority(tmp_path / "authority")
    seen = {authority.chain.read_bytes()}
    for number in range(1, 11):
        authority.renew(days=number)
        seen.add(authority.chain.read_bytes())
    assert len(seen) == 11
    left = signer_from_files(*authority.pair).expires - datetime.now(UTC)
    assert left.days == 9
    assert [p.name for p in authority.folder.iterdir() if p.name[0] == "."] == []
    assert KeyFolder(authority.folder).key.stat().st_mode & 0o077 == 0
