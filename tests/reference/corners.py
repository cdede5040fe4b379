"""Worlds by hand, where neither the matrix nor chance is likely to look: found by breaking the reference itself."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from tests.reference.facts import CLASSES, NOBODY, Proxy, Question, World, words
from tests.reference.situations import (
    BIRTHDAY,
    INSTANT,
    START,
    Act,
    Scene,
    agree,
    born,
    deny,
    partner,
    partner_opt_in,
    permit,
    treated,
)

LEAP = date(2008, 2, 29)
CHILD = born(date(2018, 3, 1))


def scene(*acts: Act) -> Scene:
    made = Scene()
    for act in acts:
        act(made)
    return made


def treating(made: Scene, data_class: str, labels: str) -> tuple[World, Question]:
    """The valley's hospital, while it treats the patient."""
    return made.world, Question(
        BIRTHDAY, "TREATMENT", "general", data_class, words(labels), "doctor", NOBODY, frozenset({"valley"})
    )  # fmt: skip


def family(made: Scene, at: datetime) -> tuple[World, Question]:
    return made.world, Question(
        at, "FAMILY_REQUEST", "general", "VISITS", words("NORMAL"), "relative"
    )


def agreed_with_others(made: Scene) -> None:
    agree(made)
    made.world.agreements[0].parties = words("valley-health others")


def stands_for(kind: str, since: datetime = START) -> Act:
    return lambda made: made.world.proxies.append(Proxy("relative", kind, CLASSES, since))


def given_by_relative(made: Scene) -> None:
    permit(made, giver="relative", recipients=words("valley"))


def permitting(**told: object) -> Act:
    return lambda made: permit(made, **told)


Corner = tuple[str, World, Question]


def corners() -> Iterator[Corner]:
    yield from permissions()
    yield from permissions_of_relatives()
    yield from leap_days()
    yield from guardians_of_age()
    yield from refusals_at_home()


def refusals_at_home() -> Iterator[Corner]:
    """A team is a place: its refusal does not blind a hospital to its own rows. A person's does."""
    for refused in ("team", "doctor", "general", "mercy"):
        made = scene(lambda made, refused=refused: deny(made, recipients=words(refused)))
        question = Question(
            BIRTHDAY, "TREATMENT", "general", "VISITS", words("NORMAL"), "doctor", words("team"),
            words("general"), words("mercy"),
        )  # fmt: skip
        yield f"{refused} refused at home", made.world, question


def permissions() -> Iterator[Corner]:
    made = scene(agreed_with_others, treated)
    yield "the source is no party", *treating(made, "VISITS", "NORMAL")
    for named in ("RESULTS", "VISITS"):
        made = scene(partner, treated, permitting(classes=words(named)))
        yield f"Part 2 of {named} permitted to all", *treating(made, "RESULTS", "PART2")
    for named in ("NORMAL", "HIV"):
        made = scene(partner_opt_in, treated, permitting(labels=words(named)))
        yield f"only {named} permitted to all", *treating(made, "VISITS", "NORMAL")


def permissions_of_relatives() -> Iterator[Corner]:
    for kind in ("PARENT", "GUARDIAN", "ATTORNEY", "CAREGIVER"):
        made = scene(CHILD, stands_for(kind), given_by_relative)
        for labels in ("NORMAL", "HIV", "MINOR_CONFIDENTIAL"):
            yield f"{labels} permitted by {kind} of a child", *treating(made, "VISITS", labels)
    for classes in ("VISITS", "RESULTS"):
        for to in (words("valley"), NOBODY):
            made = scene(CHILD, partner_opt_in, treated, stands_for("GUARDIAN"))
            made.world.proxies[0].classes = words(classes)
            permit(made, giver="relative", recipients=to)
            yield f"permitted by who acts for {classes}", *treating(made, "VISITS", "NORMAL")
    for barred in (False, True):
        made = scene(CHILD, stands_for("GUARDIAN"), stands_for("ATTORNEY"), given_by_relative)
        made.world.proxies[1].barred = barred
        yield f"permitted by a guardian, barred: {barred}", *treating(made, "VISITS", "NORMAL")


def leap_days() -> Iterator[Corner]:
    made = scene(born(LEAP), stands_for("PARENT", since=datetime(2010, 1, 1, tzinfo=UTC)))
    for day, labels in (
        (datetime(2026, 3, 1, tzinfo=UTC), "NORMAL"),
        (datetime(2020, 2, 29, tzinfo=UTC), "HIV"),
    ):
        for at in (day - timedelta(days=1), day - INSTANT, day, day + timedelta(days=1)):
            world, asked = family(made, at)
            asked.labels = words(labels)
            yield f"born on a leap day, {labels} at {at}", world, asked


def guardians_of_age() -> Iterator[Corner]:
    for since in (BIRTHDAY - INSTANT, BIRTHDAY, BIRTHDAY + INSTANT):
        made = scene(born(date(2008, 7, 1)), stands_for("GUARDIAN", since=since))
        for at in (BIRTHDAY - INSTANT, BIRTHDAY, BIRTHDAY + INSTANT):
            yield f"a guardian from {since} at {at}", *family(made, at)
