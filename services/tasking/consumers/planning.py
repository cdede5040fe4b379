"""Makes the loops of patients what the record asks for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from libs.chassis.database import Transaction
from libs.chassis.errors import InvalidArgument
from services.tasking.domain.calendar import Calendar, calendar_for
from services.tasking.domain.loop import Loop, loop_id
from services.tasking.domain.owner import Directory
from services.tasking.domain.plan import GlassFacts, PatientFacts, Subject, plan_loop
from services.tasking.domain.protocol import Protocol
from services.tasking.domain.reconcile import Changes, reconcile
from services.tasking.domain.snapshot import (
    NOBODY_KNOWN,
    EncounterSnapshot,
    GlassSnapshot,
    ProgramSnapshot,
)
from services.tasking.domain.task import Task
from services.tasking.events import save_loops
from services.tasking.store import (
    DirectoryStore,
    LoopStore,
    ProtocolStore,
    RecordStore,
    TaskStore,
)

# What a loop can be about.
Snapshot = EncounterSnapshot | GlassSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Everything that planning some patients looks at."""

    encounters: Sequence[EncounterSnapshot]
    patients: dict[UUID, PatientFacts]
    programs: dict[tuple[UUID, UUID], ProgramSnapshot]
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
        if not any(protocol.trigger.on is snapshot.facts.about for protocol in self.newest):
            return "protocol"
        if self.calendar_of(snapshot.facility_id) is None:
            return "facility"
        return "" if self.directory.owner_for(snapshot.facility_id, "") else "owner"

    def subject(self, snapshot: Snapshot) -> Subject | GlassFacts:
        """The encounter with its patient and the patient's other encounters that its facility may be told of; of an
        emergency just that.
        """
        if isinstance(snapshot, GlassSnapshot):
            return snapshot.facts
        return Subject(
            encounter=snapshot.facts,
            patient=self._patient(snapshot),
            others=tuple(
                other.facts
                for other in self.encounters
                if other.patient_id == snapshot.patient_id
                and other.id != snapshot.id
                and other.may_count_at(snapshot.facility_id)
            ),
        )

    def _patient(self, encounter: EncounterSnapshot) -> PatientFacts:
        """The patient as the encounter's facility knows them."""
        shared = self.patients.get(encounter.patient_id, NOBODY_KNOWN)
        program = self.programs.get((encounter.patient_id, encounter.facility_id))
        return program.with_shared(shared) if program else shared


async def plan_patients(tx: Transaction, patient_ids: Iterable[UUID]) -> None:
    """Plan everything of these patients that a loop can be about. Call it while alone with them (RecordStore.lock_patients)."""
    patient_ids = set(patient_ids)
    encounters = await RecordStore(tx).encounters_of(patient_ids)
    snapshots: list[Snapshot] = [*encounters, *await RecordStore(tx).glasses_of(patient_ids)]
    if not snapshots:
        return
    known = await _read(tx, encounters, snapshots)
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
    noted = [replace(each, waits_for=known.waits_for(each)) for each in snapshots]
    await RecordStore(tx).wait([n for n, each in zip(noted, snapshots, strict=True) if n != each])


async def _read(
    tx: Transaction, encounters: Sequence[EncounterSnapshot], snapshots: Sequence[Snapshot]
) -> Known:
    patients = await RecordStore(tx).patients(each.patient_id for each in encounters)
    programs = await RecordStore(tx).programs(each.patient_id for each in encounters)
    loops = await LoopStore(tx).about(each.id for each in snapshots)
    tasks = defaultdict(list)
    for task in await TaskStore(tx).of_loops(loop.id for loop in loops):
        tasks[task.loop_id].append(task)
    newest = [published.parsed() for published in await ProtocolStore(tx).newest()]
    return Known(
        encounters=encounters,
        patients={patient.id: patient.facts for patient in patients.values()},
        programs=programs,
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
    """What changes in its loop under each protocol, and whether that loop has no open task left."""
    subject = known.subject(snapshot)
    for newest in known.newest:
        loop = known.loops.get(loop_id(newest.key, snapshot.id))
        tasks = known.tasks.get(loop.id, []) if loop else []
        protocol = known.followed[loop.protocol, loop.protocol_version] if loop else newest
        plan = plan_loop(protocol, subject, calendar)
        changes = reconcile(plan, loop, tasks, known.directory, about=snapshot.facts, now=now)
        after = {task.id: task for task in (*tasks, *changes.tasks)}
        yield changes, not any(task.is_open for task in after.values())
