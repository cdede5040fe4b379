"""What a care plan wishes for messages: whole hours, sleep, telephones, and whose word counts before whose."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from carehub.access.v1 import access_pb2
from carehub.careplans.v1 import preferences_pb2

from services.messaging.convert import contact_to_proto, to_wish
from services.messaging.domain.contact import Channel, Contact, Means
from services.messaging.domain.hours import PERMITTED, Hours, touched_hours, whole_hours
from services.messaging.domain.message import Go, History, Message, Never, Person, Wait, decide
from services.messaging.domain.template import templates
from services.messaging.domain.wish import NOBODY, Wish

ONE, ZONE = UUID(int=1), "America/Chicago"
MEANS = Means(channels=frozenset(Channel), unknown_is_allowed=True)
SMS, EMAIL, VOICE = Channel.SMS, Channel.EMAIL, Channel.VOICE


def wish(**said):
    at = datetime(2026, 9, 1, tzinfo=UTC)
    return Wish(id=ONE, version=1, facility_id=ONE, patient_id=ONE, updated_at=at, **said)


def contact(said=None, **fields):
    return Contact(
        patient_id=ONE, told_phone="+12175550148", told_email="a@b.example", told_language="en",
        wish=said, **fields,
    )  # fmt: skip


def local(text):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def decided(one, at, *, template="appointment-1-day"):
    message = Message(
        id=ONE, facility_id=ONE, patient_id=ONE, template=template, due_at=at, until_at=at + timedelta(days=2), created_at=at,
        labels=("NORMAL",),
    )  # fmt: skip
    person = Person(contact=one, hours=Hours(zone=ZONE), history=History())
    return decide(message, templates()[template], person, MEANS, at)


def liked(one):
    return sorted(one.liked(Hours(zone=ZONE)).permitted)


@pytest.mark.parametrize(
    ("begin", "end", "whole", "touched"),
    [
        ("09:00", "12:00", [9, 10, 11], [9, 10, 11]),
        ("09:15", "12:30", [10, 11], [9, 10, 11, 12]),
        ("09:15", "09:45", [], [9]),
        ("09:45", "10:15", [], [9, 10]),
        ("22:30", "01:30", [0, 23], [0, 1, 22, 23]),
        ("23:15", "23:10", [*range(23)], [*range(24)]),
        ("09:00", "09:00", [], []),
        ("", "", [], []),
    ],
)
def test_a_wish_counts_by_whole_hours_and_sleep_by_every_hour_that_it_touches(
    begin, end, whole, touched
):
    assert sorted(whole_hours(begin, end)) == whole
    assert sorted(touched_hours(begin, end)) == touched


@pytest.mark.parametrize(
    ("said", "hours"),
    [
        ({"best_from": "09:15", "best_until": "12:30"}, [10, 11]),
        ({"best_from": "18:00", "best_until": "02:00"}, [18, 19, 20]),
        ({"best_from": "22:00", "best_until": "23:00"}, sorted(PERMITTED)),
        ({"best_from": "09:15", "best_until": "09:45"}, sorted(PERMITTED)),
        ({"sleeps_from": "07:30", "sleeps_until": "15:30"}, [16, 17, 18, 19, 20]),
        ({"sleeps_from": "10:00", "sleeps_until": "19:00"}, [8, 9, 19, 20]),
        ({"sleeps_from": "07:00", "sleeps_until": "22:00"}, sorted(PERMITTED)),
        (
            {
                "best_from": "14:00",
                "best_until": "18:00",
                "sleeps_from": "08:00",
                "sleeps_until": "16:00",
            },
            [16, 17],
        ),
        # What is best for them is asleep: they are not woken.
        (
            {
                "best_from": "09:00",
                "best_until": "12:00",
                "sleeps_from": "08:00",
                "sleeps_until": "16:00",
            },
            [16, 17, 18, 19, 20],
        ),
    ],
)
def test_of_the_permitted_hours_those_that_are_wished_for_and_none_of_sleep(said, hours):
    assert liked(contact(wish(**said))) == hours


def test_hours_that_people_wrote_here_come_before_those_of_the_care_plan_and_no_sleep_is_lost():
    said = wish(best_from="09:00", best_until="12:00", sleeps_from="13:00", sleeps_until="15:00")
    assert liked(contact(said)) == [9, 10, 11]
    assert liked(contact(said, best_from=14, best_until=17)) == [15, 16]
    assert liked(contact()) == sorted(PERMITTED)


def test_a_language_that_people_wrote_here_comes_before_the_wish_and_that_before_the_record():
    assert contact().speaks == "en"
    assert contact(wish()).speaks == "en"
    assert contact(wish(language="es")).speaks == "es"
    assert contact(wish(language="es"), language="fr").speaks == "fr"


@pytest.mark.parametrize(
    ("telephone", "channels"),
    [
        ("UNSPECIFIED", [SMS, EMAIL, VOICE]),
        ("CALLS_AND_TEXTS", [SMS, EMAIL, VOICE]),
        ("CALLS_ONLY", [EMAIL, VOICE]),
        ("NONE", [EMAIL]),
    ],
)
def test_a_telephone_gets_what_it_is_good_for_and_letters_go_on(telephone, channels):
    assert [way.channel for way in contact(wish(telephone=telephone)).ways()] == channels


def test_who_prefers_texts_gets_them_whatever_the_care_plan_says():
    one = contact(wish(telephone="NONE"), preferred_channel="sms")
    assert [way.channel for way in one.ways()] == [SMS, EMAIL]


def test_a_telephone_without_texts_is_no_refusal():
    one = replace(contact(wish(telephone="CALLS_ONLY"), consents={"sms": "ALLOWED"}), told_email="")
    assert one.consent(SMS) == "ALLOWED"
    no_calls = replace(MEANS, channels=frozenset({SMS}))
    assert one.way(no_calls) is None
    nowhere = replace(one, wish=wish(telephone="NONE"))
    gone = decided(nowhere, local("2026-09-07 10:00"))
    assert gone == Never("NO_ADDRESS")


def test_what_counts_waits_for_their_hours_and_an_answer_does_not():
    one = contact(wish(best_from="13:30", best_until="16:00"))
    asked = local("2026-09-07 10:05")
    assert decided(one, asked) == Wait(local("2026-09-07 14:00"))
    assert isinstance(decided(one, local("2026-09-07 15:59")), Go)
    assert decided(one, local("2026-09-07 16:00")) == Wait(local("2026-09-08 14:00"))
    assert isinstance(decided(one, asked, template="reply-text"), Go)
    asleep = contact(wish(sleeps_from="10:00", sleeps_until="19:00"))
    assert decided(asleep, asked) == Wait(local("2026-09-07 19:00"))
    assert isinstance(decided(asleep, local("2026-09-07 09:30")), Go)


def told(*labels, **fields):
    return preferences_pb2.Preferences(
        id=str(ONE), facility_id=str(ONE), patient_id=str(ONE), language="es",
        labels=[access_pb2.Label.Value(f"LABEL_{label}") for label in labels], **fields,
    )  # fmt: skip


def test_of_preferences_that_are_not_ordinary_nothing_is_kept_but_that_they_were():
    ordinary = to_wish(told("NORMAL", telephone=2, best_from="09:00", best_until="12:00"), 3)
    assert (ordinary.language, ordinary.telephone, ordinary.best) == ("es", "CALLS_ONLY", {9, 10, 11})  # fmt: skip
    for labels in (["PART2"], ["WITHHELD"], ["NORMAL", "SUD"], []):
        kept = to_wish(told(*labels, telephone=2, sleeps_from="09:00", sleeps_until="12:00"), 3)
        assert (kept.id, kept.version) == (ONE, 3)
        assert (kept.patient_id, kept.facility_id) == (NOBODY, NOBODY), labels
        assert (kept.language, kept.asleep, kept.has_no_texts) == ("", set(), False), labels


def test_a_telephone_that_only_a_later_version_knows_is_not_asked_for():
    assert to_wish(told("NORMAL", telephone=9), 1).telephone == "UNSPECIFIED"


@pytest.mark.parametrize("text", ["9:00", "24:00", "09:60", "noon"])
def test_a_time_of_day_that_is_none_is_not_readable(text):
    assert to_wish(told("NORMAL", best_from="09:00", best_until="12:00"), 1).is_readable
    assert not to_wish(told("NORMAL", best_from=text, best_until="12:00"), 1).is_readable


def test_people_see_what_the_care_plan_says_beside_what_counts():
    said = wish(language="es", telephone="CALLS_ONLY", best_from="09:00", best_until="12:00")
    shown = contact_to_proto(contact(said))
    assert shown.language == shown.wishes.language == "es"
    assert (shown.wishes.has_no_texts, shown.wishes.has_no_calls) == (True, False)
    assert (shown.wishes.best_from, shown.wishes.best_until) == ("09:00", "12:00")
    assert (shown.best_from_hour, shown.best_until_hour) == (0, 0)
    assert not contact_to_proto(contact()).HasField("wishes")
