"""A day of birth that somebody types is a day, or what is known of one."""

import pytest

from libs.chassis.errors import InvalidArgument
from services.registry.domain.patient import _check
from services.registry.domain.report import Person, PersonName

NAMED = (PersonName(family="Okafor", given=("Jane",)),)


@pytest.mark.parametrize("birth_on", ["", "1933", "1933-07", "1933-07-19", "2024-02-29"])
def test_what_is_known_of_a_day_is_taken(birth_on):
    _check(Person(names=NAMED, birth_on=birth_on))


@pytest.mark.parametrize(
    "birth_on", ["1933-19-07", "1933-13", "2023-02-29", "1933--1-01", "99999-01-01"]
)
def test_a_day_that_is_none_is_refused(birth_on):
    with pytest.raises(InvalidArgument) as refused:
        _check(Person(names=NAMED, birth_on=birth_on))
    assert refused.value.reason == "BIRTH_DATE_INVALID"


def test_a_day_that_a_facility_reported_does_not_stand_in_the_way_of_other_changes():
    reported = Person(names=NAMED, birth_on="1933-19-07")
    _check(reported, known=reported)
