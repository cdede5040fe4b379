"""Worlds and questions by chance, from a seed: many facts at once, which the matrix never has.

Few names, few instants and few labels, so that facts meet, collide and end at the same moment.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import TypeVar

from tests.reference.facts import (
    CLASSES,
    EXCEPTIONS,
    LABELS,
    PURPOSES,
    Agreement,
    Consent,
    Glass,
    Hold,
    Membership,
    Network,
    Patient,
    Proxy,
    Question,
    Referral,
    Registration,
    Treatment,
    World,
    words,
)
from tests.reference.terms import birthday

T = TypeVar("T")

ORGANIZATION_OF = {"a1": "a", "a2": "a", "b1": "b", "b2": "b", "c1": "c"}
FACILITIES = [*ORGANIZATION_OF, "lost"]
ORGANIZATIONS = ["a", "b", "c", "outside"]
PERSONS = ["self", "mother", "nurse", "doctor"]
TEAMS = ["team", "ward"]
NOON = datetime(2026, 7, 1, tzinfo=UTC)
# Days around which everything begins and ends; some facts differ by minutes, some meet to the microsecond.
INSTANTS = [NOON + timedelta(days=days) for days in (-900, -60, -30, -1, 0, 1, 30, 60)]
INSTANTS += [NOON + timedelta(minutes=minutes) for minutes in (-60, -6, -5, 55)]
BIRTHS = [
    date(1980, 2, 29), date(2008, 7, 1), date(2008, 7, 2), date(2014, 7, 1), date(2014, 6, 30),
    date(2008, 2, 29), date(2020, 1, 1), date(2026, 6, 30), None,
]  # fmt: skip


def chance_of(rng: Random, chance: float) -> bool:
    return rng.random() < chance


def some(rng: Random, among: Sequence[str] | frozenset[str], most: int) -> frozenset[str]:
    return frozenset(rng.sample(sorted(among), rng.randint(0, min(most, len(among)))))


def many(rng: Random, among: frozenset[str]) -> frozenset[str]:
    """All of them mostly, else a few; now and then none."""
    return among if chance_of(rng, 0.6) else some(rng, among, 4)


def maybe(rng: Random, value: T, chance: float = 0.5) -> T | None:
    return value if chance_of(rng, chance) else None


def begin(rng: Random) -> datetime:
    return rng.choice(INSTANTS[:5]) if chance_of(rng, 0.7) else rng.choice(INSTANTS)


def end(rng: Random) -> datetime | None:
    return maybe(rng, rng.choice(INSTANTS[4:8] if chance_of(rng, 0.8) else INSTANTS), 0.6)


def world(rng: Random) -> World:
    jurisdiction = rng.choice(["US"] * 6 + ["US-STRICT"] * 3 + ["nowhere"])
    born_on = rng.choice(BIRTHS)
    made = World(
        Patient("patient", born_on, maybe(rng, "self", 0.8), chance_of(rng, 0.03)),
        Network(
            jurisdiction,
            dict(ORGANIZATION_OF),
            rng.choice(
                [words("a b c outside"), words("a b outside"), words("a b c"), words("b c")]
            ),
            some(rng, PERSONS, 1) if chance_of(rng, 0.1) else frozenset(),
            some(rng, TEAMS, 2),
        ),
        frozenset(FACILITIES) - some(rng, FACILITIES, 3),
    )
    relate(rng, made)
    made.agreements = [agreement(rng) for _ in range(rng.choice((0, 1, 2, 3)))]
    made.consents = [consent(rng, number) for number in range(rng.choice((0, 1, 1, 2, 2, 3)))]
    made.proxies = [proxy(rng) for _ in range(rng.choice((0, 0, 1, 1, 2)))]
    made.proxies += [giver(rng, c.giver) for c in made.consents if c.giver and chance_of(rng, 0.8)]
    made.glasses = [glass(rng) for _ in range(rng.choice((0, 0, 0, 1, 2)))]
    made.holds = [hold(rng) for _ in range(rng.choice((0, 0, 0, 1)))]
    return made


def relate(rng: Random, made: World) -> None:
    for _ in range(rng.choice((1, 2, 3, 5))):
        facility = rng.choice(FACILITIES)
        match rng.randrange(4):
            case 0:
                made.registrations.append(Registration(facility, begin(rng), end(rng)))
            case 1:
                ended = maybe(rng, begin(rng) - timedelta(days=rng.choice((0, 364, 365, 366))))
                made.treatments.append(
                    Treatment(facility, begin(rng) + timedelta(days=rng.choice((0, 14))), ended)
                )
            case 2:
                grantee = rng.choice(PERSONS + TEAMS)
                made.memberships.append(Membership(grantee, facility, begin(rng), end(rng)))
            case _:
                receiver = rng.choice(FACILITIES + ORGANIZATIONS)
                classes = many(rng, CLASSES)
                made.referrals.append(Referral(facility, receiver, classes, begin(rng), end(rng)))


def agreement(rng: Random) -> Agreement:
    return Agreement(
        parties=some(rng, ORGANIZATIONS, 4) if chance_of(rng, 0.4) else frozenset(ORGANIZATIONS),
        purposes=many(rng, PURPOSES),
        classes=many(rng, CLASSES),
        patients=rng.choice([None, None, None, words("patient"), words("other"), frozenset()]),
        needs_consent=chance_of(rng, 0.5),
        since=begin(rng),
        until=end(rng),
    )


def consent(rng: Random, number: int) -> Consent:
    labels = rng.choice(
        [LABELS, LABELS, many(rng, LABELS), some(rng, LABELS, 3), words("COUNSELING_NOTES"),
         words("COUNSELING_NOTES"), words("COUNSELING_NOTES WITHHELD"), words("SUD PART2 HIV NORMAL")]
    )  # fmt: skip
    everyone = FACILITIES + ORGANIZATIONS + PERSONS + TEAMS
    return Consent(
        permits=chance_of(rng, 0.65),
        given=begin(rng),
        since=begin(rng),
        until=end(rng),
        withdrawn=maybe(rng, rng.choice(INSTANTS), 0.2),
        recipients=some(rng, everyone, 3) if chance_of(rng, 0.5) else frozenset(),
        sources=some(rng, FACILITIES + ORGANIZATIONS, 3) if chance_of(rng, 0.3) else frozenset(),
        purposes=rng.choice(
            [PURPOSES] * 3 + [many(rng, PURPOSES), words("LEGAL"), words("EMERGENCY")]
        ),
        labels=labels,
        classes=many(rng, CLASSES),
        form=rng.choice(["ELECTRONIC", "ELECTRONIC", "PAPER", "VERBAL"]),
        evidence=maybe(rng, "signature", 0.9),
        giver=rng.choice([None, None, None, "self", "mother", "mother", "nurse"]),
        name=rng.choice(["one", f"consent {number}"]),
        version=number,
    )


def proxy(rng: Random) -> Proxy:
    return Proxy(
        person=rng.choice(["mother", "mother", "nurse", "self"]),
        kind=rng.choice(["PARENT", "PARENT", "GUARDIAN", "ATTORNEY", "CAREGIVER"]),
        classes=many(rng, CLASSES),
        since=begin(rng),
        until=end(rng),
        evidence=maybe(rng, "paper", 0.9),
        barred=chance_of(rng, 0.15),
    )


def giver(rng: Random, person: str) -> Proxy:
    """Somebody who gave a consent for the patient, rightly or not."""
    made = proxy(rng)
    made.person, made.since = person, rng.choice(INSTANTS[:2])
    made.until = maybe(rng, rng.choice(INSTANTS), 0.3)
    return made


def glass(rng: Random) -> Glass:
    opened = rng.choice(INSTANTS[2:])
    before = rng.choice((-1, 0, 2, 5, 5, 6)) * timedelta(minutes=1)
    return Glass(
        person=rng.choice(PERSONS),
        opened=opened,
        reauthenticated=opened - before,
        reason=rng.choice(["collapsed", "collapsed", "collapsed", "", "  "]),
        ended=maybe(rng, opened + timedelta(minutes=rng.choice((0, 5, 59, 90))), 0.3),
        part2_emergency=chance_of(rng, 0.4),
        medical=chance_of(rng, 0.6),
    )


def hold(rng: Random) -> Hold:
    exception = rng.choice([*sorted(EXCEPTIONS), "INCONVENIENT"])
    return Hold(many(rng, CLASSES), begin(rng), end(rng), exception)


def moments(made: World) -> list[datetime]:
    """Every instant at which an answer about this patient may change."""
    windows = [
        *((r.since, r.until) for r in made.registrations),
        *((t.began - timedelta(days=14), tail(t)) for t in made.treatments),
        *((m.since, m.until) for m in made.memberships),
        *((f.sent, f.ended) for f in made.referrals),
        *((a.since, a.until) for a in made.agreements),
        *((c.given, c.until) for c in made.consents),
        *((c.since, c.withdrawn) for c in made.consents),
        *((p.since, p.until) for p in made.proxies),
        *((g.opened, g.ended) for g in made.glasses),
        *((g.opened, g.opened + timedelta(minutes=60)) for g in made.glasses),
        *((h.since, h.until) for h in made.holds),
        *birthdays(made),
        (datetime(2024, 4, 16, tzinfo=UTC), None),
    ]
    return sorted({moment for window in windows for moment in window if moment is not None})


def tail(treatment: Treatment) -> datetime | None:
    return treatment.ended and treatment.ended + timedelta(days=365)


def birthdays(made: World) -> list[tuple[datetime, datetime]]:
    born_on = made.patient.born_on
    return [(birthday(born_on, 12), birthday(born_on, 18))] if born_on else []


def question(rng: Random, made: World) -> Question:
    """By somebody whom a fact speaks of, about a row that it may open; and then mostly one thing is otherwise."""
    permits = [c for c in made.consents if c.permits and c.labels and c.purposes and c.classes]
    if permits and chance_of(rng, 0.4):
        asked = about_a_consent(rng, made, rng.choice(permits))
    else:
        asked = about_a_fact(rng, made)
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        otherwise(rng, asked)
    return asked


def about_a_fact(rng: Random, made: World) -> Question:
    grantee, purpose = rng.choice(spoken_of(made))
    return by(
        grantee,
        instant(rng, made),
        purpose,
        rng.choice(sorted(made.known_at) or FACILITIES),
        rng.choice(["DEMOGRAPHICS", "CLINICAL", "RESULTS"]),
        rng.choice([words("NORMAL"), words("SUD"), words("HIV"), consented(rng, made)]),
    )


def about_a_consent(rng: Random, made: World, consent: Consent) -> Question:
    """By a recipient, or else by somebody in a relation to the patient; all within what was permitted."""
    relations = [m.grantee for m in made.memberships] + [t.facility for t in made.treatments]
    grantee = rng.choice(sorted(consent.recipients) or relations or ["doctor"])
    for_care = sorted(consent.purposes & words("TREATMENT CARE_COORDINATION"))
    return by(
        grantee,
        instant(rng, made),
        rng.choice(sorted(consent.purposes) if consent.recipients else for_care or ["TREATMENT"]),
        rng.choice(sorted(made.known_at) or FACILITIES),
        rng.choice(sorted(consent.classes)),
        consent.labels if len(consent.labels) < 3 else some(rng, consent.labels - {"NORMAL"}, 2),
    )


def instant(rng: Random, made: World) -> datetime:
    edges = [day for days in birthdays(made) for day in days] or [NOON]
    return rng.choice([NOON, NOON, NOON, rng.choice(moments(made)), rng.choice(edges)])


def by(
    grantee: str, at: datetime, purpose: str, source: str, data_class: str, labels: frozenset[str]
) -> Question:
    return Question(
        at=at,
        purpose=purpose,
        source=source,
        data_class=data_class,
        labels=labels,
        person=grantee if grantee in PERSONS else "doctor",
        teams=frozenset({grantee}) & frozenset(TEAMS),
        facilities=frozenset({grantee}) & frozenset(FACILITIES),
        organizations=frozenset({grantee}) & frozenset(ORGANIZATIONS),
    )


def consented(rng: Random, made: World) -> frozenset[str]:
    """Labels of which a consent speaks: all of them if they are few."""
    named = rng.choice([c.labels for c in made.consents] or [LABELS])
    return named if len(named) < 3 else some(rng, named - {"NORMAL"}, 2)


def spoken_of(made: World) -> list[tuple[str, str]]:
    """Whom the facts give or refuse something, and what they would ask it for."""
    return [
        ("self", "PATIENT_REQUEST"),
        *((r.facility, "TREATMENT") for r in made.registrations),
        *((t.facility, "TREATMENT") for t in made.treatments),
        *((m.grantee, "CARE_COORDINATION") for m in made.memberships),
        *((f.receiver, "TREATMENT") for f in made.referrals),
        *((to, "TREATMENT") for c in made.consents for to in sorted(c.recipients)),
        *((p.person, "FAMILY_REQUEST") for p in made.proxies),
        *((g.person, "EMERGENCY") for g in made.glasses),
    ]


def otherwise(rng: Random, asked: Question) -> None:
    match rng.randrange(9):
        case 0:
            asked.purpose = rng.choice(sorted(PURPOSES))
        case 1:
            asked.source = rng.choice(FACILITIES)
        case 2:
            asked.data_class = rng.choice(sorted(CLASSES))
        case 3 | 4:
            asked.labels = rng.choice(
                [words("SUD PART2"), words("COUNSELING_NOTES"), some(rng, LABELS - {"NORMAL"}, 3),
                 frozenset(rng.sample(sorted(LABELS), 1))]
            )  # fmt: skip
        case 5:
            asked.at += rng.choice((-1, 1)) * timedelta(microseconds=1)
        case 6:
            asked.person = rng.choice(PERSONS)
        case 7:
            asked.facilities |= some(rng, FACILITIES, 2)
        case _:
            asked.teams |= some(rng, TEAMS, 1)
            asked.organizations |= some(rng, ORGANIZATIONS, 2)
