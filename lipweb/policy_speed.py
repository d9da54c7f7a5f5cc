"""How long the consent policy takes to answer, among many grants."""

from __future__ import annotations

import statistics
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from consent.models import Actor, Grant, LedgerEntry, Membership, Project, Role
from consent.policy import Use, verify
from consent.record import GrantTerms
from consent.services.actors import actor_create
from consent.services.grants import grant_propose
from consent.services.software import software_grant_sign, software_passkey_enrol
from lipweb.models import User


class Speed(NamedTuple):
    """Milliseconds for one question: by the clock, the median and the 95th percentile,
    and of this process's own work; and for a bare SELECT 1, which tells how busy the
    machine was."""

    grants: int
    median_ms: float
    p95_ms: float
    own_work_ms: float
    round_trip_ms: float


class _UndoneAtTheEndError(Exception):
    """Rolls back everything that was made for measuring."""


def policy_measure(*, grants: int = 10_000, asked: int = 40, rounds: int = 5) -> Speed:
    """Ask the policy about signed grants among so many others, in the current
    database, and leave nothing there. Nobody else can write to the ledger meanwhile.

    Each question is asked anew in each round, nothing is kept in between."""
    try:
        with transaction.atomic():
            uses = list(_signed_uses(asked))
            _crowd(grants)
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
            found = _timed(uses, rounds)
            raise _UndoneAtTheEndError
    except _UndoneAtTheEndError:
        return found


def _timed(uses: list[Use], rounds: int) -> Speed:
    clock_ms, work_ms = [], []
    for _ in range(rounds):
        for use in uses:
            began, worked = time.perf_counter(), time.process_time()
            verify(use)
            clock_ms.append((time.perf_counter() - began) * 1000)
            work_ms.append((time.process_time() - worked) * 1000)
    return Speed(
        grants=Grant.objects.count(),
        median_ms=statistics.median(clock_ms),
        p95_ms=statistics.quantiles(clock_ms, n=20)[-1],
        own_work_ms=statistics.median(work_ms),
        round_trip_ms=statistics.median(_round_trips(len(clock_ms))),
    )


def _round_trips(count: int) -> Iterator[float]:
    with connection.cursor() as cursor:
        for _ in range(count):
            began = time.perf_counter()
            cursor.execute("SELECT 1")
            cursor.fetchone()
            yield (time.perf_counter() - began) * 1000


def _signed_uses(count: int) -> Iterator[Use]:
    """As many productions with one signed grant each, and the use each allows."""
    producer = User.objects.create_user(f"{uuid.uuid4()}@example.com", name="Producer")
    user = User.objects.create_user(f"{uuid.uuid4()}@example.com", name="Actor")
    actor, authenticator = None, None
    now = timezone.now().replace(microsecond=0)
    for _ in range(count):
        project = Project.objects.create(name="Measured", company="Nobody")
        Membership.objects.create(project=project, user=producer, role=Role.PRODUCER)
        if actor is None:
            actor = actor_create(
                project=project,
                stage_name="Nobody",
                legal_name="Nobody",
                acting_user=producer,
                user=user,
            )
            authenticator = software_passkey_enrol(actor=actor, acting_user=user)
        else:
            actor.castings.create(project=project, invited_by=producer)
        grant = grant_propose(
            project=project,
            actor=actor,
            terms=GrantTerms(
                languages=("es",),
                territories=("worldwide",),
                media=("cinema",),
                starts_at=now - timedelta(days=1),
                ends_at=now + timedelta(days=90),
                inference=True,
            ),
            acting_user=producer,
        )
        if authenticator is not None:
            software_grant_sign(
                grant=grant, authenticator=authenticator, acting_user=user
            )
        yield Use(
            actor_id=actor.id,
            project_id=project.id,
            scene_sha256="5c" * 32,
            language="es",
            purpose="inference",
            territory="MX",
            medium="cinema",
            moment=now,
        )


def _crowd(count: int) -> None:
    """Other people's grants, and the ledger's rows on them, as many of each."""
    sample = Grant.objects.filter(signed_at__isnull=False).order_by("-signed_at")[0]
    entry = LedgerEntry.objects.filter(kind="grant-signed").order_by("-index")[0]
    people = [Actor(stage_name="Other", legal_name="Other") for _ in range(100)]
    Actor.objects.bulk_create(people)
    rows, entries = [], []
    for number in range(count):
        row = Grant(
            actor=people[number % 100],
            project=sample.project,
            record=sample.record,
            canonical=sample.canonical,
            shown_text=sample.shown_text,
            credential=sample.credential,
            authenticator_data=sample.authenticator_data,
            client_data_json=sample.client_data_json,
            signature=sample.signature,
            signed_at=sample.signed_at,
            proposed_by_id=sample.proposed_by_id,
        )
        rows.append(row)
        entries.append(
            LedgerEntry(
                index=entry.index + 10**9 + number,
                kind=entry.kind,
                subject=str(row.id),
                content=entry.content,
                leaf_hash=entry.leaf_hash,
                peaks=entry.peaks,
                at=entry.at,
            )
        )
    Grant.objects.bulk_create(rows, batch_size=500)
    LedgerEntry.objects.bulk_create(entries, batch_size=500)
