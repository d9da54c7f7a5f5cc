"""An installation where nobody could sign says so when it starts."""

from __future__ import annotations

from typing import Any

import pytest

from consent.checks import passkeys_can_work


@pytest.mark.parametrize(
    ("url", "host", "warned"),
    [
        ("http://localhost:8000", "localhost", False),
        ("https://lips.example.com", "lips.example.com", False),
        ("http://lips.example.com", "lips.example.com", True),
        ("http://127.0.0.1:8000", "127.0.0.1", True),
        ("https://192.0.2.7", "192.0.2.7", True),
    ],
)
def test_addresses_without_passkeys_are_warned_of(
    settings: Any, url: str, host: str, warned: bool
) -> None:
    settings.SITE_URL, settings.SITE_HOST = url, host
    assert [message.id for message in passkeys_can_work()] == ["consent.W001"] * warned
