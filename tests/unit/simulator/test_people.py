"""The region's people: the same for a seed, plausible together, and nobody who exists."""

import time
from collections import Counter

import pytest

from libs.simulator.people import Region, spelled, written
from libs.simulator.places import SITES, sites


def everywhere(seed=1, people=3000):
    return Region.build(seed, people, [site.key for site in SITES])


def test_a_seed_is_a_region():
    assert everywhere(people=500) == everywhere(people=500)
    assert everywhere(people=500).people[:100] == everywhere(people=100).people
    assert everywhere(seed=2, people=100).people != everywhere(people=100).people


def test_five_thousand_people_are_there_in_a_moment():
    began = time.process_time()
    assert len(Region.build(1).people) == 5000
    assert time.process_time() - began < 3


def test_they_come_from_everywhere_and_live_in_households():
    people = everywhere().people
    languages = Counter(person.speaks for person in people)
    assert languages["en"] > languages["es"] > 100
    assert len(languages) >= 10
    homes = Counter((person.street, person.unit, person.phone) for person in people)
    assert len(homes) < len(people) * 0.6
    assert sum(not (p.family + p.given).isascii() for p in people) > 200
    assert any("-" in p.family for p in people)
    assert any(" " in p.family for p in people)


def test_telephone_numbers_are_those_of_fiction_and_cards_those_of_nobody():
    for person in everywhere().people:
        assert person.phone[3:8] == "55501"
        assert not person.email or person.email.endswith("@mail.example")
        assert person.payer != "MEDICARE" or person.insurance.startswith("0")


def test_the_old_have_more_conditions_than_the_young():
    people = everywhere().people
    old = [p for p in people if p.birth_on.year < 1950]
    young = [p for p in people if p.birth_on.year > 1990]
    assert 0.1 < _share(old, "I50.9") < 0.25
    assert _share(young, "I50.9") < 0.02
    assert sum(p.burden for p in old) / len(old) > 3 * sum(p.burden for p in young) / len(young)


def _share(people, code):
    return sum(code in person.conditions for person in people) / len(people)


def test_numbers_are_one_persons_at_a_site_and_differ_between_sites():
    people = everywhere().people
    numbers = [(r.site.key, r.mrn) for person in people for r in person.registrations]
    assert len(numbers) == len(set(numbers))
    twice = [p for p in people if len(p.registrations) == 2]
    assert 0.1 < len(twice) / len(people) < 0.3
    assert all(p.registrations[0].mrn != p.registrations[1].mrn for p in twice)
    odd = [
        p
        for p in twice
        if p.registrations[1].family != p.family or p.registrations[1].given != p.given
    ]
    assert 0.1 < len(odd) / len(twice) < 0.4


def test_no_two_people_have_name_and_birth_date_in_common():
    people = everywhere().people
    assert len({(spelled(p.family), spelled(p.given), p.birth_on) for p in people}) == len(people)


@pytest.mark.parametrize(
    ("name", "latin"),
    [("Muñoz", "Muñoz"), ("Wójcik", "Wójcik"), ("Błaszczyk", "Blaszczyk"), ("Nguyễn", "Nguyen")],
)
def test_a_system_without_unicode_keeps_the_letters_that_it_can(name, latin):
    (pine,) = sites(("PINECREEK",))
    assert written(name, pine) == latin


def test_a_site_that_does_not_exist_is_an_error():
    with pytest.raises(KeyError):
        Region.build(1, 10, ["NOWHERE"])
