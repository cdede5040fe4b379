"""Which visits a minor decides about alone, by age at the visit and by what it is about."""

from datetime import UTC, datetime

import pytest

from services.registry.domain.labels import Label
from services.registry.domain.minors import (
    JURISDICTION,
    MINORS_OWN,
    STRICTEST,
    is_minors_own,
    minors_own,
)

VISIT = datetime(2026, 6, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("labels", "born_on", "expected"),
    [
        ({Label.MENTAL_HEALTH}, "2012-01-01", True),
        ({Label.SUD}, "2012-01-01", True),
        ({Label.PART2}, "2012-01-01", True),
        ({Label.HIV, Label.VIOLENCE}, "2012-01-01", True),
        ({Label.STD}, "2012-01-01", True),
        ({Label.REPRODUCTIVE}, "2012-01-01", True),
        ({Label.NORMAL}, "2012-01-01", False),
        ({Label.GENETIC}, "2012-01-01", False),
        ({Label.VIOLENCE}, "2012-01-01", False),
        ({Label.WITHHELD}, "2012-01-01", False),
        # The 12th and the 18th birthday, to the day.
        ({Label.STD}, "2014-06-30", True),
        ({Label.STD}, "2014-07-01", False),
        ({Label.STD}, "2008-07-01", True),
        ({Label.STD}, "2008-06-30", False),
        # Who is older now was a minor then, and who was not born cannot have decided.
        ({Label.STD}, "1980-04-30", False),
        ({Label.STD}, "2027-01-01", False),
        # Not a whole day: guarded as a teenager by the decider until it is known.
        ({Label.STD}, "", False),
        ({Label.STD}, "2012", False),
        ({Label.STD}, "2012-13-40", False),
    ],
)
def test_a_minor_decides_alone_about_some_visits(labels, born_on, expected):
    assert is_minors_own(labels, born_on, VISIT) is expected


def test_born_on_a_leap_day_one_is_of_age_on_the_first_of_march():
    def on(day):
        return is_minors_own({Label.STD}, "2008-02-29", datetime(2026, *day, tzinfo=UTC))

    assert on((2, 28))
    assert not on((3, 1))


def test_where_nobody_has_looked_up_the_law_a_minor_of_any_age_decides_alone():
    assert minors_own("ZZ", VISIT.date()) is STRICTEST
    assert is_minors_own({Label.STD}, "2020-01-01", VISIT, "ZZ")
    assert not is_minors_own({Label.STD}, "2020-01-01", VISIT)
    assert not is_minors_own({Label.NORMAL}, "2020-01-01", VISIT, "ZZ")


def test_before_the_first_entry_of_a_place_that_one_counts():
    first = minors_own(JURISDICTION, datetime(1999, 1, 1, tzinfo=UTC).date())
    assert first is MINORS_OWN[0]


def test_every_entry_names_its_source_and_only_labels_that_hide():
    for entry in (*MINORS_OWN, STRICTEST):
        assert entry.source
        assert Label.NORMAL not in entry.categories
        assert entry.from_age < entry.until_age
