"""Films to ask `manage.py verify` about."""

from tests.synthesis.marked import marked, recorded  # noqa: F401
