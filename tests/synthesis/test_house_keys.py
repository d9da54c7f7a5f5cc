"""Certificates of the house: warned of in time, renewed by one command."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from django.core.management import CommandError, call_command

from lipweb import checks
from lipweb.models import User
from lipweb.pages.inbox import inbox_of
from synthesis import house_keys
from synthesis.provenance import keys
from synthesis.provenance.keys import KeyFolder


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> KeyFolder:
    """A house with keys of its own, signed for by its test authority."""
    settings.KEYS_DIR = tmp_path
    settings.C2PA_CERTIFICATE = settings.C2PA_PRIVATE_KEY = settings.C2PA_ROOT = ""
    return keys.test_authority(tmp_path / "signing")


def operators_own(settings: Any, house: KeyFolder) -> None:
    settings.C2PA_CERTIFICATE = str(house.chain)
    settings.C2PA_PRIVATE_KEY = str(house.key)


def found() -> list[tuple[str | None, str]]:
    return [(one.id, str(one.msg)) for one in checks.signing_certificate(None)]


def test_a_certificate_with_years_to_go_is_no_trouble(house: KeyFolder) -> None:
    assert house_keys.certificate_trouble() == ""
    assert found() == []


def test_asking_makes_no_keys(settings: Any, tmp_path: Path) -> None:
    settings.KEYS_DIR = tmp_path / "keys"
    settings.C2PA_CERTIFICATE = ""
    assert house_keys.certificate_trouble() == ""
    assert not settings.KEYS_DIR.exists()


@pytest.mark.parametrize(("days", "warned"), [(29, True), (32, False)])
def test_an_end_is_warned_of_thirty_days_ahead(
    house: KeyFolder, days: int, warned: bool
) -> None:
    house.renew(days=days)
    assert bool(house_keys.certificate_trouble()) == warned
    if warned:
        ((code, said),) = found()
        assert code == "lipweb.W003"
        assert "in 28 days" in said


def test_an_expired_certificate_is_said_to_be(house: KeyFolder, settings: Any) -> None:
    house.renew(days=0)
    operators_own(settings, house)
    ((_, said),) = found()
    assert "has expired" in said


@pytest.mark.django_db
def test_the_operator_finds_it_in_the_inbox_and_nobody_else(
    house: KeyFolder, producer: User
) -> None:
    house.renew(days=10)
    operator = User.objects.create_superuser("op@example.com", "x")
    assert any("signing certificate" in one.sentence for one in inbox_of(operator))
    assert not any("signing certificate" in one.sentence for one in inbox_of(producer))


def test_the_command_puts_a_new_certificate_in_use(house: KeyFolder) -> None:
    house.renew(days=10)
    call_command("renewcertificate")
    left = house_keys.signer().expires - datetime.now(UTC)
    assert left.days > 1_000
    assert house_keys.certificate_trouble() == ""


def test_the_command_leaves_the_operators_own_certificate_alone(
    house: KeyFolder, settings: Any
) -> None:
    operators_own(settings, house)
    before = house.chain
    with pytest.raises(CommandError, match="C2PA_ROOT"):
        call_command("renewcertificate")
    assert house.chain == before


def test_roots_of_former_certificates_go_on_being_trusted(
    house: KeyFolder, settings: Any, tmp_path: Path
) -> None:
    former, new = (keys.test_authority(tmp_path / name).root for name in ("old", "new"))
    bundle = tmp_path / "roots.pem"
    bundle.write_bytes(former.read_bytes() + new.read_bytes())
    settings.C2PA_ROOT = str(bundle)
    for root in (house.root, former, new):
        assert root.read_bytes() in house_keys.anchors()


def test_an_encrypted_key_takes_its_password_from_setting_or_private_file(
    house: KeyFolder, settings: Any, tmp_path: Path
) -> None:
    key = serialization.load_pem_private_key(house.key.read_bytes(), None)
    locked, secret = tmp_path / "locked.pem", tmp_path / "password"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"correct horse"),
        )
    )
    operators_own(settings, house)
    settings.C2PA_PRIVATE_KEY = str(locked)
    assert "no password is set" in house_keys.certificate_trouble()
    settings.C2PA_KEY_PASSWORD = "correct horse"
    assert house_keys.certificate_trouble() == ""
    settings.C2PA_KEY_PASSWORD = ""
    settings.C2PA_KEY_PASSWORD_FILE = str(secret)
    assert "cannot be read" in house_keys.certificate_trouble()
    secret.write_text("correct horse\n")
    secret.chmod(0o644)
    assert "Others may read" in house_keys.certificate_trouble()
    secret.chmod(0o600)
    assert house_keys.certificate_trouble() == ""


def test_roots_that_cannot_be_read_are_an_error_before_any_file_comes(
    house: KeyFolder, settings: Any, tmp_path: Path
) -> None:
    assert checks.trusted_roots(None) == []
    settings.C2PA_TIMESTAMP_ROOT = str(house.root)
    assert checks.trusted_roots(None) == []
    assert house_keys.time_anchors() == house.root.read_bytes()
    settings.C2PA_ROOT = str(tmp_path / "none.pem")
    assert [one.id for one in checks.trusted_roots(None)] == ["lipweb.E006"]


def test_a_key_behind_a_socket_is_one_the_check_accepts(
    house: KeyFolder, settings: Any, tmp_path: Path
) -> None:
    settings.C2PA_CERTIFICATE = str(house.chain)
    settings.C2PA_PRIVATE_KEY = f"unix:{tmp_path / 'key.sock'}"
    assert [one.id for one in checks.signing_pair(None)] == ["lipweb.E004"]
    (tmp_path / "key.sock").touch()
    assert checks.signing_pair(None) == []
    assert house_keys.signer().expires > datetime.now(UTC)
