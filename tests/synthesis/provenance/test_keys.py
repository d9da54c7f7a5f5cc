"""Signing keys, the test authority, mark keys."""

from __future__ import annotations

import stat
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from synthesis.errors import SynthesisError
from synthesis.provenance import keys
from synthesis.provenance.keys import mark_keys
from synthesis.provenance.signers import signer_from_files


def authority_bytes(folder: Path) -> bytes:
    return keys.test_authority(folder).key.read_bytes()


def first_mark_key(folder: Path) -> bytes:
    return mark_keys(folder)[0][1]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_first_run_makes_an_authority_and_the_second_keeps_it(
    tmp_path: Path,
) -> None:
    first = keys.test_authority(tmp_path / "keys" / "authority")
    made = first.key.read_bytes()
    second = keys.test_authority(tmp_path / "keys" / "authority")
    assert second.key.read_bytes() == made


def test_private_keys_are_for_the_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "authority"
    keys.test_authority(folder)
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o600}
    mark_keys(tmp_path / "marks")
    assert mode(tmp_path / "marks" / "mark-1.key") == 0o600


def test_processes_that_start_at_once_get_the_same_keys(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        authorities = set(pool.map(authority_bytes, [tmp_path / "authority"] * 8))
        marks = set(pool.map(first_mark_key, [tmp_path / "marks"] * 8))
    assert len(authorities) == len(marks) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["authority", "marks"]
    assert [p.name for p in (tmp_path / "marks").iterdir()] == ["mark-1.key"]


def test_the_leaf_is_what_c2pa_asks_for(tmp_path: Path) -> None:
    authority = keys.test_authority(tmp_path / "authority")
    leaf = x509.load_pem_x509_certificate(authority.chain.read_bytes())
    root = x509.load_pem_x509_certificate(authority.root.read_bytes())
    leaf.verify_directly_issued_by(root)
    constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints)
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert constraints.critical
    assert not constraints.value.ca
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_cert_sign
    assert {oid.dotted_string for oid in extended.value} == {
        "1.3.6.1.4.1.62558.2.1",
        "1.3.6.1.5.5.7.3.4",
    }
    leaf.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)


def test_a_signature_is_r_and_s_and_verifies_with_the_leaf(tmp_path: Path) -> None:
    authority = keys.test_authority(tmp_path / "authority")
    signer = signer_from_files(authority.chain, authority.key)
    signature = signer.sign(b"claim")
    assert len(signature) == 64
    leaf = x509.load_pem_x509_certificate(signer.chain_pem)
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    public = leaf.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(encode_dss_signature(r, s), b"claim", ec.ECDSA(hashes.SHA256()))


def test_the_end_of_the_certificate_can_be_read(tmp_path: Path) -> None:
    authority = keys.test_authority(tmp_path / "authority")
    signer = signer_from_files(authority.chain, authority.key)
    assert signer.expires > datetime.now(UTC) + timedelta(days=365)


def pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"no key", "cannot be read"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "does not belong"),
        (pem(ec.generate_private_key(ec.SECP384R1())), "P-256"),
        (pem(ed25519.Ed25519PrivateKey.generate()), "P-256"),
    ],
)
def test_an_unusable_key_is_refused_in_words(
    tmp_path: Path, content: bytes, what: str
) -> None:
    authority = keys.test_authority(tmp_path / "authority")
    key = tmp_path / "key.pem"
    key.write_bytes(content)
    with pytest.raises(SynthesisError) as refusal:
        signer_from_files(authority.chain, key)
    assert refusal.value.code == "signing-key-unusable"
    assert what in refusal.value.sentence


def test_a_certificate_for_another_purpose_is_refused(tmp_path: Path) -> None:
    authority = keys.test_authority(tmp_path / "authority")
    with pytest.raises(SynthesisError, match="usage"):
        signer_from_files(authority.root, tmp_path / "authority" / "root-key.pem")


def test_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SynthesisError, match="cannot be read"):
        signer_from_files(tmp_path / "none.pem", tmp_path / "none.key")


def test_a_locked_key_opens_with_its_password_only(tmp_path: Path) -> None:
    authority = keys.test_authority(tmp_path / "authority")
    key = serialization.load_pem_private_key(authority.key.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    assert signer_from_files(authority.chain, locked, password=b"secret").sign(b"x")
    with pytest.raises(SynthesisError):
        signer_from_files(authority.chain, locked)


def test_a_newer_mark_key_comes_first_and_the_old_one_stays(tmp_path: Path) -> None:
    old = mark_keys(tmp_path)[0]
    (tmp_path / "mark-10.key").write_bytes(b"n" * 32)
    (tmp_path / "mark-notes.key").write_bytes(b"not a key")
    assert mark_keys(tmp_path) == [("mark-10", b"n" * 32), old]
