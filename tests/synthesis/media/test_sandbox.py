from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synthesis.errors import MediaRefused
from synthesis.media.sandbox import Caps, Child

HERE = "tests.synthesis.media.naughty"


@pytest.fixture
def media(tmp_path: Path) -> Path:
    """Enough of an MP4 to be taken for one."""
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"\x00\x00\x00\x08ftyp" + bytes(64))
    return path


def run(entry: str, media: Path, caps: Caps | None = None, **arguments: object) -> dict:
    with Child(f"{HERE}:{entry}", media, dict(arguments), caps) as child:
        return child.json()


@pytest.mark.parametrize(
    "deed",
    ["connect", "udp", "unix", "read", "write", "list", "unlink", "fork", "spawn"],
)
def test_the_child_may_not_leave_its_room(media: Path, deed: str) -> None:
    assert run("attempt", media, deed=deed) == {"errno": errno.EPERM}


def test_the_child_may_not_signal_its_parent(media: Path) -> None:
    assert run("attempt", media, deed="kill", victim=os.getpid())["errno"] == 1


def test_the_child_inherits_no_secrets(
    media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPWEB_SECRET_KEY", "shh")
    names = run("environment", media)["names"]
    assert "LIPWEB_SECRET_KEY" not in names
    assert "PATH" not in names


def test_the_child_may_start_threads(media: Path) -> None:
    assert run("start_thread", media) == {"done": [7]}


def test_too_much_memory_is_a_refusal(media: Path) -> None:
    with pytest.raises(MediaRefused, match="memory") as refused:
        run("take_memory", media, Caps(memory_bytes=512 << 20))
    assert refused.value.code == "media-memory"


def test_a_hanging_child_is_ended(media: Path) -> None:
    caps = Caps(stall_s=0.5)
    with Child(f"{HERE}:hang", media, {}, caps) as child:
        pid = child.json()["pid"]
        with pytest.raises(MediaRefused, match="too long"):
            child.json()
        assert not Path(f"/proc/{pid}").exists()


def test_a_child_that_burns_its_seconds_is_ended(media: Path) -> None:
    with pytest.raises(MediaRefused) as refused:
        run("spin", media, Caps(cpu_s=1))
    assert refused.value.code == "media-limits"


@pytest.mark.parametrize("entry", ["crash", "abort", "lie"])
def test_a_crash_is_a_refusal(media: Path, entry: str) -> None:
    with pytest.raises(MediaRefused) as refused:
        run(entry, media)
    assert refused.value.code == "media-crash"


def test_any_other_failure_is_a_refusal(media: Path) -> None:
    with pytest.raises(MediaRefused, match="ZeroDivisionError") as refused:
        run("fail", media)
    assert refused.value.code == "media-unreadable"


def test_leaving_early_ends_a_child_in_full_flow(media: Path) -> None:
    with Child(f"{HERE}:flood", media, {}) as child:
        assert child.next_bytes(1 << 16) == 1 << 16
        pid = child._process.pid
    assert not Path(f"/proc/{pid}").exists()


def test_the_child_dies_with_its_parent(media: Path) -> None:
    program = (
        "import sys\n"
        "from synthesis.media.sandbox import Child\n"
        f"child = Child('{HERE}:hang', sys.argv[1], {{}})\n"
        "print(child.json()['pid'], flush=True)\n"
        "import os; os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(media)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    status = Path(f"/proc/{int(done.stdout)}/status")
    for _ in range(200):  # the kernel reaps it a moment later
        if not status.exists() or "zombie" in status.read_text():
            return
        time.sleep(0.01)
    pytest.fail("the child outlived its parent")


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "scene.mp4"
    os.mkfifo(pipe)
    for path in (pipe, tmp_path, Path("/dev/zero")):
        with pytest.raises(MediaRefused) as refused:
            Child(f"{HERE}:fail", path, {})
        assert refused.value.code == "file-special"


def test_a_missing_file_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(MediaRefused) as refused:
        Child(f"{HERE}:fail", tmp_path / "gone.mp4", {})
    assert refused.value.code == "file-missing"
