"""The pages keep to the strict Content Security Policy and to CSRF protection."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from consent.models import Grant, Status
from tests.consent.conftest import Cast

REPOSITORY = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((REPOSITORY / "templates" / "consent").glob("*.html"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_holds_inline_script_or_style(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\s(style|on[a-z]+)=", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert "|safe" not in text and "autoescape off" not in text
    posts = re.findall(r"<form[^>]*method=\"post\"[^>]*>.*?</form>", text, re.DOTALL)
    assert all("{% csrf_token %}" in form for form in posts)


@pytest.mark.parametrize("act", ["sign", "decline", "revoke"])
def test_no_answer_is_taken_from_another_site(
    cast: Cast, propose: Callable[..., Grant], act: str
) -> None:
    grant = propose()
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.actor_user)
    assert client.post(f"/grants/{grant.id}/{act}/").status_code == 403
    assert Grant.objects.get().status == Status.PROPOSED


@pytest.mark.parametrize("act", ["sign", "decline", "revoke"])
def test_an_answer_is_never_given_by_following_a_link(
    cast: Cast, propose: Callable[..., Grant], act: str
) -> None:
    grant = propose()
    client = Client()
    client.force_login(cast.actor_user)
    assert client.get(f"/grants/{grant.id}/{act}/").status_code == 405
    assert Grant.objects.get().status == Status.PROPOSED
