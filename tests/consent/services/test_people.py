"""Making projects, adding people and letting them go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail

from consent.errors import ConsentError, NotAllowed
from consent.models import LedgerEntry, Membership, Project, Role
from consent.services.people import (
    member_add,
    member_remove,
    project_create,
    project_rename,
)
from tests.consent.conftest import Cast, new_user

Add = Callable[..., Membership]
Callbacks = Callable[..., Any]


@pytest.fixture
def operator(db: None) -> Any:
    olga = new_user("olga")
    olga.is_staff = True
    olga.save()
    return olga


@pytest.fixture
def add(cast: Cast) -> Add:
    """add(**changes) adds a new reviewer to the project, but for the changes."""

    def make(**changes: Any) -> Membership:
        usual = {
            "project": cast.project,
            "email": "Nina@Example.com ",
            "name": "Nina New",
            "role": Role.REVIEWER,
            "acting_user": cast.producer,
        }
        return member_add(**(usual | changes))

    return make


def code_of(refused: pytest.ExceptionInfo[ConsentError]) -> str:
    return refused.value.code


def seat(cast: Cast, user: Any) -> Membership:
    return cast.project.memberships.get(user=user)


def test_an_operator_makes_a_project_and_produces_it(operator: Any) -> None:
    made = project_create(name=" Dunes ", company="Dune Films", acting_user=operator)
    assert (made.name, made.company) == ("Dunes", "Dune Films")
    assert made.memberships.get().role == Role.PRODUCER
    logged = list(LedgerEntry.objects.about(str(made.id)))
    assert [entry.kind for entry in logged] == ["project-created", "member-added"]
    assert logged[1].payload == {
        "project": str(made.id),
        "user": operator.pk,
        "role": "producer",
    }


def test_a_project_is_renamed_by_who_leads_it_and_the_old_name_stays_on_record(
    operator: Any, cast: Cast
) -> None:
    made = project_create(name="Duns", company="Dune", acting_user=operator)
    right = {"name": " Dunes", "company": "Dune Films"}
    for user in (cast.producer, cast.stranger):
        with pytest.raises(NotAllowed):
            project_rename(project=made, **right, acting_user=user)
    project_rename(project=made, **right, acting_user=operator)
    made.refresh_from_db()
    assert (made.name, made.company) == ("Dunes", "Dune Films")
    logged = LedgerEntry.objects.about(str(made.id)).last()
    assert logged.kind == "project-renamed"
    assert logged.payload["before"] == {"name": "Duns", "company": "Dune"}
    for wrong in ({"name": " "}, {"company": "x" * 161}, {"name": "two\nlines"}):
        with pytest.raises(ConsentError):
            project_rename(project=made, **(right | wrong), acting_user=operator)
    made.refresh_from_db()
    assert made.name == "Dunes"


def test_a_name_that_an_actor_has_read_stays(cast: Cast) -> None:
    assert cast.project.castings.exists()
    before = cast.project.name
    with pytest.raises(ConsentError) as refused:
        project_rename(
            project=cast.project,
            name="Another film",
            company="Others",
            acting_user=cast.producer,
        )
    assert code_of(refused) == "name-in-use"
    cast.project.refresh_from_db()
    assert cast.project.name == before


def test_a_producer_makes_another_project_and_nobody_else_any(cast: Cast) -> None:
    names = {"name": "Dunes", "company": "Dune Films"}
    assert project_create(**names, acting_user=cast.producer).memberships.count() == 1
    for user in (cast.reviewer, cast.actor_user, cast.stranger):
        with pytest.raises(NotAllowed):
            project_create(**names, acting_user=user)
    assert Project.objects.count() == 2


def test_a_closed_operators_login_may_do_nothing(operator: Any) -> None:
    operator.is_active = False
    operator.save()
    with pytest.raises(NotAllowed):
        project_create(name="Dunes", company="Dune Films", acting_user=operator)


@pytest.mark.parametrize(
    ("name", "code"),
    [(" ", "name-missing"), ("x" * 161, "name-too-long"), ("a\nb", "name-wrong")],
)
def test_a_projects_names_are_checked(operator: Any, name: str, code: str) -> None:
    for names in ((name, "Dune Films"), ("Dunes", name)):
        with pytest.raises(ConsentError) as refused:
            project_create(name=names[0], company=names[1], acting_user=operator)
        assert code_of(refused) == code
    assert not Project.objects.exists() and not LedgerEntry.objects.exists()


def test_a_new_person_gets_a_login_without_a_password(
    add: Add, django_capture_on_commit_callbacks: Callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        nina = add().user
    assert (nina.email, nina.name) == ("nina@example.com", "Nina New")
    assert not nina.has_usable_password()
    (letter,) = mail.outbox
    assert letter.to == ["nina@example.com"]
    assert "/password/" in str(letter.body) and "as a reviewer" in str(letter.body)


def test_a_login_that_is_there_is_used_and_keeps_its_name(
    cast: Cast, add: Add, django_capture_on_commit_callbacks: Callbacks
) -> None:
    cast.actor_user.set_password("own horse 4")
    cast.actor_user.save()
    with django_capture_on_commit_callbacks(execute=True):
        made = add(email=cast.actor_user.email, name="Other", role=Role.PRODUCER)
    cast.actor_user.refresh_from_db()
    assert made.user == cast.actor_user
    assert cast.actor_user.name == "Robin"
    assert cast.actor_user.check_password("own horse 4")
    (letter,) = mail.outbox
    assert "/password/" not in str(letter.body) and "as a producer" in str(letter.body)


def test_the_ledger_keeps_ids_and_no_names(cast: Cast, add: Add) -> None:
    made = add()
    member_remove(project=cast.project, membership=made, acting_user=cast.producer)
    logged = list(LedgerEntry.objects.about(str(cast.project.id)))
    assert [entry.kind for entry in logged] == ["member-added", "member-removed"]
    for entry in logged:
        assert entry.payload["user"] == made.user_id
        assert b"ina" not in bytes(entry.content).lower()


def test_only_its_producers_and_operators_change_a_projects_people(
    cast: Cast, add: Add, operator: Any
) -> None:
    rival = new_user("otto")
    other = Project.objects.create(name="Other", company="Other")
    other.memberships.create(user=rival, role=Role.PRODUCER)
    for user in (cast.reviewer, cast.actor_user, cast.stranger, rival):
        with pytest.raises(NotAllowed):
            add(acting_user=user)
        with pytest.raises(NotAllowed):
            member_remove(
                project=cast.project,
                membership=seat(cast, cast.reviewer),
                acting_user=user,
            )
    assert not get_user_model().objects.filter(email="nina@example.com").exists()
    made = add(acting_user=operator)
    member_remove(project=cast.project, membership=made, acting_user=operator)
    assert cast.project.memberships.count() == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"email": "nobody"}, "address-wrong"),
        ({"email": "a\nb@example.com"}, "address-wrong"),
        ({"email": "x" * 250 + "@example.com"}, "address-wrong"),
        ({"email": "rita@example.com"}, "already-member"),
        ({"name": ""}, "name-missing"),
        ({"name": "x" * 121}, "name-too-long"),
        ({"role": "actor"}, "role-wrong"),
    ],
)
def test_what_cannot_be_added_is_refused_in_words(
    cast: Cast, add: Add, changes: dict[str, str], code: str
) -> None:
    with pytest.raises(ConsentError) as refused:
        add(**changes)
    assert code_of(refused) == code
    assert refused.value.sentence.endswith(".")
    assert cast.project.memberships.count() == 2
    assert not get_user_model().objects.filter(name__startswith="Nina").exists()


def test_a_closed_login_is_not_added(cast: Cast, add: Add) -> None:
    cast.stranger.is_active = False
    cast.stranger.save()
    with pytest.raises(ConsentError) as refused:
        add(email=cast.stranger.email)
    assert code_of(refused) == "login-closed"


def test_the_last_producer_stays_whoever_asks(
    cast: Cast, add: Add, operator: Any
) -> None:
    last = seat(cast, cast.producer)
    for user in (cast.producer, operator):
        with pytest.raises(ConsentError) as refused:
            member_remove(project=cast.project, membership=last, acting_user=user)
        assert code_of(refused) == "last-producer"
    add(role=Role.PRODUCER)
    member_remove(project=cast.project, membership=last, acting_user=cast.producer)
    assert [one.user.name for one in cast.project.memberships.filter(role="producer")]
    with pytest.raises(NotAllowed):
        add(email="late@example.com")


def test_nobody_is_removed_twice_nor_by_way_of_another_project(
    cast: Cast, operator: Any
) -> None:
    other = project_create(name="Other", company="Other", acting_user=operator)
    going = seat(cast, cast.reviewer)
    with pytest.raises(ConsentError) as refused:
        member_remove(project=other, membership=going, acting_user=operator)
    assert code_of(refused) == "not-a-member"
    member_remove(project=cast.project, membership=going, acting_user=operator)
    going.pk = 10**6
    with pytest.raises(ConsentError):
        member_remove(project=cast.project, membership=going, acting_user=operator)


def test_a_dead_mail_server_keeps_nobody_out(
    add: Add,
    django_capture_on_commit_callbacks: Callbacks,
    settings: Any,
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with django_capture_on_commit_callbacks(execute=True):
        made = add()
    assert Membership.objects.filter(pk=made.pk).exists()
