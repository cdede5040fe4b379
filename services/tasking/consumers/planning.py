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
from services.tasking.domain.plan import PatientFacts, Subject, plan_loop
from services.tasking.domain.protocol import Protocol
from services.tasking.domain.reconcile import Changes, reconcile
from services.tasking.domain.snapshot import NOBODY_KNOWN, EncounterSnapshot, ProgramSnapshot
from services.tasking.domain.task import Task
from services.tasking.events import save_loops
from services.tasking.store import (
    DirectoryStore,
    LoopStore,
    ProtocolStore,
    RecordStore,
    TaskStore,
)


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

    def waits_for(self, encounter: EncounterSnapshot) -> str:
        """What has to be known before the encounter can be planned: a protocol, its facility, somebody to own what opens."""
        if not self.newest:
            return "protocol"
        if self.calendar_of(encounter.facility_id) is None:
            return "facility"
        return "" if self.directory.owner_for(encounter.facility_id, "") else "owner"

    def subject(self, encounter: EncounterSnapshot) -> Subject:
        """The encounter with its patient, and the patient's other encounters that its facility may be told of."""
        return Subject(
            encounter=encounter.facts,
            patient=self._patient(encounter),
            others=tuple(
                other.facts
                for other in self.encounters
                if other.patient_id == encounter.patient_id
                and other.id != encounter.id
                and other.may_count_at(encounter.facility_id)
            ),
        )

    def _patient(self, encounter: EncounterSnapshot) -> PatientFacts:
        """The patient as the encounter's facility knows them."""
        shared = self.patients.get(encounter.patient_id, NOBODY_KNOWN)
        program = self.programs.get((encounter.patient_id, encounter.facility_id))
        return program.with_shared(shared) if program else shared


async def plan_patients(tx: Transaction, patient_ids: Iterable[UUID]) -> None:
    """Plan every encounter of these patients anew. Call it while alone with them (RecordStore.lock_patients)."""
    encounters = await RecordStore(tx).encounters_of(patient_ids)
    if not encounters:
        return
    known = await _read(tx, encounters)
    loops, tasks, idle = list[Loop](), list[Task](), list[Loop]()
    for encounter in encounters:
        calendar = known.calendar_of(encounter.facility_id)
        if calendar is None or known.waits_for(encounter):
            continue
        for changes, is_idle in _changes(known, encounter, calendar, tx.at):
            tasks.extend(changes.tasks)
            if changes.loop:
                loops.append(changes.loop)
                idle.extend([changes.loop] if is_idle else [])
    await save_loops(tx, known.directory, loops, tasks, idle)
    noted = [replace(e, waits_for=known.waits_for(e)) for e in encounters]
    await RecordStore(tx).wait([n for n, e in zip(noted, encounters, strict=True) if n != e])


async def _read(tx: Transaction, encounters: Sequence[EncounterSnapshot]) -> Known:
    patients = await RecordStore(tx).patients(e.patient_id for e in encounters)
    programs = await RecordStore(tx).programs(e.patient_id for e in encounters)
    loops = await LoopStore(tx).of_encounters(e.id for e in encounters)
    tasks = defaultdict(list)
    for task in await TaskStore(tx).of_loops(loop.id for loop in loops):
        tasks[task.loop_id].append(task)
    newest = [published.parsed() for published in await ProtocolStore(tx).newest()]
    return Known(
        encounters=encounters,
        patients={patient.id: patient.facts for patient in patients.values()},
        programs=programs,
        directory=await DirectoryStore(tx).at(e.facility_id for e in encounters),
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
    known: Known, encounter: EncounterSnapshot, calendar: Calendar, now: datetime
) -> Iterator[tuple[Changes, bool]]:
    """What changes in the encounter's loop under each protocol, and whether that loop has no open task left."""
    subject = known.subject(encounter)
    for newest in known.newest:
        loop = known.loops.get(loop_id(newest.key, encounter.id))
        tasks = known.tasks.get(loop.id, []) if loop else []
        protocol = known.followed[loop.protocol, loop.protocol_version] if loop else newest
        plan = plan_loop(protocol, subject, calendar)
        changes = reconcile(
            plan,
            loop,
            tasks,
            known.directory,
            encounter=encounter.facts,
            now=now,
        )
        after = {task.id: task for task in (*tasks, *changes.tasks)}
        yield changes, not any(task.is_open for task in after.values())
