"""What a STOP closes and a START opens: for who answers, and for others whom the same number reaches."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.messaging.domain.contact import Contact

NUMBER, OTHER = "+12175550148", "+12175550177"
ALLOWED, REFUSED, UNKNOWN = "ALLOWED", "REFUSED", "UNKNOWN"


def contact(sms=UNKNOWN, voice=UNKNOWN):
    return Contact(patient_id=UUID(int=1), told_phone=NUMBER, consents={"sms": sms, "voice": voice})


def of(one):
    return one.consents["sms"], one.consents["voice"]


@pytest.mark.parametrize("is_theirs", [False, True])
def test_start_opens_nothing_for_others_and_no_calls_for_anybody_that_people_refused(is_theirs):
    started = contact(REFUSED, REFUSED).stopped().started(is_theirs=is_theirs)
    assert of(started) == (ALLOWED if is_theirs else REFUSED, REFUSED)


@pytest.mark.parametrize("before", [(UNKNOWN, UNKNOWN), (ALLOWED, REFUSED), (REFUSED, ALLOWED)])
def test_start_gives_back_to_others_what_the_stop_of_the_number_closed(before):
    stopped = contact(*before).stopped()
    assert of(stopped) == (REFUSED, REFUSED)
    assert of(stopped.started(is_theirs=False)) == before
    assert stopped.started(is_theirs=False).stops == ()


def test_who_answers_start_allows_texts_and_has_calls_as_they_were():
    assert of(contact().stopped().started(is_theirs=True)) == (ALLOWED, UNKNOWN)
    assert of(contact().started(is_theirs=True)) == (ALLOWED, UNKNOWN)


def test_start_from_another_number_gives_nothing_back():
    moved = replace(contact(ALLOWED, ALLOWED).stopped(), phone=OTHER)
    assert moved.started(is_theirs=False) is moved
    started = moved.started(is_theirs=True)
    assert of(started) == (ALLOWED, REFUSED)
    assert [stop.channel for stop in started.stops] == ["voice"]


def test_stop_twice_and_start_twice_change_nothing_more():
    stopped = contact(ALLOWED).stopped()
    assert stopped.stopped() is stopped
    started = stopped.started(is_theirs=False)
    assert started.started(is_theirs=False) is started


def test_of_two_records_that_become_one_a_refusal_by_people_is_no_stop():
    stopped, refused = contact().stopped(), contact(REFUSED)
    for joined in (stopped.joined_by(refused), refused.joined_by(stopped)):
        assert of(joined) == (REFUSED, REFUSED)
        assert [stop.channel for stop in joined.stops] == ["voice"]
    assert contact().joined_by(stopped).stops == stopped.stops
