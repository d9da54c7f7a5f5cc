"""From an empty house to a production at work: projects, people, passwords."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.test import Client

from consent.models import Actor, Membership, Project, Role
from lipweb.house import later_words
from lipweb.models import User
from lipweb.pages.password import MAILBOX

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]
PASSWORD = "a harbour at 5 am"


def text(page: Any) -> str:
    return str(page.content.decode())


def people_page(project: Project) -> str:
    return f"/projects/{project.id}/people/"


def link_in(letter: Any) -> str:
    found = re.search(r"http://[^/]+(/password/[^/\s]+/[^/\s]+/)", str(letter.body))
    assert found
    return found.group(1)


def set_password(client: Client, link: str, password: str = PASSWORD) -> Any:
    """Follow the link of a mail and set the password there."""
    page = client.get(link, follow=True)
    form = {"new_password1": password, "new_password2": password}
    return client.post(page.redirect_chain[-1][0], form)


def nina(**changes: str) -> dict[str, str]:
    usual = {"email": "nina@example.com", "name": "Nina New", "role": "producer"}
    return usual | changes


def test_an_empty_house_becomes_a_production(
    django_capture_on_commit_callbacks: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    assert "manage.py createsuperuser" in later_words(tmp_path).splitlines()[0]
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command(
        "createsuperuser",
        interactive=False,
        email="Olga@Example.com",
        name="Olga Operator",
        verbosity=0,
    )
    assert "none yet" not in later_words(tmp_path)
    operator, newcomer = Client(), Client()
    operator.post("/login/", {"username": "olga@example.com", "password": PASSWORD})
    home = text(operator.get("/"))
    assert "Make one" in home and 'href="/projects/new/"' in home
    made = operator.post("/projects/new/", {"name": "Dunes", "company": "Dune Films"})
    project = Project.objects.get()
    assert made.url == people_page(project)
    with django_capture_on_commit_callbacks(execute=True):
        assert operator.post(made.url, nina()).url == made.url
    assert "no password set yet" in text(operator.get(made.url))

    (letter,) = mail.outbox
    assert letter.to == ["nina@example.com"]
    assert set_password(newcomer, link_in(letter)).url == "/"
    home = text(newcomer.get("/"))
    assert "Nina New" in home and "Dunes" in home and "your role: Producer" in home
    assert newcomer.get(f"/projects/{project.id}/").status_code == 200
    assert "no password set yet" not in text(operator.get(made.url))
    # The link worked once; the password works from now on.
    assert "used already" in text(Client().get(link_in(letter)))
    again = {"username": "nina@example.com", "password": PASSWORD}
    assert Client().post("/login/", again).status_code == 302


# Who sees and does what


def test_who_may_not_make_a_project_sees_no_button_and_no_page(
    signed_in: SignedIn, project: Project, reviewer: User, stranger: User
) -> None:
    for user in (reviewer, stranger):
        client = signed_in(user)
        assert "/projects/new/" not in text(client.get("/"))
        assert client.get("/projects/new/").status_code == 404
        form = {"name": "Mine", "company": "Mine"}
        assert client.post("/projects/new/", form).status_code == 404
    assert Project.objects.count() == 1
    assert Client().get("/projects/new/").status_code == 302


def test_a_producer_makes_a_second_project(
    signed_in: SignedIn, project: Project, producer: User
) -> None:
    client = signed_in(producer)
    assert "/projects/new/" in text(client.get("/"))
    answer = client.post("/projects/new/", {"name": "x" * 161, "company": "Harbour"})
    assert answer.status_code == 422
    client.post("/projects/new/", {"name": "Second", "company": "Harbour"})
    assert Project.objects.of_member(producer).count() == 2


def test_strangers_find_no_people_page(
    signed_in: SignedIn, project: Project, stranger: User, other_project: Project
) -> None:
    seat = project.memberships.get(role=Role.REVIEWER)
    address = people_page(project)
    for user in (stranger, other_project.memberships.get().user):
        client = signed_in(user)
        for page in (address, f"{address}{seat.id}/remove/"):
            assert client.get(page).status_code == 404
            assert client.post(page, nina()).status_code == 404
    assert project.memberships.count() == 2


def test_a_reviewer_reads_who_is_there_and_changes_nothing(
    signed_in: SignedIn, project: Project, reviewer: User
) -> None:
    client, address = signed_in(reviewer), people_page(project)
    page = text(client.get(address))
    assert "Paula Producer" in page and "Rita Reviewer" in page
    assert "Add somebody" not in page and "/remove/" not in page
    assert address in text(client.get(f"/projects/{project.id}/"))
    seat = project.memberships.get(role=Role.REVIEWER)
    assert client.post(address, nina()).status_code == 403
    assert client.get(f"{address}{seat.id}/remove/").status_code == 403
    assert client.post(f"{address}{seat.id}/remove/").status_code == 403
    assert project.memberships.count() == 2


def test_an_operator_reaches_the_people_of_every_project_not_its_scenes(
    signed_in: SignedIn, project: Project, operator: User
) -> None:
    client, address = signed_in(operator), people_page(project)
    assert address in text(client.get("/"))
    assert "Add somebody" in text(client.get(address))
    assert client.get(f"/projects/{project.id}/").status_code == 404
    client.post(address, nina())
    assert project.memberships.filter(user__name="Nina New").exists()


def test_a_person_is_removed_after_a_question(
    signed_in: SignedIn, project: Project, producer: User, reviewer: User
) -> None:
    client = signed_in(producer)
    seat = project.memberships.get(role=Role.REVIEWER)
    page = f"{people_page(project)}{seat.id}/remove/"
    assert page in text(client.get(people_page(project)))
    assert "Remove Rita Reviewer?" in text(client.get(page))
    assert project.memberships.count() == 2
    assert client.post(page).url == people_page(project)
    assert signed_in(reviewer).get(people_page(project)).status_code == 404
    assert client.post(page).status_code == 404


def test_the_last_producer_is_told_why_they_stay(
    signed_in: SignedIn, project: Project, producer: User
) -> None:
    seat = project.memberships.get(role=Role.PRODUCER)
    page = f"{people_page(project)}{seat.id}/remove/"
    answer = signed_in(producer).post(page)
    assert answer.status_code == 422
    assert "Add another one first" in text(answer)
    Membership.objects.create(
        project=project, user=User.objects.get(name="Rita Reviewer"), role="producer"
    )
    assert signed_in(producer).post(page).url == "/"


def test_a_refusal_stands_beside_its_field_and_what_was_typed_stays(
    signed_in: SignedIn, project: Project, producer: User
) -> None:
    client, address = signed_in(producer), people_page(project)
    form = nina(email="rita.reviewer@example.com", role="reviewer")
    answer = client.post(address, form)
    assert answer.status_code == 422
    assert "has that role in the project already" in text(answer)
    assert 'value="rita.reviewer@example.com"' in text(answer)
    answer = client.post(address, nina(name=""))
    assert "Give a name" in str(answer.context["form"].errors["name"])
    assert client.post(address, nina(email="nobody")).status_code == 422


def test_an_actor_who_becomes_a_member_reads_their_work_first(
    signed_in: SignedIn, project: Project, producer: User, actor: Actor
) -> None:
    actor_user = User.objects.get(actor=actor)
    client = signed_in(actor_user)
    assert client.get("/").url == "/me/"
    form = nina(email=actor_user.email, name="", role="reviewer")
    signed_in(producer).post(people_page(project), form)
    assert "The Harbour" in text(client.get("/"))


@pytest.mark.parametrize("page", ["/projects/new/", "people", "remove"])
def test_no_form_works_from_another_site(
    project: Project, producer: User, page: str
) -> None:
    seat = project.memberships.get(role=Role.REVIEWER)
    address = people_page(project)
    places = {"people": address, "remove": f"{address}{seat.id}/remove/"}
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(producer)
    assert strict.post(places.get(page, page), nina()).status_code == 403
    assert project.memberships.count() == 2


# A forgotten password


def ask(client: Client, email: str) -> Any:
    return client.post("/password/", {"email": email})


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann@example.com", "right horse", name="Ann")


def test_a_forgotten_password_is_set_anew_by_mail(client: Client, ann: User) -> None:
    assert 'href="/password/"' in text(client.get("/login/"))
    assert ask(client, " Ann@Example.com").url == "/password/sent/"
    assert set_password(client, link_in(mail.outbox[0])).url == "/"
    assert client.get("/").context["user"] == ann
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_who_never_had_a_password_gets_a_link_too(client: Client) -> None:
    User.objects.create_user("new@example.com", name="New")
    ask(client, "new@example.com")
    assert set_password(client, link_in(mail.outbox[0])).url == "/"


def test_nobody_learns_which_addresses_have_a_login(client: Client, ann: User) -> None:
    ann.is_active = False
    ann.save()
    for email in ("nobody@example.com", ann.email):
        assert ask(client, email).url == "/password/sent/"
    assert mail.outbox == []


def test_a_weak_password_and_two_that_differ_are_refused(
    client: Client, ann: User
) -> None:
    ask(client, ann.email)
    link = link_in(mail.outbox[0])
    assert set_password(client, link, "password").status_code == 422
    page = client.get(link, follow=True).redirect_chain[-1][0]
    form = {"new_password1": PASSWORD, "new_password2": "another"}
    assert client.post(page, form).status_code == 422
    ann.refresh_from_db()
    assert ann.check_password("right horse")


def test_a_mailbox_is_not_flooded_whether_or_not_it_has_a_login(
    client: Client, ann: User
) -> None:
    for email in (ann.email, "nobody@example.com"):
        for _ in range(MAILBOX.most):
            assert ask(client, email).status_code == 302
        answer = ask(client, email)
        assert answer.status_code == 429
        assert answer["Retry-After"]
        assert "Too many links" in text(answer)
    assert len(mail.outbox) == MAILBOX.most


def test_the_pages_and_the_mail_are_german_for_whom_reads_german(
    client: Client, ann: User
) -> None:
    german = {"HTTP_ACCEPT_LANGUAGE": "de"}
    assert "Ein neues Passwort" in text(client.get("/password/", **german))
    client.post("/password/", {"email": ann.email}, **german)
    (letter,) = mail.outbox
    assert letter.subject == "Ein neues Passwort für lipweb"
    assert "Das alte Passwort bleibt" in str(letter.body)
    page = text(client.get(link_in(letter), follow=True, **german))
    assert "Passwort festlegen" in page and "password" not in re.sub(
        "<[^>]*>", "", page
    )


def test_a_made_up_link_opens_nothing(client: Client, ann: User) -> None:
    page = client.get("/password/MQ/abc-def/")
    assert "too old" in text(page)
    assert 'type="password"' not in text(page)


def test_a_project_is_renamed_until_an_actor_is_invited(
    signed_in: SignedIn, producer: User, stranger: User, project: Project
) -> None:
    client = signed_in(producer)
    names = f"/projects/{project.id}/names/"
    assert f'href="{names}"' in text(client.get(people_page(project)))
    assert f'value="{project.name}"' in text(client.get(names))
    empty = client.post(names, {"name": "", "company": "Dune Films"})
    assert empty.status_code == 422
    done = client.post(names, {"name": "Dunes <2>", "company": "Dune Films"})
    assert done.url == people_page(project)
    assert "Dunes &lt;2&gt;" in text(client.get(done.url))
    assert signed_in(stranger).get(names).status_code == 404

    actor = Actor.objects.create(stage_name="Robin")
    project.castings.create(actor=actor, invited_by=producer)
    assert f'href="{names}"' not in text(client.get(people_page(project)))
    assert "consent is given to it" in text(client.get(names))
    late = client.post(names, {"name": "Other", "company": "Others"})
    assert late.status_code == 422
    project.refresh_from_db()
    assert project.name == "Dunes <2>"
