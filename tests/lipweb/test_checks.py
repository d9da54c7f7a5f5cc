"""The system checks, asked of settings that are wrong in one way each."""

import os
import subprocess
import sys

import pytest

from consent.fonts import BOLD
from lipweb import checks
from tests.conftest import REPOSITORY


def ids(messages) -> list[str]:
    return [message.id for message in messages]


def test_a_data_folder_that_cannot_be_made_is_an_error(settings, tmp_path):
    (tmp_path / "file").touch()
    settings.DATA_DIR = tmp_path / "file" / "folder"
    assert ids(checks.data_folder(None)) == ["lipweb.E001"]
    settings.DATA_DIR = tmp_path
    assert ids(checks.data_folder(None)) == []


@pytest.mark.parametrize(("mode", "found"), [(0o700, []), (0o750, ["lipweb.E002"])])
def test_a_keys_folder_that_others_may_enter_is_an_error(
    settings, tmp_path, mode, found
):
    settings.KEYS_DIR = tmp_path
    tmp_path.chmod(mode)
    assert ids(checks.keys_folder(None)) == found


def test_a_label_font_that_cannot_be_read_is_an_error(settings, tmp_path):
    (tmp_path / "font.ttf").write_bytes(b"no font")
    for name in ("font.ttf", "none.ttf"):
        settings.LABEL_FONT = str(tmp_path / name)
        (message,) = checks.label_font(None)
        assert message.id == "lipweb.E007"
        assert "LIPWEB_LABEL_FONT" in message.msg
    for settings.LABEL_FONT in ("", str(BOLD)):
        assert ids(checks.label_font(None)) == []


def test_a_short_secret_is_an_error(settings):
    settings.SECRET_KEY = "short"
    assert ids(checks.secret_key(None)) == ["lipweb.E003"]


def test_the_test_authority_is_warned_of(settings):
    settings.C2PA_CERTIFICATE = settings.C2PA_PRIVATE_KEY = ""
    assert ids(checks.signing_pair(None)) == ["lipweb.W001"]


def test_a_certificate_without_its_key_is_an_error(settings, tmp_path):
    settings.C2PA_CERTIFICATE = str(tmp_path / "chain.crt")
    (tmp_path / "chain.crt").write_text("public")
    assert ids(checks.signing_pair(None)) == ["lipweb.E004"]


def test_a_silent_queue_server_is_only_a_warning(settings, tmp_path):
    settings.QUEUE_URL = f"unix://{tmp_path}/nobody.sock"
    assert ids(checks.queue_server(None)) == ["lipweb.W002"]


def test_debug_on_a_public_site_is_an_error(settings):
    settings.DEBUG = True
    settings.SITE_HOST = "lips.example.com"
    assert ids(checks.debug_pages(None)) == ["lipweb.E005"]


@pytest.mark.slow
def test_a_site_behind_https_has_nothing_to_fear_from_the_deploy_check(tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "LIPWEB_DATA": str(tmp_path),
        "SITE_URL": "https://lips.example.com",
    }
    check = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert check.returncode == 0
    assert "security.W" not in check.stderr
    assert "lipweb.E" not in check.stderr
