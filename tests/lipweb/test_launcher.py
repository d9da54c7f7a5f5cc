"""The part of make run that works before anything is installed."""

import os
import subprocess
import sys

import pytest

from lipweb import launcher
from tests.conftest import REPOSITORY


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """The launcher's paths, moved to an empty folder."""
    monkeypatch.setattr(launcher, "ROOT", tmp_path)
    monkeypatch.setattr(launcher, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(launcher, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(launcher, "STAMP", tmp_path / ".venv" / "stamp")
    return tmp_path


def test_it_needs_nothing_but_the_standard_library():
    """-S: no site-packages; -I: nothing from the environment."""
    program = "import sys; sys.path.insert(0, '.'); import lipweb.launcher"
    command = [sys.executable, "-I", "-S", "-c", program]
    subprocess.run(command, cwd=REPOSITORY, check=True)


def test_what_is_installed_already_is_not_installed_again(elsewhere):
    launcher.PYTHON.parent.mkdir(parents=True)
    launcher.PYTHON.touch()
    launcher.STAMP.write_text(launcher.fingerprint(launcher.REQUIREMENTS))
    launcher.set_up(with_tests=False)  # would fail: this Python is an empty file
    assert not (launcher.VENV / "pyvenv.cfg").exists()


def test_changed_requirements_are_noticed(tmp_path):
    listed = tmp_path / "requirements.txt"
    listed.write_text("Django==5.2.19")
    before = launcher.fingerprint(listed)
    listed.write_text("Django==5.2.20")
    assert launcher.fingerprint(listed) != before


def test_an_old_python_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setattr(launcher, "OLDEST", (3, 99))
    with pytest.raises(launcher.CannotStart, match=r"needs Python 3\.11 or newer"):
        launcher.find_new_enough_python(["run"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_told_in_a_sentence(elsewhere):
    elsewhere.chmod(0o500)
    with pytest.raises(launcher.CannotStart, match="read-only"):
        launcher.make_venv()


def test_a_package_that_cannot_be_installed_is_told_with_pips_words(monkeypatch):
    monkeypatch.setattr(launcher, "PYTHON", sys.executable)
    with pytest.raises(launcher.CannotStart, match="goes on from here") as told:
        launcher.pip_install("--no-index", "there-is-no-such-package")
    assert "there-is-no-such-package" in str(told.value)
