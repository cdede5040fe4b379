"""Makes the loops of patients what the record asks for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from libs.calendars.calendar import Calendar, calendar_for
from libs.chassis.database import Transaction
from libs.chassis.errors import InvalidArgument
from services.tasking.domain.loop import Loop, loop_id
from services.tasking.domain.owner import Directory
from services.tasking.domain.plan import (
    Case,
    EncounterFacts,
    GlassFacts,
    PatientFacts,
    Subject,
)
from services.tasking.domain.protocol import Protocol
from services.tasking.domain.reconcile import Changes, plan_with, reconcile
from services.tasking.domain.snapshot import (
    NOBODY_KNOWN,
    EncounterSnapshot,
    GlassSnapshot,
    ProgramSnapshot,
)
from services.tasking.domain.task import Task
from services.tasking.domain.told import Matter, Source, Told, matters_of
from services.tasking.events import save_loops
from services.tasking.store import (
    DirectoryStore,
    LoopStore,
    ProtocolStore,
    RecordStore,
    TaskStore,
    ToldStore,
)

# What a loop can be about, and what tells of it.
Topic = EncounterFacts | GlassFacts | Matter
Snapshot = EncounterSnapshot | GlassSnapshot | Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that planning some patients looks at."""

    encounters: Sequence[EncounterSnapshot]
    patients: dict[UUID, PatientFacts]
    programs: dict[tuple[UUID, UUID], ProgramSnapshot]
    told: Told
    directory: Directory
    loops: dict[UUID, Loop]
    tasks: dict[UUID, list[Task]]
    newest: Sequence[Protocol]
    followed: dict[tuple[str, int], Protocol]

    def calendar_of(self, facility_id: UUID) -> Calendar | None:
        """Nothing for a facility that is not known, or whose clock or holidays are not."""
        facility = self.directory.facilities.get(facility_id)
        if facility is None:
            return None
        try:
            return calendar_for(facility.time_zone, facility.holiday_calendar)
        except InvalidArgument:
            return None

    def waits_for(self, snapshot: Snapshot) -> str:
        """What has to be known before it can be planned: a protocol, its facility, somebody to own what opens."""
        if not (topics := topics_of(snapshot)) or not self._is_reason(snapshot):
            return ""
        if not any(protocol.trigger.on is topics[0].about for protocol in self.newest):
            return "protocol"
        if self.calendar_of(snapshot.facility_id) is None:
            return "facility"
        return "" if self.directory.owner_for(snapshot.facility_id, "") else "owner"

    def _is_reason(self, snapshot: Snapshot) -> bool:
        return isinstance(snapshot, EncounterSnapshot | GlassSnapshot) or snapshot.gives_reason

    def concerns(self, topic: Topic) -> bool:
        """Whether there is, or could be, a loop about it. Most appointments are kept and open none."""
        if isinstance(topic, EncounterFacts | GlassFacts) or topic.gives_reason:
            return True
        return any(loop_id(protocol.key, topic.id) in self.loops for protocol in self.newest)

    def subject(self, topic: Topic) -> Subject | GlassFacts | Case:
        """What it is about with its patient, and what else its facility may be told of them; of an emergency just that."""
        if isinstance(topic, GlassFacts):
            return topic
        patient, told = self._patient(topic), self.told.at(topic.facility_id, topic.patient_id)
        visits = tuple(
            other.facts
            for other in self.encounters
            if other.patient_id == topic.patient_id
            and other.id != topic.id
            and other.may_count_at(topic.facility_id)
        )
        if isinstance(topic, EncounterFacts):
            return Subject(encounter=topic, patient=patient, others=visits, told=told)
        return Case(of=topic, patient=patient, visits=visits, told=told)

    def _patient(self, topic: EncounterFacts | Matter) -> PatientFacts:
        """The patient as the facility knows them."""
        shared = self.patients.get(topic.patient_id, NOBODY_KNOWN)
        program = self.programs.get((topic.patient_id, topic.facility_id))
        return program.with_shared(shared) if program else shared


def topics_of(snapshot: Snapshot) -> tuple[Topic, ...]:
    """What loops can be about in a snapshot."""
    if isinstance(snapshot, EncounterSnapshot | GlassSnapshot):
        return (snapshot.facts,)
    return matters_of(snapshot)


