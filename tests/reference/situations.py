"""The values of the matrix: who the asker is to the patient, what was consented to, which patient, which row, when.

All of them play in one small network. The row lies at the general hospital; the relation's own facility is its sister
clinic (the same organization) or the valley's hospital (another organization, with or without an agreement).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from tests.reference.facts import (
    CLASSES,
    LABELS,
    NOBODY,
    PURPOSES,
    Agreement,
    Consent,
    Glass,
    Hold,
    Membership,
    Network,
    Patient,
    Proxy,
    Referral,
    Registration,
    Treatment,
    World,
    words,
)

# Relations hold from START to END; consents and holds from START to LAPSE; some of them turn at the BIRTHDAY.
START = datetime(2026, 1, 10, 8, tzinfo=UTC)
BIRTHDAY = datetime(2026, 7, 1, tzinfo=UTC)
LAPSE = datetime(2026, 10, 1, 9, 30, tzinfo=UTC)
END = datetime(2027, 6, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)

ORGANIZATION_OF = {
    "general": "mercy",
    "clinic": "mercy",
    "valley": "valley-health",
    "elsewhere": "others",
}
CARE = words("TREATMENT CARE_COORDINATION")


@dataclass
class Scene:
    """A world in the making, and who plays the asker in it."""

    world: World = field(
        default_factory=lambda: World(
            Patient(born_on=date(1980, 2, 29), person="self"),
            Network(
                "US",
                dict(ORGANIZATION_OF),
                words("mercy valley-health pantry"),
                NOBODY,
                words("team"),
            ),
            words("general clinic valley"),
        )
    )
    person: str = "worker"
    home: str = "valley"
    organization: str = "valley-health"
    source: str = "general"


Act = Callable[[Scene], object]


# What two organizations agreed on.


def agree(
    scene: Scene,
    purposes: frozenset[str] = PURPOSES,
    classes: frozenset[str] = CLASSES,
    needs_consent: bool = False,
    patients: frozenset[str] | None = None,
    until: datetime | None = None,
) -> None:
    parties = frozenset({"mercy", scene.organization})
    scene.world.agreements.append(
        Agreement(parties, purposes, classes, patients, needs_consent, START, until)
    )


def sister(scene: Scene) -> None:
    scene.home, scene.organization = "clinic", "mercy"


def partner(scene: Scene) -> None:
    agree(scene)


def partner_opt_in(scene: Scene) -> None:
    agree(scene, needs_consent=True)


def partner_of_others(scene: Scene) -> None:
    agree(scene, patients=frozenset({"somebody else"}))


def partner_in_part(scene: Scene) -> None:
    agree(scene, words("CARE_COORDINATION PAYMENT"), words("RESULTS COORDINATION"))


def partner_until_birthday(scene: Scene) -> None:
    agree(scene, patients=frozenset({"patient"}), until=BIRTHDAY)


def uncovered(scene: Scene) -> None:
    agree(scene)
    scene.world.network.covered = frozenset({"mercy"})


def apart(scene: Scene) -> None:
    """No agreement at all."""


# What somebody is to the patient.


def registered(scene: Scene) -> None:
    scene.world.registrations.append(Registration(scene.home, START, END))


def treated(scene: Scene) -> None:
    began, ended = START + timedelta(days=14), END - timedelta(days=365)
    scene.world.treatments.append(Treatment(scene.home, began, ended))


def member(scene: Scene) -> None:
    scene.world.memberships.append(Membership(scene.person, scene.home, START, END))


def team_member(scene: Scene) -> None:
    scene.world.memberships.append(Membership("team", scene.home, START, END))


def left(scene: Scene) -> None:
    member(scene)
    scene.world.network.deactivated = frozenset({scene.person})


def unplaced(scene: Scene) -> None:
    scene.home, scene.organization = "nowhere", "nobody"
    member(scene)


def unsourced(scene: Scene) -> None:
    member(scene)
    scene.source = "vanished"
    scene.world.known_at |= {"vanished"}


def referred_to(scene: Scene) -> None:
    classes = words("DEMOGRAPHICS REFERRALS CLINICAL")
    scene.world.referrals.append(Referral("general", scene.home, classes, START, END))


def referred_to_organization(scene: Scene) -> None:
    classes = words("DEMOGRAPHICS CLINICAL")
    scene.world.referrals.append(Referral("general", scene.organization, classes, START, END))


def referred_outside(scene: Scene) -> None:
    scene.home, scene.organization = "no place", "pantry"
    agree(scene)
    referred_to_organization(scene)


def own(scene: Scene) -> None:
    scene.home, scene.organization = "general", "mercy"


def the_patient(scene: Scene) -> None:
    scene.person = "self"


def proxy(kind: str, evidence: str | None = "paper", barred: bool = False) -> Act:
    def act(scene: Scene) -> None:
        scene.person = "relative"
        classes = CLASSES - {"BILLING"}
        scene.world.proxies.append(
            Proxy("relative", kind, classes, START, END, evidence=evidence, barred=barred)
        )

    return act


def barred_colleague(scene: Scene) -> None:
    own(scene)
    proxy("PARENT", barred=True)(scene)
    member(scene)


def glass(
    part2: bool = False, medical: bool = True, reason: str = "unconscious", ago: int = 5
) -> Act:
    def act(scene: Scene) -> None:
        opened = BIRTHDAY - timedelta(minutes=60)
        login = opened - timedelta(minutes=ago)
        scene.world.glasses.append(Glass(scene.person, opened, login, reason, None, part2, medical))

    return act


RELATIONSHIPS: dict[str, tuple[Act, ...]] = {
    "none": (partner,),
    "own row": (own,),
    "registered, same organization": (sister, registered),
    "registered, agreement": (partner, registered),
    "treated, same organization": (sister, treated),
    "treated, agreement": (partner, treated),
    "treated, agreement with opt-in": (partner_opt_in, treated),
    "treated, agreement about others": (partner_of_others, treated),
    "treated, agreement in part": (partner_in_part, treated),
    "treated, agreement that ends": (partner_until_birthday, treated),
    "treated, no agreement": (apart, treated),
    "treated, not covered": (uncovered, treated),
    "person on the care team, same organization": (sister, member),
    "person on the care team, agreement": (partner, member),
    "team on the care team, agreement with opt-in": (partner_opt_in, team_member),
    "team on the care team, agreement": (partner, team_member),
    "person on the care team, has left": (sister, left),
    "person on the care team, of no known facility": (apart, unplaced),
    "person on the care team, source unknown": (partner, unsourced),
    "referred to a facility": (partner, referred_to),
    "referred to an organization": (partner, referred_to_organization),
    "referred outside": (referred_outside,),
    "the patient": (the_patient,),
    "parent": (proxy("PARENT"),),
    "guardian": (proxy("GUARDIAN"),),
    "caregiver": (proxy("CAREGIVER"),),
    "attorney without evidence": (proxy("ATTORNEY", evidence=None),),
    "barred parent who works here": (barred_colleague,),
    "glass broken": (glass(),),
    "glass broken, Part 2 emergency": (glass(part2=True),),
    "glass broken, Part 2, not medical": (glass(part2=True, medical=False),),
    "glass broken, stale login": (glass(ago=6),),
}


# What was consented to.


def permit(scene: Scene, **told: object) -> None:
    consent = Consent(
        True, START, START, LAPSE, purposes=PURPOSES - {"LEGAL"}, labels=LABELS, classes=CLASSES
    )
    say(scene, consent, told)


def deny(scene: Scene, **told: object) -> None:
    say(scene, Consent(False, START, START, LAPSE, form="VERBAL", evidence=None), told)


def say(scene: Scene, consent: Consent, told: dict[str, object]) -> None:
    """Each is a consent of its own unless told its name."""
    consent.name = f"consent {len(scene.world.consents)}"
    for field_name, value in told.items():
        setattr(consent, field_name, value)
    scene.world.consents.append(consent)


def to_facility(scene: Scene) -> frozenset[str]:
    return frozenset({scene.home})


def to_organization(scene: Scene) -> frozenset[str]:
    return frozenset({scene.organization})


def to_person(scene: Scene) -> frozenset[str]:
    return frozenset({scene.person})


def by_parent(scene: Scene) -> None:
    scene.world.proxies.append(Proxy("mother", "PARENT", CLASSES, START))
    permit(scene, giver="mother")


def superseded(scene: Scene) -> None:
    permit(scene, name="the consent", version=2, labels=LABELS - {"PART2"})
    permit(scene, name="the consent", version=1)


def withdrawn(scene: Scene) -> None:
    permit(scene, withdrawn=BIRTHDAY)


def facility_but_not_its_organization(scene: Scene) -> None:
    permit(scene, recipients=to_facility(scene))
    deny(scene, recipients=to_organization(scene))


def all_but_one(scene: Scene) -> None:
    permit(scene)
    deny(scene, recipients=to_person(scene))


def none_but_one(scene: Scene) -> None:
    permit(scene, recipients=to_person(scene), form="PAPER", labels=LABELS - {"COUNSELING_NOTES"})
    deny(scene)


CONSENTS: dict[str, Act] = {
    "nothing said": lambda s: None,
    "permit all": permit,
    "permit some labels from one source": lambda s: permit(
        s,
        sources=words("general"),
        labels=words("NORMAL SUD PART2 HIV"),
        purposes=words("TREATMENT LEGAL"),
    ),
    "permit other sources": lambda s: permit(s, sources=words("others clinic")),
    "permit without evidence": lambda s: permit(s, evidence=None),
    "permit, verbal": lambda s: permit(s, form="VERBAL"),
    "permit by a parent": by_parent,
    "permit by a stranger": lambda s: permit(s, giver="stranger"),
    "permit, withdrawn": withdrawn,
    "permit, superseded": superseded,
    "permit a facility": lambda s: permit(s, recipients=to_facility(s)),
    "permit an organization some classes": lambda s: permit(
        s, recipients=to_organization(s), classes=words("CLINICAL RESULTS"), sources=words("mercy")
    ),
    "permit a person counseling notes": lambda s: permit(
        s, recipients=to_person(s), labels=words("COUNSELING_NOTES")
    ),
    "permit a person, for court": lambda s: permit(
        s, recipients=to_person(s), purposes=words("LEGAL")
    ),
    "permit a team, to coordinate": lambda s: permit(
        s, recipients=words("team"), purposes=words("CARE_COORDINATION")
    ),
    "deny": deny,
    "deny HIV and Part 2 for treatment": lambda s: deny(
        s, labels=words("HIV PART2"), purposes=words("TREATMENT")
    ),
    "deny a facility": lambda s: deny(s, recipients=to_facility(s)),
    "deny a team visits and results of one source": lambda s: deny(
        s, recipients=words("team"), classes=words("VISITS RESULTS"), sources=words("mercy")
    ),
    "deny what others wrote": lambda s: deny(s, sources=words("clinic valley-health")),
    "permit all, deny a person": all_but_one,
    "permit a person, deny all": none_but_one,
    "permit a facility, deny its organization": facility_but_not_its_organization,
}


# Which patient, and under which policy.


def born(day: date | None) -> Act:
    def act(scene: Scene) -> None:
        scene.world.patient.born_on = day

    return act


def retired(scene: Scene) -> None:
    scene.world.patient.retired = True


def under(jurisdiction: str) -> Act:
    def act(scene: Scene) -> None:
        scene.world.network.jurisdiction = jurisdiction

    return act


def held(scene: Scene) -> None:
    scene.world.holds.append(Hold(CLASSES - {"RESULTS"}, START, LAPSE, "PREVENTING_HARM"))


PATIENTS: dict[str, Act] = {
    "adult": lambda s: None,
    "turns 12": born(date(2014, 7, 1)),
    "turns 18": born(date(2008, 7, 1)),
    "of unknown age": born(None),
    "merged into another": retired,
    "under a strict policy": under("US-STRICT"),
    "under no policy": under("nowhere"),
    "with a hold": held,
}

TIMES: dict[str, datetime] = {
    "before": START - INSTANT,
    "at the start": START,
    "on the eve": BIRTHDAY - INSTANT,
    "on the birthday": BIRTHDAY,
    "consents lapsed": LAPSE,
    "relations ended": END,
}
