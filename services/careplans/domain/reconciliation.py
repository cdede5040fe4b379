"""The comparison of the medicines before and after a stay: its lines, what is decided about each, and the signature.

It records decisions, and neither prescribes nor infers: no state of it says that a medicine is taken.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID, uuid5

from libs.chassis.errors import FailedPrecondition, InvalidArgument, NotFound
from services.careplans.domain.labels import Labels
from services.careplans.domain.matching import Difference, Pair, compare
from services.careplans.domain.medicine import Medicine

# The root of ids that follow from the encounter; never change it.
_ROOT = UUID("b3a9c1a0-7a55-5c5d-9f8e-2f7b1b8b7d30")


class Side(StrEnum):
    BEFORE = "BEFORE"
    AFTER = "AFTER"


class ReconciliationState(StrEnum):
    OPEN = "OPEN"
    SIGNED = "SIGNED"
    CANCELLED = "CANCELLED"


class Decision(StrEnum):
    CONTINUE = "CONTINUE"
    CHANGE = "CHANGE"
    STOP = "STOP"
    ASK = "ASK"


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicineList:
    """What somebody entered as the list of one side of a stay. `encounter_version` 0: registry told nothing of the stay yet."""

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    encounter_id: UUID
    encounter_version: int
    side: Side
    source: str
    medicines: tuple[Medicine, ...]
    entered_by_id: UUID
    entered_at: datetime
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One medicine on either list, and what is decided about it."""

    id: UUID
    before: Medicine | None
    after: Medicine | None
    difference: Difference
    differing: tuple[str, ...] = ()
    decision: Decision | None = None
    note: str = ""
    ask_role: str = ""
    ask_due_at: datetime | None = None
    answered_at: datetime | None = None
    answer_decision: Decision | None = None
    answer: str = ""

    @property
    def is_unanswered(self) -> bool:
        return self.decision is Decision.ASK and self.answered_at is None

    def decide(
        self, decision: Decision | None, note: str, ask_role: str, ask_due_at: datetime | None
    ) -> Self:
        """As decided; what was answered to an earlier question goes with it."""
        is_ask = decision is Decision.ASK
        return replace(
            self,
            decision=decision,
            note=note,
            ask_role=ask_role if is_ask else "",
            ask_due_at=ask_due_at if is_ask else None,
            answered_at=None,
            answer_decision=None,
            answer="",
        )

    def reply(self, decision: Decision, answer: str, at: datetime) -> Self:
        """What came of the question. The decision stays ASK, so that one sees that it was one."""
        if self.decision is not Decision.ASK:
            raise FailedPrecondition("LINE_NOT_ASKED", "Nobody has asked anything about this line.")
        return replace(self, answer_decision=decision, answer=answer, answered_at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who signed, and when."""

    by_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The lines of one stay. Half done it can be left; signed it can only be answered, or opened anew once the patient left
    after that.
    """

    id: UUID
    version: int
    facility_id: UUID
    patient_id: UUID
    encounter_id: UUID
    encounter_version: int
    state: ReconciliationState = ReconciliationState.OPEN
    lines: tuple[Line, ...]
    signed_by_id: UUID | None = None
    signed_at: datetime | None = None
    earlier_signatures: tuple[Signature, ...] = ()
    left_at: datetime | None = None
    opened_at: datetime
    labels: Labels

    @property
    def is_outdated(self) -> bool:
        """Whether the patient left after it was signed: then the list for the way home may be another one."""
        return bool(self.signed_at and self.left_at and self.left_at > self.signed_at)

    @property
    def undecided(self) -> list[Line]:
        return [line for line in self.lines if line.decision is None]

    @property
    def unanswered(self) -> list[Line]:
        return [line for line in self.lines if line.is_unanswered]

    def next(self) -> Self:
        """As it is saved after a change."""
        return replace(self, version=self.version + 1)

    def decide(self, line_id: UUID, change: Callable[[Line], Line]) -> Self:
        """With one line decided otherwise."""
        self.must_be_open()
        return self._with(line_id, change)

    def answer(self, line_id: UUID, change: Callable[[Line], Line]) -> Self:
        """With one question answered, also after the signature."""
        if self.state is ReconciliationState.CANCELLED:
            raise _cancelled()
        return self._with(line_id, change)

    def keep_same(self) -> Self:
        """Every line that is the same on both lists goes on, unless somebody decided otherwise."""
        self.must_be_open()
        lines = tuple(
            line.decide(Decision.CONTINUE, "", "", None)
            if line.difference is Difference.SAME and line.decision is None
            else line
            for line in self.lines
        )
        return replace(self, lines=lines)

    def sign(self, by: UUID, at: datetime) -> Self:
        """As signed; a question may wait for its answer, a line for its decision may not."""
        self.must_be_open()
        if count := len(self.undecided):
            raise FailedPrecondition(
                "LINES_UNDECIDED", f"Decide the other lines first: {count}.", count=str(count)
            )
        return replace(self, state=ReconciliationState.SIGNED, signed_by_id=by, signed_at=at)

    def open_anew(self) -> Self:
        """Open again if the patient left after it was signed. The signature is kept, and what is decided about each line."""
        if not (self.is_outdated and self.signed_by_id and self.signed_at):
            return self
        signed = Signature(by_id=self.signed_by_id, at=self.signed_at)
        return replace(
            self,
            state=ReconciliationState.OPEN,
            signed_by_id=None,
            signed_at=None,
            earlier_signatures=(*self.earlier_signatures, signed),
        )

    def compare_anew(self, before: MedicineList, after: MedicineList) -> Self:
        """With the lines of the lists as they are now; those that are as they were keep what is decided about them."""
        known = {line.id: line for line in self.lines}
        lines = compare_lists(self.id, before, after)
        return replace(self, lines=tuple(known.get(line.id, line) for line in lines))

    def must_be_open(self) -> None:
        if self.state is ReconciliationState.CANCELLED:
            raise _cancelled()
        if self.state is ReconciliationState.SIGNED:
            what = "It was signed, and stays as it is."
            outdated = "The patient left after it was signed: open it anew first."
            raise FailedPrecondition(
                "RECONCILIATION_SIGNED", outdated if self.is_outdated else what
            )

    def for_stay(self, *, is_taken_back: bool) -> Self:
        """Cancelled with its stay and open again with it. What was signed stays signed."""
        if self.state is ReconciliationState.SIGNED:
            return self
        cancelled, open_ = ReconciliationState.CANCELLED, ReconciliationState.OPEN
        return replace(self, state=cancelled if is_taken_back else open_)

    def _with(self, line_id: UUID, change: Callable[[Line], Line]) -> Self:
        if all(line.id != line_id for line in self.lines):
            raise NotFound("LINE_NOT_FOUND", "There is no such line in this reconciliation.")
        lines = tuple(change(line) if line.id == line_id else line for line in self.lines)
        return replace(self, lines=lines)


def _cancelled() -> FailedPrecondition:
    return FailedPrecondition("RECONCILIATION_CANCELLED", "The stay was taken back.")


def reconciliation_id(encounter_id: UUID, facility_id: UUID) -> UUID:
    """The reconciliation of a stay: one for ever. With its facility, so that nobody elsewhere can be in its way."""
    return uuid5(_ROOT, f"{facility_id}/{encounter_id}")


def list_id(encounter_id: UUID, facility_id: UUID, side: Side) -> UUID:
    return uuid5(_ROOT, f"{facility_id}/{encounter_id}/{side}")


def open_reconciliation(lists: Iterable[MedicineList], at: datetime) -> Reconciliation:
    """The comparison of two lists; FAILED_PRECONDITION while one was not entered, for nothing is not an empty list."""
    sides = {each.side: each for each in lists}
    if missing := [side for side in Side if side not in sides]:
        raise FailedPrecondition(
            "LIST_MISSING",
            f"Enter the list {missing[0].lower()} the stay first, also if nothing is on it.",
            side=missing[0],
        )
    before, after = sides[Side.BEFORE], sides[Side.AFTER]
    id = reconciliation_id(before.encounter_id, before.facility_id)
    return Reconciliation(
        id=id,
        version=1,
        facility_id=before.facility_id,
        patient_id=before.patient_id,
        encounter_id=before.encounter_id,
        encounter_version=max(before.encounter_version, after.encounter_version),
        lines=compare_lists(id, before, after),
        opened_at=at,
        labels=before.labels,
    )


def compare_lists(id: UUID, before: MedicineList, after: MedicineList) -> tuple[Line, ...]:
    """The lines by difference. Their ids follow from what is written, so that what is written alike is the same line."""
    return tuple(_lines(id, compare(before.medicines, after.medicines)))


def _lines(id: UUID, pairs: Sequence[Pair]) -> Iterable[Line]:
    times: dict[str, int] = {}
    for pair in pairs:
        written = f"{pair.before}/{pair.after}"
        times[written] = times.get(written, 0) + 1
        yield Line(
            id=uuid5(id, f"{written}/{times[written]}"),
            before=pair.before,
            after=pair.after,
            difference=pair.difference,
            differing=pair.differing,
        )


def check_ask(decision: Decision | None, role: str, due_at: datetime | None, now: datetime) -> None:
    """INVALID_ARGUMENT for a question to nobody, or until no time."""
    if decision is not Decision.ASK:
        return
    if not role:
        raise InvalidArgument("ASK_ROLE_MISSING", "Say who has to be asked.", field="ask_role")
    if due_at is None or due_at <= now:
        raise InvalidArgument(
            "ASK_DUE_MISSING", "Say until when, a time that lies ahead.", field="ask_due_time"
        )
