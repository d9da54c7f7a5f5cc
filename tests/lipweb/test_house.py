"""make run for real: started, met with trouble, killed, and nothing left behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from lipweb.children import Child, session_members
from tests.conftest import REPOSITORY
from tests.environment import free_port

pytestmark = pytest.mark.slow


class House:
    """A `python -m lipweb.house run` on its own data folder and port."""

    def __init__(self, data: Path, port: int) -> None:
        self.port = port
        self.environment = {
            "PATH": os.environ["PATH"],
            "LIPWEB_DATA": str(data),
            "PORT": str(port),
            "XDG_RUNTIME_DIR": str(data),
            "DEMO": "0",
            "WEB_WORKERS": "1",
        }
        self.log = data.parent / f"house-{port}.log"

    def start(self) -> None:
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lipweb.house", "run"],
                cwd=REPOSITORY,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def says(self, words: str) -> bool:
        assert self.process.poll() is None or words in self.log.read_text()
        return words in self.log.read_text()

    def refusal(self) -> str:
        """What it says when it may not start. Never a traceback."""
        self.start()
        assert self.process.wait(timeout=60) == 1
        words = self.log.read_text()
        assert "Traceback" not in words
        return words

    def parts(self) -> dict[str, int]:
        """Process ids of the children, by their command lines."""
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = stat.read_text().rpartition(")")[2].split()
                command = (stat.parent / "cmdline").read_text()
            except OSError:
                continue
            if int(fields[1]) == self.process.pid and fields[0] != "Z":
                for name in ("valkey", "gunicorn", "worker"):
                    if name in command.partition("lipweb.wsgi")[0]:
                        found[name] = int(stat.parent.name)
        return found

    def health(self) -> dict:
        try:
            answer = urlopen(f"http://localhost:{self.port}/health/")
        except HTTPError as refused:
            answer = refused
        except OSError:
            return {}
        return json.load(answer)


@pytest.fixture
def house(tmp_path):
    folder = tmp_path / "d"
    folder.mkdir(mode=0o700)
    house = House(folder, free_port())
    yield house
    if house.process.poll() is None:
        house.process.send_signal(signal.SIGTERM)
        house.process.wait(timeout=30)


def is_alive(process_id: int) -> bool:
    return Path(f"/proc/{process_id}").exists()


def test_ctrl_c_ends_everything_that_was_started(house, wait_for):
    house.start()
    wait_for(lambda: house.says("lipweb runs"))
    parts = house.parts()
    assert set(parts) == {"valkey", "gunicorn", "worker"}
    house.process.send_signal(signal.SIGINT)
    assert house.process.wait(timeout=30) == 0
    assert not any(is_alive(part) for part in parts.values())
    assert "Traceback" not in house.log.read_text()


def test_what_dies_is_started_again_and_named(house, wait_for):
    house.start()
    wait_for(lambda: house.says("lipweb runs"))
    wait_for(lambda: house.health().get("worker", {}), "ok")
    os.kill(house.parts()["worker"], signal.SIGKILL)
    wait_for(lambda: house.says("worker 1 stopped"))
    wait_for(lambda: "worker" in house.parts())


def test_a_launcher_killed_outright_leaves_no_server_behind(house, wait_for):
    house.start()
    wait_for(lambda: house.says("lipweb runs"))
    parts = house.parts()
    house.process.kill()
    house.process.wait()
    wait_for(lambda: not any(is_alive(part) for part in parts.values()))


def test_a_second_one_on_the_same_data_is_refused(house, wait_for, tmp_path):
    house.start()
    wait_for(lambda: house.says("lipweb runs"))
    second = House(tmp_path / "d", free_port())
    words = second.refusal()
    assert "already runs on the data folder" in words
    assert str(house.process.pid) in words


def test_a_taken_port_is_told_in_a_sentence(house):
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", house.port))
        other.listen()
        assert f"Port {house.port} is taken" in house.refusal()


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(house, tmp_path):
    (tmp_path / "file").touch()
    house.environment["LIPWEB_DATA"] = str(tmp_path / "file" / "var")
    assert "cannot be written" in house.refusal()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SITE_URL", "lips.example.com", "SITE_URL must look like"),
        ("PORT", "eighty", "PORT must be a number"),
        ("QUEUE_URL", "redis://localhost:1/0", "QUEUE_URL names does not answer"),
    ],
)
def test_a_wrong_setting_is_told_in_a_sentence(house, name, value, sentence):
    house.environment[name] = value
    assert sentence in house.refusal()


def test_a_child_takes_its_own_children_along(tmp_path, wait_for):
    """Even one that ignores being asked, and a grandchild in a group of its own."""
    program = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork() == 0: os.setpgrp()\n"
        "time.sleep(600)\n"
    )
    child = Child("stubborn", [sys.executable, "-c", program], tmp_path / "log")
    child.start()
    assert child.process is not None
    session = child.process.pid
    wait_for(lambda: len(session_members(session)) == 2)
    child.stop(patience_s=0.2)
    assert session_members(session) == []
