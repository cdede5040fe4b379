"""Reports for tests: what facilities could send, in strategies and by hand."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from uuid import UUID, uuid5

from hypothesis import strategies as st

from services.registry.domain.encounter import Encounter
from services.registry.domain.known import Known
from services.registry.domain.labels import NOTHING_KNOWN, Provenance
from services.registry.domain.matching import ExactMatcher
from services.registry.domain.record import Record
from services.registry.domain.report import (
    Address,
    Diagnosis,
    Identifier,
    Merge,
    MergeReport,
    Person,
    PersonName,
    PersonReport,
    Report,
    Sex,
    Source,
    Telecom,
    VisitReport,
    VisitSaid,
)

MERCY, HARBOR = UUID(int=1), UUID(int=2)
START = datetime(2026, 11, 1, 8, tzinfo=UTC)
_ROOT = UUID(int=99)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def source(
    trigger: str,
    hours: float,
    content: str,
    facility: UUID = MERCY,
    *,
    provenance: Provenance = NOTHING_KNOWN,
    sent: tuple[str, ...] = (),
) -> Source:
    return Source(
        message_id=uuid5(_ROOT, content),
        feed_id="feed",
        facility_id=facility,
        trigger=trigger,
        event_at=at(hours),
        message_at=at(hours),
        content_hash=sha256(content.encode()).hexdigest(),
        provenance=provenance,
        sent=sent,
    )


def number(value: str, assigner: str = "MERCY", type: str = "MR") -> Identifier:
    return Identifier(assigner=assigner, value=value, type=type)


def jane(*numbers: Identifier, **said: object) -> Person:
    """One woman, by these numbers."""
    person = Person(
        identifiers=numbers,
        names=(PersonName(family="Okafor", given=("Jane",)),),
        birth_on="1980-04-30",
        sex=Sex.FEMALE,
        telecoms=(Telecom(value="+16025550134"),),
    )
    return replace(person, **said)


_serial = count()


def visit(
    trigger: str,
    hours: float,
    *,
    person: Person | None = None,
    number_of_visit: str = "V1",
    facility: UUID = MERCY,
    provenance: Provenance = NOTHING_KNOWN,
    sent: tuple[str, ...] = (),
    **said: object,
) -> VisitReport:
    """One visit message, unlike any other."""
    content = f"{trigger} {next(_serial)}"
    return VisitReport(
        source=source(trigger, hours, content, facility, provenance=provenance, sent=sent),
        person=person or jane(number("1")),
        visit=VisitSaid(visit_number=number_of_visit, **said),
    )


def told(trigger: str, told_at: float, happened: float, **said: object) -> VisitReport:
    """A visit message that is told at another time than that of the event."""
    report = visit(trigger, told_at, **said)
    return replace(report, source=replace(report.source, event_at=at(happened)))


def record(reports: Iterable[Report] = ()) -> Record:
    """A registry in memory that has taken these reports."""
    ids = count(1)
    registry = Record(Known(), ExactMatcher(), lambda: UUID(int=next(ids)), START)
    for report in reports:
        registry.apply(report)
    return registry


def visits(*reports: VisitReport) -> list[Encounter]:
    shown = [e for e in record(reports).encounters.values() if not e.is_void]
    return sorted(shown, key=lambda e: e.listed_at)


def only(*reports: VisitReport) -> Encounter:
    [encounter] = visits(*reports)
    return encounter


def essence(registry: Record) -> object:
    """What is known, without ids and versions: the patients, and the visits by their patient."""
    patients = {p.id: p for p in registry.patients.values() if p.merged_into_id is None}

    def known_as(patient_id: UUID) -> object:
        patient = patients[patient_id]
        apart = {str(place): p.facts.person() for place, p in patient.programs.items()}
        return (patient.shared, patient.facility_ids, sorted(apart.items()))

    return (
        sorted(map(repr, map(known_as, patients))),
        sorted(
            repr((replace(e, patient_id=_ROOT, version=1), known_as(e.patient_id)))
            for e in registry.encounters.values()
            if not e.is_void
        ),
    )


_TRIGGERS = ("A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A11", "A12", "A13")
_hours = st.integers(0, 24)
_maybe_hour = st.one_of(st.none(), st.none(), st.builds(at, _hours))
_CLEARABLE = ("attending", "location", "discharge_disposition", "admit_time", "patient_class")
_provenances = st.builds(Provenance, is_part2_program=st.booleans(), sends_labels=st.booleans())
_sent = st.sampled_from(((), (), ("N",), ("HIV",), ("42CFRPart2",), ("R",)))
_clears = st.lists(st.sampled_from(_CLEARABLE), max_size=1).map(tuple)

said = st.builds(
    VisitSaid,
    visit_number=st.sampled_from(("V1", "V1", "V2", "")),
    patient_class=st.sampled_from(("", "I", "O", "E", "P", "OBS", "X")),
    location=st.sampled_from(("", "3W^312^1", "ICU^1^1", "ED^7^1")),
    attending=st.sampled_from(("", "Dr. Ruiz", "Dr. Ahn")),
    discharge_disposition=st.sampled_from(("", "01", "03")),
    admit_at=_maybe_hour,
    discharge_at=_maybe_hour,
    diagnoses=st.sampled_from(((), (Diagnosis(code="I50.9"),), (Diagnosis(code="F11.20"),))),
    cleared=_clears,
)


def persons(numbers: st.SearchStrategy[tuple[Identifier, ...]]) -> st.SearchStrategy[Person]:
    """People who share nothing but numbers, and contradict nobody: neither matching by description nor what is parked
    is meant to be blind to order."""
    return st.builds(
        Person,
        identifiers=numbers,
        names=st.sampled_from(
            ((), (PersonName(family="Okafor"),), (PersonName(family="", given=("Jane",), use="L"),))
        ),
        birth_on=st.sampled_from(("", "1980-04-30", "1980-05-30")),
        sex=st.sampled_from((None, Sex.FEMALE, Sex.MALE)),
        addresses=st.sampled_from(((), (Address(lines=("12 Oak St",), postal_code="85004"),))),
        telecoms=st.sampled_from(
            ((), (Telecom(value="+16025550134"),), (Telecom(value="+16025550199"),))
        ),
        is_deceased=st.sampled_from((None, None, True, False)),
        cleared=st.sampled_from(((), (), ("telecoms",), ("death_indicator",))),
    )


_own = st.sampled_from(
    tuple(number(str(n), assigner) for n in range(1, 5) for assigner in ("MERCY", "HARBOR"))
)
one_number = st.just((number("1"),))
some_numbers = st.lists(_own, min_size=1, max_size=2, unique=True).map(tuple)
# A number that gets lent, of somebody whom no facility knows by two: to which of two it leads does depend on order.
_LENT = number("219-09-1234", "USSSA", "SS")
_LAKE, _SHORE = number("1", "LAKE"), number("1", "SHORE")
some_or_lent = st.one_of(
    some_numbers,
    some_numbers,
    st.sampled_from(((_LAKE, _LENT), (_SHORE, _LENT), (_SHORE,), (_LAKE, number("1")))),
)


@st.composite
def visit_reports(draw: st.DrawFn, numbers: st.SearchStrategy[tuple[Identifier, ...]]) -> Report:
    trigger, hours = draw(st.sampled_from(_TRIGGERS)), draw(_hours)
    person, what = draw(persons(numbers)), draw(said)
    facility = draw(st.sampled_from((MERCY, MERCY, HARBOR)))
    provenance, sent = draw(_provenances), draw(_sent)
    content = repr((trigger, hours, person, what, facility, provenance, sent))
    told = source(trigger, hours, content, facility, provenance=provenance, sent=sent)
    return VisitReport(source=told, person=person, visit=what)


@st.composite
def person_reports(draw: st.DrawFn, people: st.SearchStrategy[Person]) -> Report:
    person, hours = draw(people), draw(_hours)
    facility = draw(st.sampled_from((MERCY, MERCY, HARBOR)))
    provenance = draw(_provenances)
    content = repr((person, hours, facility, provenance))
    told = source("A31", hours, content, facility, provenance=provenance)
    return PersonReport(source=told, person=person)


def _of(given: str, birth_on: str, *numbers: tuple[Identifier, ...]) -> st.SearchStrategy[Person]:
    return st.builds(
        Person,
        identifiers=st.sampled_from(numbers),
        names=st.just((PersonName(family="Okafor", given=(given,)),)),
        birth_on=st.just(birth_on),
        is_deceased=st.sampled_from((None, True)),
    )


# Each by their own numbers, and sometimes with one of the other's beside them.
_JANE = number("1"), number("77", "HARBOR"), number("219-09-1234", "USSSA", "SS")
_JOHN = number("2"), number("88", "HARBOR"), number("219-09-1234", "USSSA", "SS")
two_people = st.one_of(
    _of("Jane", "1980-04-30", *((n,) for n in _JANE), _JANE, (_JANE[0], _JOHN[0])),
    _of(
        "John",
        "1951-12-02",
        *((n,) for n in _JOHN),
        _JOHN,
        (_JOHN[0], _JANE[1]),
        (_JOHN[1], _JANE[1]),
    ),
)


@st.composite
def merge_reports(draw: st.DrawFn) -> Report:
    survivor, retired, hours = draw(_own), draw(_own), draw(_hours)
    content = repr((survivor, retired, hours))
    merge = Merge(survivor=Person(identifiers=(survivor,)), retired=(retired,))
    return MergeReport(source=source("A40", hours, content), merges=(merge,))


@st.composite
def shuffled(
    draw: st.DrawFn, reports: st.SearchStrategy[list[Report]]
) -> tuple[list[Report], list[Report]]:
    """Reports in the order of time, and the same in any order with about a third of them twice."""
    canonical = draw(reports)
    again = [r for r in canonical if draw(st.integers(0, 9)) < 3]
    resent = [_resent(r) if draw(st.booleans()) else r for r in again]
    return (
        sorted(canonical, key=lambda r: r.source.stamp),
        draw(st.permutations(canonical + resent)),
    )


def _resent(report: Report) -> Report:
    """The same content under another message id."""
    other = replace(report.source, message_id=uuid5(report.source.message_id, "again"))
    return replace(report, source=other)


def continued(before: Record, reports: Iterable[Report]) -> Record:
    """A registry that loads what another one has saved, and goes on."""
    changes = before.changes()
    known = Known(
        handled={h.message_id: h for h in changes.handled},
        links={link.key: link for link in changes.links},
        patients={p.id: p for p in changes.patients},
        messages=changes.messages,
        encounters={e.id: e for e in changes.encounters},
        observations={o.id: o for o in changes.observations},
    )
    ids = count(1000)
    registry = Record(known, ExactMatcher(), lambda: UUID(int=next(ids)), START)
    for report in reports:
        registry.apply(report)
    return registry
