"""Sign, read and take as an ingredient one film, in a process of its own.

python -m tests.synthesis.provenance.memory SCENE FOLDER BYTES prints, as JSON, the most
memory that the process ever held after each step, in KiB, beginning with none.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from synthesis.provenance import ingredient_child, read_child
from tests.synthesis.provenance.conftest import studio_in
from tests.synthesis.provenance.films import stretched
from tests.synthesis.provenance.test_ingredients import ABOUT


def most_kib() -> int:
    """Not getrusage: that remembers the process before its exec as well."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise LookupError("VmHWM")


def main(scene: Path, folder: Path, size: int) -> None:
    studio = studio_in(folder, scene)
    # What is loaded at the first use of each is no matter of the film's length.
    small = studio.signed("small.mp4", scene)
    with small.open("rb", buffering=0) as file:
        read_child.read(file, studio.anchors, b"")
    held = {"none": most_kib()}
    big = stretched(scene, folder / "big.mp4", size=size)
    signed = studio.signed("signed.mp4", big)
    held["signed"] = most_kib()
    with signed.open("rb", buffering=0) as file:
        state = read_child.read(file, studio.anchors, b"")["state"]
    held["read"] = most_kib()
    with signed.open("rb", buffering=0) as file:
        archive = ingredient_child.archive(file, studio.anchors, ABOUT)
    held["ingredient"] = most_kib()
    facts = {"state": state, "size": signed.stat().st_size, "archive": len(archive)}
    signed.unlink()
    print(json.dumps({"held": held} | facts))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
