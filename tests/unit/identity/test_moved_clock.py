"""On a demo whose clock was moved: who has just confirmed who they are, has just done so."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

from libs.chassis import ids
from services.identity.convert.break_glass import to_person


def caller(authenticated_at):
    return SimpleNamespace(
        facilities=frozenset(),
        caller=SimpleNamespace(
            subject=uuid4(), roles={}, acr="2", authenticated_at=authenticated_at
        ),
    )


def test_a_second_factor_of_just_now_counts_by_the_hubs_clock(monkeypatch):
    monkeypatch.setattr(ids, "_ahead", lambda: timedelta(days=40))
    just_now = datetime.now(UTC) - timedelta(seconds=20)
    person = to_person(caller(just_now))
    assert person.authenticated_at == just_now + timedelta(days=40)
    assert to_person(caller(None)).authenticated_at is None
