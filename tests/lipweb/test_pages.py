"""The pages that belong to no part: start page, login, health, refusals."""

import pytest
from django.test import Client

from consent.models import Membership, Role
from lipweb.models import User
from lipweb.pages.login import PERSON

pytestmark = pytest.mark.django_db


def test_a_visitor_reads_what_this_is_and_where_to_sign_in(client):
    page = client.get("/")
    assert page.status_code == 200
    assert b"/login/" in page.content


@pytest.mark.parametrize("address", ["/", "/login/", "/no-such-page/", "/health/"])
def test_every_answer_carries_the_strict_policy(client, address):
    policy = client.get(address)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


def test_a_producer_sees_their_project_and_not_another(
    signed_in, producer, project, other_project
):
    page = signed_in(producer).get("/").content.decode()
    assert "The Harbour" in page
    assert "The Desert" not in page


def test_a_person_without_project_is_told_how_to_get_one(signed_in, stranger):
    assert "No project yet" in signed_in(stranger).get("/").content.decode()


def test_a_person_with_two_roles_sees_their_project_once(signed_in, producer, project):
    Membership.objects.create(project=project, user=producer, role=Role.REVIEWER)
    page = signed_in(producer).get("/").content.decode()
    assert page.count("<h3>") == 1 or page.count("The Harbour") == 1
    assert "Producer, Reviewer" in page


def sign_in_with(client: Client, password: str, email: str = "ann@example.com"):
    return client.post("/login/", {"username": email, "password": password})


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann@example.com", "right horse", name="Ann")


def test_the_right_password_opens_the_start_page(client, ann):
    answer = sign_in_with(client, "right horse")
    assert answer.status_code == 302
    assert client.get("/").context["user"] == ann


def test_the_email_is_found_whatever_its_capitals(client, ann):
    assert sign_in_with(client, "right horse", "Ann@Example.com").status_code == 302


def test_a_wrong_password_is_answered_in_words(client, ann):
    answer = sign_in_with(client, "wrong")
    assert answer.status_code == 422
    assert "No login fits" in answer.content.decode()


def test_an_unknown_email_reads_the_same_as_a_wrong_password(client, ann):
    wrong = sign_in_with(client, "wrong").context["form"].non_field_errors()
    unknown = sign_in_with(client, "wrong", "nobody@example.com")
    assert unknown.context["form"].non_field_errors() == wrong


def test_guessing_is_stopped_even_if_the_last_guess_is_right(client, ann):
    for _ in range(PERSON.most):
        assert sign_in_with(client, "wrong").status_code == 422
    answer = sign_in_with(client, "right horse")
    assert answer.status_code == 429
    assert answer["Retry-After"]
    assert "Too many wrong passwords" in answer.content.decode()
    assert not client.get("/").context["user"].is_authenticated


def test_guessing_at_one_login_does_not_lock_others_out(client, ann):
    User.objects.create_user("bob@example.com", "another horse", name="Bob")
    for _ in range(PERSON.most):
        sign_in_with(client, "wrong")
    assert sign_in_with(client, "another horse", "bob@example.com").status_code == 302


def test_a_right_password_wipes_the_slate(client, ann):
    for _ in range(PERSON.most - 1):
        sign_in_with(client, "wrong")
    sign_in_with(client, "right horse")
    client.post("/logout/")
    assert sign_in_with(client, "wrong").status_code == 422


def test_logging_out_needs_a_post_and_ends_the_session(signed_in, producer):
    client = signed_in(producer)
    assert client.get("/logout/").status_code == 405
    assert client.post("/logout/").status_code == 302
    assert not client.get("/").context["user"].is_authenticated


def test_a_login_never_sends_elsewhere(client, ann):
    form = {"username": ann.email, "password": "right horse"}
    answer = client.post("/login/?next=https://evil.example/", form)
    assert answer["Location"] == "/"


def test_a_page_that_is_not_there_says_what_to_do(client):
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    assert "Check the address" in answer.content.decode()


def test_a_form_without_its_token_is_refused_in_words(ann):
    strict = Client(enforce_csrf_checks=True)
    answer = sign_in_with(strict, "right horse")
    assert answer.status_code == 403
    assert "load the page again" in answer.content.decode()


def test_a_refused_fragment_leaves_its_target_alone(client):
    answer = client.get("/no-such-page/", headers={"hx-request": "true"})
    assert answer["HX-Retarget"] == "#status"
    assert b"<html" not in answer.content


def test_a_refusal_is_json_for_those_who_ask_for_json(client):
    answer = client.get("/no-such-page/", headers={"accept": "application/json"})
    assert answer.json()["code"] == "not-found"


def test_health_names_what_is_missing_and_no_secret(client):
    answer = client.get("/health/")
    state = answer.json()
    assert state["database"]["ok"] and state["queue"]["ok"]
    assert not state["worker"]["ok"]
    assert answer.status_code == 503
    assert "sock" not in answer.content.decode()
