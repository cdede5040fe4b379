"""Worlds by chance, dense enough that people see things, and questions that lie close to the line."""

from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID

from services.identity.domain.access.boxes import Question
from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import ConsentForm, ProxyKind
from services.identity.domain.access.terms import ALL_CLASSES, DataClass, Label, Purpose
from tests.unit.identity.access_network import (
    AT,
    CLINIC,
    DAY,
    DOCTOR,
    EVIDENCE,
    HARBOR,
    HOSPITAL,
    MERCY,
    MOTHER,
    NURSE,
    OTHER,
    PANTRY,
    PANTRY_DOOR,
    PAT,
    PATIENT,
    PROGRAM,
    TEAM,
    VALLEY,
    VALLEY_CLINIC,
    agreement,
    deny,
    glass,
    hold,
    member,
    network,
    patient,
    permit,
    proxy,
    referred,
    registered,
    treated,
    world,
)

FACILITIES = [HOSPITAL, CLINIC, VALLEY_CLINIC, PROGRAM, PANTRY_DOOR]
ORGANIZATIONS = [MERCY, VALLEY, HARBOR, PANTRY]
PEOPLE = [PAT, NURSE, DOCTOR, MOTHER, OTHER]
EVERYBODY = [*FACILITIES, *ORGANIZATIONS, *PEOPLE, TEAM]
# Facts that only ever let somebody see more.
GIVING = (
    "registrations",
    "treatments",
    "memberships",
    "referrals",
    "agreements",
    "emergencies",
)
PLURAL = (*GIVING, "consents", "proxies", "holds")

_LABELS = [
    {Label.NORMAL},
    {Label.NORMAL, Label.PART2, Label.HIV},
    {Label.PART2},
    {Label.NORMAL, Label.PART2},
    {Label.NORMAL, Label.HIV, Label.SUD},
    frozenset(Label) - {Label.COUNSELING_NOTES},
    {Label.COUNSELING_NOTES},
    {Label.COUNSELING_NOTES, Label.PART2},
    frozenset(Label),
    set(),
]
_PURPOSES = [
    {Purpose.TREATMENT},
    {Purpose.TREATMENT},
    frozenset(Purpose),
    {Purpose.TREATMENT, Purpose.CARE_COORDINATION},
    {Purpose.TREATMENT, Purpose.PAYMENT, Purpose.OPERATIONS},
    {Purpose.FAMILY_REQUEST},
    {Purpose.LEGAL},
    frozenset(Purpose),
    set(),
]
_CLASSES = [
    ALL_CLASSES,
    ALL_CLASSES,
    ALL_CLASSES,
    ALL_CLASSES,
    {DataClass.CLINICAL, DataClass.RESULTS, DataClass.MESSAGES},
    {DataClass.DEMOGRAPHICS, DataClass.REFERRALS},
    set(),
]


