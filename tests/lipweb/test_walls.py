"""The walls of the tree: who imports whom, and what no tracked file may hold."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PYTHON_FILES = sorted(
    path
    for app in ("consent", "synthesis", "lipweb")
    for path in (REPOSITORY / app).rglob("*.py")
)
# App by app, whom it may not know.
FORBIDDEN = {"consent": {"synthesis", "lipweb"}, "synthesis": {"lipweb"}}
# Code a scientist or an auditor may take along without the web framework.
WITHOUT_DJANGO = (
    "synthesis/neural",
    "synthesis/faces",
    "synthesis/engines",
    "synthesis/media",
    "synthesis/performance",
    "synthesis/provenance",
    "consent/canonical.py",
    "consent/record",
    "consent/sentences",
    "consent/tongue.py",
    "consent/narrowing.py",
    "consent/passkeys.py",
    "consent/merkle.py",
    "consent/encoding.py",
    "consent/face.py",
    "consent/checkpoint.py",
    "consent/receipt.py",
    "consent/receipt_pdf.py",
    "consent/verdict.py",
    "consent/verify.py",
    "consent/bundle.py",
    "consent/audit.py",
    "consent/authenticator.py",
    "consent/errors.py",
    "synthesis/errors.py",
)
# DESIGN section 3: provenance is pure but for the look-up of deliverables.
MAY_KNOW_DJANGO = ("synthesis/provenance/lookup",)


def imports_of(path: Path) -> Iterator[str]:
    """Dotted names a file imports, wherever in it, but not for types alone."""
    tree = ast.parse(path.read_text())
    for_types = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("app", FORBIDDEN)
def test_imports_run_one_way(app):
    wrong = [
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in PYTHON_FILES
        if path.relative_to(REPOSITORY).parts[0] == app
        for name in imports_of(path)
        if name.partition(".")[0] in FORBIDDEN[app]
    ]
    assert wrong == []


def test_pure_code_knows_no_django():
    wrong = [
        f"{path.relative_to(REPOSITORY)} imports {name}"
        for path in PYTHON_FILES
        if str(path.relative_to(REPOSITORY)).startswith(WITHOUT_DJANGO)
        and not str(path.relative_to(REPOSITORY)).startswith(MAY_KNOW_DJANGO)
        for name in imports_of(path)
        if name.partition(".")[0] in {"django", "django_rq", "rq"} or ".models" in name
    ]
    assert wrong == []


def test_no_relative_imports_hide_who_knows_whom():
    wrong = [
        str(path.relative_to(REPOSITORY))
        for path in PYTHON_FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert wrong == []


# Written in pieces, so that this file does not hold what it looks for.
NEVER = {
    "a package registry's host": r"(pypi|files\.pythonhosted|registry\.npmjs|"
    r"download\.pytorch)\." + r"(org|com)\b",
    "a developer's path": "/(work|home|Users)" + r"/[a-z]+/",
    "a private key": "-----BEGIN" + " (RSA |EC |OPENSSH )?PRIVATE KEY",
    "an access token": r"\b(ghp_|AKIA|xox[bp]-)" + "[A-Za-z0-9]{12,}",
}


@pytest.mark.parametrize("what", NEVER)
def test_no_tracked_file_holds(what):
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True)
    wrong = []
    for name in filter(None, listed.stdout.decode().split("\0")):
        path = REPOSITORY / name
        if not path.is_file() or path.is_symlink():
            continue
        text = path.read_bytes()
        if b"\0" in text[:8000]:
            continue
        if re.search(NEVER[what], text.decode(errors="replace")):
            wrong.append(name)
    assert wrong == []
