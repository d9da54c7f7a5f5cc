"""From a bare Python to a running lipweb: `make run` and its sisters begin here.

Standard library only, and syntax that an old Python can still read, so that it can
say what is missing. Makes .venv, fills it, and hands over to lipweb.house inside."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "lipweb-installed"
REQUIREMENTS = ROOT / "requirements.txt"
TEST_REQUIREMENTS = ROOT / "tests" / "requirements.txt"
OLDEST = (3, 11)
# Without its dependencies: they would lay a second OpenCV over the headless one.
WITHOUT_DEPENDENCIES = "scenedetect==0.7.2"
EXTRA_TARGETS = {"test", "check"}


class CannotStart(Exception):
    """One sentence that says what is wrong and what to do."""


def main(arguments: list[str]) -> int:
    """Set up what the target needs, then become it."""
    target = arguments[0] if arguments else "run"
    try:
        find_new_enough_python(arguments)
        set_up(with_tests=target in EXTRA_TARGETS)
        for command in commands_of(target, arguments[1:]):
            become_or_run(command)
    except CannotStart as problem:
        return fail(str(problem))
    except KeyboardInterrupt:
        return fail("Stopped. Nothing is left running; `make run` goes on from here.")
    except subprocess.CalledProcessError as stopped:
        return stopped.returncode
    return 0


def fail(sentence: str) -> int:
    sys.stderr.write("\n" + sentence + "\n")
    return 1


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def commands_of(target: str, rest: list[str]) -> list[list[str]]:
    """The command lines of a target, run one after the other."""
    python = str(PYTHON)
    if target == "setup":
        return []
    if target == "test":
        # A process a core, each with a queue and a database of its own; the tests of
        # a file stay together, for what they share.
        tests = [python, "-m", "pytest", "-n", "auto", "--maxprocesses", "4"]
        tests += ["--dist", "loadfile"]
        on_postgres = ["env", "TEST_DATABASE=postgres", *tests]
        return [[*tests, *rest], [*on_postgres, "-m", "not browser and not slow"]]
    if target == "check":
        return [
            [python, "-m", "ruff", "check", "."],
            [python, "-m", "ruff", "format", "--check", "."],
            [python, "-m", "mypy", "lipweb", "consent", "synthesis"],
        ]
    if target == "bench-watermark":
        return [[python, "-m", "synthesis.provenance.mark_trial", *rest]]
    return [[python, "-m", "lipweb.house", target, *rest]]


def become_or_run(command: list[str]) -> None:
    """The house replaces this process, so that a signal reaches it directly."""
    os.chdir(ROOT)
    sys.stdout.flush()
    if "lipweb.house" in command:
        os.execv(command[0], command)  # noqa: S606
    subprocess.run(command, check=True)  # noqa: S603


def find_new_enough_python(arguments: list[str]) -> None:
    """Go on, or start again under a newer Python that is installed beside this one."""
    if sys.version_info[:2] >= OLDEST:
        return
    for minor in range(15, OLDEST[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer:
            os.execv(newer, [newer, "-m", "lipweb.launcher", *arguments])  # noqa: S606
    raise CannotStart(
        f"lipweb needs Python 3.11 or newer, and this is {sys.version.split()[0]}. "
        "Install one, or name it: make run PYTHON=/path/to/python3.11"
    )


def set_up(*, with_tests: bool) -> None:
    """Bring .venv to what the requirements ask. Does nothing if it is there already."""
    wanted = [REQUIREMENTS] + ([TEST_REQUIREMENTS] if with_tests else [])
    stamps = {path: fingerprint(path) for path in wanted}
    done = STAMP.read_text().split() if STAMP.exists() and PYTHON.exists() else []
    missing = [path for path in wanted if stamps[path] not in done]
    if not missing:
        return
    make_venv()
    for path in missing:
        pip_install("-r", str(path))
    if REQUIREMENTS in missing:
        pip_install("--no-deps", WITHOUT_DEPENDENCIES)
    kept = done if REQUIREMENTS not in missing else []
    STAMP.write_text("\n".join(sorted({*kept, *stamps.values()})) + "\n")


def fingerprint(path: Path) -> str:
    what = path.read_bytes() + WITHOUT_DEPENDENCIES.encode()
    return hashlib.sha256(what + repr(sys.version_info[:2]).encode()).hexdigest()


def make_venv() -> None:
    """An environment of our own; nothing is installed into the system's Python."""
    if PYTHON.exists() and runs(PYTHON, "-c", "import pip"):
        return
    if not os.access(ROOT, os.W_OK):
        raise CannotStart(
            f"The folder {ROOT} is read-only for you, and the Python environment "
            "belongs there. Make it writable, or clone lipweb into a folder of yours."
        )
    if importlib.util.find_spec("venv") is None:
        raise CannotStart(
            "This Python has no venv module. Install it (on Debian and Ubuntu: the "
            "package python3-venv) and run make again."
        )
    say("Making the Python environment in .venv ...")
    arguments = ["-m", "venv", "--clear", str(VENV)]
    if importlib.util.find_spec("ensurepip") is not None:
        done = runs(sys.executable, *arguments)
    else:
        # Debian splits pip's own installer off; the system's pip can stand in.
        done = runs(sys.executable, *arguments, "--without-pip") and runs(
            sys.executable, "-m", "pip", "--python", str(PYTHON), "install", "pip"
        )
    if not done:
        raise CannotStart(
            "Python could not make an environment. Install its venv module (on Debian "
            "and Ubuntu: the package python3-venv) and run make again."
        )


def runs(*command: str | Path) -> bool:
    quiet = subprocess.DEVNULL
    words = [str(word) for word in command]
    return subprocess.call(words, stdout=quiet, stderr=quiet) == 0  # noqa: S603


def pip_install(*arguments: str) -> None:
    """Install with pip, one word a package; its own words only if it fails."""
    say(f"Installing {arguments[-1].replace(str(ROOT) + os.sep, '')} ...")
    if str(REQUIREMENTS) in arguments:
        say("(the first time about 2 GB and some minutes; later starts take seconds)")
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
    pip = subprocess.Popen(  # noqa: S603
        [*command, "--no-input", "--progress-bar", "off", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
    )
    lines = []
    for line in pip.stdout or ():
        lines.append(line)
        if line.startswith(("Collecting", "Installing")) and sys.stdout.isatty():
            sys.stdout.write("\r\033[K  " + line.strip()[:70])
            sys.stdout.flush()
    if sys.stdout.isatty():
        sys.stdout.write("\r\033[K")
    if pip.wait() != 0:
        raise CannotStart(
            "".join(lines[-12:])
            + "\nA package could not be installed (pip's words are above). Check the "
            "network and the free space, then run make again: it goes on from here."
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