async def plan_patients(tx: Transaction, patient_ids: Iterable[UUID]) -> None:
    """Plan everything of these patients that a loop can be about. Call it while alone with them (RecordStore.lock_patients)."""
    patient_ids = set(patient_ids)
    encounters = await RecordStore(tx).encounters_of(patient_ids)
    told = await ToldStore(tx).of_patients(patient_ids)
    glasses = await RecordStore(tx).glasses_of(patient_ids)
    snapshots: list[Snapshot] = [*encounters, *glasses, *told.sources]
    if not snapshots:
        return
    known = await _read(tx, encounters, told, snapshots)
    loops, tasks, idle = list[Loop](), list[Task](), list[Loop]()
    for snapshot in snapshots:
        calendar = known.calendar_of(snapshot.facility_id)
        if calendar is None or known.waits_for(snapshot):
            continue
        for changes, is_idle in _changes(known, snapshot, calendar, tx.at):
            tasks.extend(changes.tasks)
            if changes.loop:
                loops.append(changes.loop)
                idle.extend([changes.loop] if is_idle else [])
    await save_loops(tx, known.directory, loops, tasks, idle)
    await _note_what_waits(tx, known, snapshots)


async def _note_what_waits(tx: Transaction, known: Known, snapshots: Sequence[Snapshot]) -> None:
    noted = [replace(each, waits_for=known.waits_for(each)) for each in snapshots]
    changed = [note for note, each in zip(noted, snapshots, strict=True) if note != each]
    of_record = [each for each in changed if isinstance(each, EncounterSnapshot | GlassSnapshot)]
    await RecordStore(tx).wait(of_record)
    await ToldStore(tx).wait(
        [each for each in changed if not isinstance(each, EncounterSnapshot | GlassSnapshot)]
    )


async def _read(
    tx: Transaction,
    encounters: Sequence[EncounterSnapshot],
    told: Told,
    snapshots: Sequence[Snapshot],
) -> Known:
    patients = await RecordStore(tx).patients(each.patient_id for each in snapshots)
    programs = await RecordStore(tx).programs(each.patient_id for each in snapshots)
    newest = [published.parsed() for published in await ProtocolStore(tx).newest()]
    topics = [topic for each in snapshots for topic in topics_of(each)]
    loops = await LoopStore(tx).some(loop_id(p.key, topic.id) for p in newest for topic in topics)
    tasks = defaultdict(list)
    for task in await TaskStore(tx).of_loops(loop.id for loop in loops):
        tasks[task.loop_id].append(task)
    return Known(
        encounters=encounters,
        patients={patient.id: patient.facts for patient in patients.values()},
        programs=programs,
        told=told,
        directory=await DirectoryStore(tx).at(each.facility_id for each in snapshots),
        loops={loop.id: loop for loop in loops},
        tasks=tasks,
        newest=newest,
        followed=await _followed(tx, loops, newest),
    )


async def _followed(
    tx: Transaction, loops: Sequence[Loop], newest: Sequence[Protocol]
) -> dict[tuple[str, int], Protocol]:
    """The versions that these loops began with. A loop keeps its version for ever."""
    found = {(protocol.key, protocol.version): protocol for protocol in newest}
    for key, version in sorted({(loop.protocol, loop.protocol_version) for loop in loops}):
        if (key, version) not in found:
            found[key, version] = (await ProtocolStore(tx).get(key, version)).parsed()
    return found


def _changes(
    known: Known, snapshot: Snapshot, calendar: Calendar, now: datetime
) -> Iterator[tuple[Changes, bool]]:
    """What changes in its loops under each protocol, and whether such a loop has no open task left."""
    for topic in topics_of(snapshot):
        if not known.concerns(topic):
            continue
        subject = known.subject(topic)
        for newest in known.newest:
            loop = known.loops.get(loop_id(newest.key, topic.id))
            tasks = known.tasks.get(loop.id, []) if loop else []
            protocol = known.followed[loop.protocol, loop.protocol_version] if loop else newest
            plan = plan_with(protocol, subject, calendar, tasks)
            changes = reconcile(plan, loop, tasks, known.directory, about=topic, now=now)
            after = {task.id: task for task in (*tasks, *changes.tasks)}
            yield changes, not any(task.is_open for task in after.values())