class Chance:
    """Draws facts and questions, each fact with an id of its own."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.last_id = 1000

    def _id(self):
        self.last_id += 1
        return self.last_id

    def one(self, *choices):
        return self.random.choice(choices)

    def some(self, choices, least=0, most=3):
        choices = sorted(choices)
        most = min(most, len(choices))
        return frozenset(self.random.sample(choices, self.random.randint(least, most)))

    def _instant(self, *days):
        return AT + self.one(*days) * DAY

    def _window(self):
        return {
            "from_at": self._instant(-800, -60, -60, -14, -1, -1, 0, 1),
            "until_at": self.one(None, None, None, AT - DAY, AT, AT + DAY, AT + 60 * DAY),
        }

    def _terms(self):
        withdrawn_at = self.one(None, None, None, AT - DAY, AT, AT + DAY)
        return self._window() | {
            "id": self._id(),
            "sources": self.some([*FACILITIES, *ORGANIZATIONS], most=self.one(0, 0, 3)),
            "purposes": frozenset(self.one(*_PURPOSES)),
            "labels": frozenset(self.one(*_LABELS)),
            "classes": frozenset(self.one(*_CLASSES)),
            "given_at": self._instant(-400, -60, -1, -1, 0, 1),
            "withdrawn_at": withdrawn_at,
            "form": self.one(*ConsentForm),
            "evidence_id": self.one(EVIDENCE, EVIDENCE, EVIDENCE, None),
            "given_by": self.one(None, None, None, PAT, MOTHER, OTHER),
        }

    def permit(self):
        return permit(*self.some(EVERYBODY, most=self.one(0, 0, 1, 2)), **self._terms())

    def deny(self, *recipients):
        told = recipients or self.some(EVERYBODY, most=self.one(0, 1, 2))
        everything = dict.fromkeys(("purposes", "labels", "classes", "sources"), frozenset())
        return deny(*told, **self._terms() | self.one(everything, {}))

    def hold(self):
        held = self.some(DataClass, 1)
        why = self.one("PRIVACY", "PREVENTING_HARM", "BECAUSE")
        return hold(*held, id=self._id(), exception=why, **self._window())

    def _registration(self):
        return registered(self.one(*FACILITIES), id=self._id(), **self._window())

    def _treatment(self):
        began_at = self._instant(-800, -60, -2, 13, 14, 15)
        ended_at = self.one(None, None, AT - 366 * DAY, AT - 365 * DAY, AT - 364 * DAY, AT - DAY)
        facility = self.one(*FACILITIES)
        return treated(facility, id=self._id(), began_at=began_at, ended_at=ended_at)

    def _membership(self):
        grantee, home = self.one(NURSE, DOCTOR, TEAM), self.one(*FACILITIES)
        return member(grantee, home, id=self._id(), **self._window())

    def _referral(self):
        window = self._window()
        return referred(
            self.one(*FACILITIES, *ORGANIZATIONS),
            id=self._id(),
            from_facility_id=self.one(*FACILITIES),
            classes=frozenset(self.one(*_CLASSES)),
            sent_at=window["from_at"],
            ended_at=window["until_at"],
        )

    def _agreement(self):
        parties = self.one(ORGANIZATIONS, ORGANIZATIONS, ORGANIZATIONS, self.some(ORGANIZATIONS, 2))
        return agreement(
            *parties,
            id=self._id(),
            purposes=frozenset(self.one(*_PURPOSES, frozenset(Purpose), frozenset(Purpose))),
            classes=frozenset(self.one(*_CLASSES)),
            patient_ids=self.one(None, None, frozenset({PATIENT}), frozenset()),
            needs_consent=self.one(False, False, True),
            **self._window(),
        )

    def _proxy(self):
        return proxy(
            self.one(*ProxyKind),
            self.one(MOTHER, MOTHER, OTHER),
            id=self._id(),
            classes=frozenset(self.one(*_CLASSES)),
            evidence_id=self.one(EVIDENCE, EVIDENCE, EVIDENCE, None),
            is_barred=self.one(False, False, False, False, True),
            **self._window(),
        )

    def _glass(self):
        opened_at = AT - timedelta(minutes=self.one(61, 60, 59, 10, 0, -1))
        return glass(
            self.one(*PEOPLE),
            id=self._id(),
            opened_at=opened_at,
            reauthenticated_at=opened_at - timedelta(minutes=self.one(-1, 0, 5, 6)),
            reason=self.one("found on the street", "found on the street", " "),
            ended_at=self.one(None, None, AT, AT + timedelta(minutes=5)),
            is_part2_emergency=self.one(False, True),
            is_medical=self.one(False, True, True),
        )

    def _several(self, build, most):
        return tuple(build() for _ in range(self.random.randint(0, most)))

    def world(self):
        refusals = self._several(self.deny, self.one(0, 1, 2))
        return world(
            patient=patient(
                self.one(3, 11, 12, 17, 18, 50, 50, 50, None),
                person_id=self.one(PAT, PAT, None),
                is_retired=self.random.random() < 0.05,
            ),
            network=network(
                jurisdiction=self.one("US", "US-STRICT"),
                teams=self.some([TEAM], most=1),
                deactivated=self.one(frozenset(), frozenset(), frozenset({NURSE})),
            ),
            known_at=self.some(FACILITIES, 3, 5),
            registrations=self._several(self._registration, 2),
            treatments=self._several(self._treatment, 4),
            memberships=self._several(self._membership, 3),
            referrals=self._several(self._referral, 2),
            agreements=self._several(self._agreement, 3),
            consents=(*self._several(self.permit, 4), *refusals),
            proxies=self._several(self._proxy, 2),
            emergencies=self._several(self._glass, 2),
            holds=self._several(self.hold, self.one(0, 0, 1)),
        )

    def questions(self, facts, count=12):
        """Half of them by chance, half just inside what somebody was granted."""
        grants = decide(facts, AT).grants
        near = [self._near(self.one(*grants)) for _ in range(count // 2)] if grants else []
        return [*near, *(self._question() for _ in range(count - len(near)))]

    def _question(self):
        return Question(
            person_id=self.one(*PEOPLE),
            team_ids=self.some([TEAM], most=1),
            facility_ids=self.some(FACILITIES, most=2),
            organization_ids=self.some(ORGANIZATIONS, most=1),
            purpose=self.one(*Purpose, Purpose.TREATMENT, Purpose.TREATMENT),
            source_id=self.one(*FACILITIES),
            labels=self.one(frozenset({Label.NORMAL}), self.some(Label, 1)),
            data_class=self.one(*DataClass),
            at=AT,
        )

    def _near(self, grant):
        who = grant.grantee_id
        return replace(
            self._question(),
            person_id=who if who in PEOPLE else self.one(OTHER, NURSE),
            team_ids=frozenset({who}) if who == TEAM else frozenset(),
            facility_ids=frozenset({who}) & frozenset(FACILITIES),
            organization_ids=frozenset({who}) & frozenset(ORGANIZATIONS),
            purpose=self.one(*sorted(grant.purposes)),
            source_id=self.one(*sorted(grant.sources or FACILITIES)),
            labels=self.some(grant.labels, 1, 2),
            data_class=self.one(*sorted(grant.classes)),
        )


def with_own_id(fact, number=9001):
    return replace(fact, id=UUID(int=number))
