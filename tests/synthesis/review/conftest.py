"""A production on its way, for what the pages show of it."""

from tests.synthesis.production import (  # noqa: F401
    deliverable,
    dub,
    grant,
    passkey,
    rate,
    scene,
)
