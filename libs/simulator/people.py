"""The people of the region: households, names, languages, insurance, conditions, and the numbers facilities gave them."""

import random
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import accumulate, count
from zlib import crc32

from libs.simulator.conditions import CONDITIONS
from libs.simulator.names import TONGUES, Tongue
from libs.simulator.places import DEMO_FEEDS, STREETS, TOWNS, Site, Town, sites

# People of five-year age groups, from newborns to those past ninety; older than a country, as a hospital's people are.
_AGES = (3, 3, 3, 3, 4, 4.5, 5, 5, 5, 5, 6, 7, 8, 9, 9, 8, 6, 4, 2.5)
_TONGUE_WEIGHTS = tuple(accumulate(tongue.weight for tongue in TONGUES))
_TOWN_WEIGHTS = tuple(accumulate(town.weight for town in TOWNS))
_SIZES = (1, 2, 3, 4, 5)
_SIZE_WEIGHTS = tuple(accumulate((30, 36, 14, 13, 7)))
_SECOND_SITE = 0.22
_ODD_SPELLING = 0.35
_PRIME = 999_983
# What somebody's age is counted to, so that the same seed gives the same people on any day.
BORN_BEFORE = date(2026, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """How one site knows somebody: its number, and the name and birth date as they were typed there."""

    site: Site
    mrn: str
    family: str
    given: str
    middle: str = ""
    birth_on: date
    # The number of the insurance card, where the site writes it down.
    insurance: str = ""
    # A second number at one site. Only a merge can tell whose it is.
    is_mistake: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody as they are. A person who moves, marries or dies is replaced."""

    id: int
    tongue: Tongue
    family: str
    given: str
    middle: str
    sex: str
    birth_on: date
    street: str
    unit: str
    town: Town
    phone: str
    speaks: str
    email: str
    payer: str
    insurance: str
    conditions: tuple[str, ...]
    kin: str
    registrations: tuple[Registration, ...] = ()
    is_deceased: bool = False
    died_at: datetime | None = None
    # A second number was given by mistake; such a person goes nowhere else, so that who is who stays certain.
    has_duplicate: bool = False

    @property
    def burden(self) -> float:
        """How many times more often than a healthy young adult this person comes to a hospital."""
        age = (BORN_BEFORE - self.birth_on).days / 365.25
        product = 1.0 + max(age - 40, 0) / 16
        for condition in CONDITIONS:
            if condition.code in self.conditions:
                product *= condition.burden
        return min(product, 40.0)

    def at(self, site: Site) -> Registration | None:
        return next((r for r in self.registrations if r.site is site), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Everybody, and the sites that they go to."""

    seed: str
    sites: tuple[Site, ...]
    people: tuple[Person, ...]

    @classmethod
    def build(
        cls, seed: int | str = 1, people: int = 5000, feeds: Sequence[str] = DEMO_FEEDS
    ) -> "Region":
        chosen = sites(tuple(feeds))
        made = Census(str(seed), chosen).people(people)
        return cls(seed=str(seed), sites=chosen, people=tuple(made))

    def days_for(self, events: int) -> float:
        """In how many days so many events happen at intensity 1; rather a little more."""
        rates = [site.rates for site in self.sites]
        a_day = sum(
            3 * r.emergency + 4 * r.inpatient + 4 * r.elective + 1.5 * r.outpatient for r in rates
        )
        return 7 + 1.3 * events / a_day

    def newcomers(self) -> "Census":
        """Who moves in later, with numbers after everybody's."""
        return Census(self.seed, self.sites, after=len(self.people))


def spelled(text: str) -> str:
    """A name without accents, case and punctuation: two spellings of which this is the same are one name."""
    decomposed = unicodedata.normalize("NFKD", text.replace("'", ""))
    letters = (c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    return " ".join("".join(letters).casefold().split())


def register(person: Person, site: Site, mrn: str, chance: random.Random) -> Registration:
    """Give somebody a number at a site. At a second one the name may be typed a little differently."""
    family, given, birth_on = person.family, person.given, person.birth_on
    if person.registrations and chance.random() < _ODD_SPELLING:
        family, given, birth_on = _misspelled(person, chance)
    return Registration(
        site=site,
        mrn=mrn,
        family=written(family, site),
        given=written(given, site),
        middle=written(person.middle, site),
        birth_on=birth_on,
        insurance=person.insurance if site.habits.says_insurance else "",
    )


def written(text: str, site: Site) -> str:
    """A name as the site's system can hold it: outside of its characters, only the letters below the accents."""
    charset = site.habits.charset
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return "".join(_letter(letter, charset) for letter in text)
    return text


def _letter(letter: str, charset: str) -> str:
    if letter.encode(charset, "ignore"):
        return letter
    plain = _PLAIN.get(letter) or unicodedata.normalize("NFKD", letter)
    return plain.encode(charset, "ignore").decode(charset)


_PLAIN = {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ơ": "o", "ư": "u"}


def _misspelled(person: Person, chance: random.Random) -> tuple[str, str, date]:
    """A clerk's version of somebody: an accent left out, letters swapped, a family name missing, day and month turned."""
    family, given, birth_on = person.family, person.given, person.birth_on
    kind = chance.randrange(6)
    if kind == 0 and person.tongue.has_two_families:
        family = family.rpartition(" ")[0] or family
    elif kind == 1:
        given = _swapped(given, chance)
    elif kind == 2 and birth_on.day <= 12 and birth_on.day != birth_on.month:
        birth_on = birth_on.replace(month=birth_on.day, day=birth_on.month)
    elif kind == 3:
        family = _swapped(family, chance)
    else:
        decomposed = unicodedata.normalize("NFKD", family)
        family = "".join(c for c in decomposed if not unicodedata.combining(c)).replace("-", " ")
    return family, given, birth_on


def _swapped(word: str, chance: random.Random) -> str:
    places = [at for at in range(1, len(word) - 1) if word[at : at + 2].isalpha()]
    if not places:
        return word + word[-1]
    at = chance.choice(places)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


class Census:
    """Makes people, household by household, from one seed."""

    def __init__(self, seed: str, chosen: tuple[Site, ...], after: int = 0) -> None:
        self._chance = random.Random(f"{seed}|people|{after}")  # noqa: S311 - repeatable, not secret
        self._tag = 100 + crc32(seed.encode()) % 900
        self._sites = chosen
        self._serial = count(after + 1)
        self._known: set[tuple[str, str, date]] = set()

    def people(self, wanted: int) -> Iterator[Person]:
        while True:
            for person in self._household():
                yield person
                wanted -= 1
                if wanted <= 0:
                    return

    def successor(self, person: Person) -> Person:
        """Somebody else, of any age and origin, who moves in where a person has died and goes to the same sites."""
        tongue = self._chance.choices(TONGUES, cum_weights=_TONGUE_WEIGHTS)[0]
        made = self._member(tongue, self._family(tongue), 0)
        made = replace(
            made, street=person.street, unit=person.unit, town=person.town, phone=person.phone
        )
        for known in person.registrations:
            made = self._at_site(made, known.site)
        return made

    def _household(self) -> list[Person]:
        chance = self._chance
        tongue = chance.choices(TONGUES, cum_weights=_TONGUE_WEIGHTS)[0]
        town = self._town()
        size = chance.choices(_SIZES, cum_weights=_SIZE_WEIGHTS)[0]
        street = f"{chance.randrange(1, 990)} {chance.choice(STREETS)}"
        unit = f"Apt {chance.randrange(1, 40)}" if chance.random() < 0.25 else ""
        phone = f"{town.area_code}55501{chance.randrange(100):02}"
        family = self._family(tongue)
        members: list[Person] = []
        for index in range(size):
            person = self._member(tongue, family, index)
            person = replace(person, street=street, unit=unit, town=town, phone=phone)
            members.append(self._registered(person))
        return [self._with_kin(person, members) for person in members]

    def _town(self) -> Town:
        served = {name for site in self._sites for name in site.towns}
        while True:
            town = self._chance.choices(TOWNS, cum_weights=_TOWN_WEIGHTS)[0]
            if town.name in served:
                return town

    def _family(self, tongue: Tongue) -> str:
        if not tongue.has_two_families:
            return self._chance.choice(tongue.families)
        return " ".join(self._chance.sample(tongue.families, 2))

    def _member(self, tongue: Tongue, family: str, index: int) -> Person:
        """One of a household: the first two grown up, the others younger or much older."""
        chance = self._chance
        while True:
            sex = chance.choice("FM")
            given = chance.choice(tongue.women if sex == "F" else tongue.men)
            birth_on = self._birth(is_adult=index < 2)
            if (spelled(family), spelled(given), birth_on) not in self._known:
                self._known.add((spelled(family), spelled(given), birth_on))
                break
        number = next(self._serial)
        age = (BORN_BEFORE - birth_on).days // 365
        payer = self._payer(age)
        middle = chance.choice(tongue.middles) if tongue.middles and chance.random() < 0.6 else ""
        english = tongue.code == "en" or (age < 60 and chance.random() < 0.55)
        return Person(
            id=number,
            tongue=tongue,
            family=family,
            given=given,
            middle=middle,
            sex=sex,
            birth_on=birth_on,
            street="",
            unit="",
            town=TOWNS[0],
            phone="",
            speaks="en" if english else tongue.code,
            email=f"person{number}@mail.example" if chance.random() < 0.4 else "",
            payer=payer,
            insurance=self._card(payer),
            conditions=tuple(self._conditions(age)),
            kin="",
        )

    def _birth(self, *, is_adult: bool) -> date:
        while True:
            group = self._chance.choices(range(len(_AGES)), _AGES)[0]
            if group >= 4 or not is_adult:
                return BORN_BEFORE - timedelta(
                    days=int((group * 5 + self._chance.random() * 5) * 365.25) + 1
                )

    def _payer(self, age: int) -> str:
        draw = self._chance.random()
        if age >= 65:
            return "MEDICARE" if draw < 0.93 else "COMMERCIAL"
        if draw < 0.2:
            return "MEDICAID"
        return "COMMERCIAL" if draw < 0.9 else "SELF"

    def _card(self, payer: str) -> str:
        """An insurance number of a shape that nobody has: a Medicare number never begins with 0."""
        chance = self._chance
        digits = f"{chance.randrange(10**9):09}"
        letters = "ACDEFGHJKMNPQRTUVWXY"
        if payer == "MEDICARE":
            return f"0{chance.choice(letters)}{digits[:1]}{digits[1]}{chance.choice(letters)}{digits[2:4]}{chance.choice(letters)}{chance.choice(letters)}{digits[4:6]}"
        return f"Z{digits}" if payer == "MEDICAID" else ""

    def _conditions(self, age: int) -> Iterator[str]:
        band = 0 if age < 40 else 1 if age < 65 else 2 if age < 80 else 3
        for condition in CONDITIONS:
            if self._chance.random() * 100 < condition.shares[band]:
                yield condition.code

    def _registered(self, person: Person) -> Person:
        """With a number at a site nearby, and sometimes at another."""
        near = [site for site in self._sites if person.town.name in site.towns]
        first = self._chance.choice(near)
        chosen = [first]
        others = [site for site in near if site is not first] or [
            site for site in self._sites if site is not first and site.is_hospital
        ]
        if others and self._chance.random() < _SECOND_SITE:
            chosen.append(self._chance.choice(others))
        for site in chosen:
            person = self._at_site(person, site)
        return person

    def _at_site(self, person: Person, site: Site) -> Person:
        number = register(person, site, self._mrn(person, site), self._chance)
        return replace(person, registrations=(*person.registrations, number))

    def _mrn(self, person: Person, site: Site) -> str:
        """A number that looks as if it were given in order of arrival, and is nobody else's at this site."""
        serial = (person.id * 7919 + crc32(site.key.encode())) % _PRIME
        return f"{self._tag}{serial:06}"

    def _with_kin(self, person: Person, members: list[Person]) -> Person:
        kin = next((m for m in members if m.id != person.id and m.birth_on.year < 2006), None)
        return replace(person, kin=f"{kin.given} {kin.family}" if kin else "")
