"""Whatever a facility does, takes back and enters again: the visit is as it left it."""

from itertools import groupby

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.registry.domain.report import Diagnosis, VisitReport
from tests.unit.registry.streams import at, jane, number, only, told

QUARTERS = st.integers(1, 4)


class Ward(RuleBasedStateMachine):
    """A facility that makes no mistakes: whatever it does and takes back, the visit is as it left it.

    What it enters again after a cancel may tell an earlier time, though none before what it builds on. A cancel tells its own
    time, or that of what it cancels.
    """

    def __init__(self) -> None:
        super().__init__()
        self.hours = 0
        self.sent: list[VisitReport] = []
        self.state: str | None = None
        self.places: list[tuple[str, float]] = []
        # By which trigger the last act of each kind was told, and when.
        self.acts: dict[str, tuple[str, int]] = {}
        self.ended_at: float | None = None
        self.began_at: float | None = None
        self.diagnoses: tuple[Diagnosis, ...] = ()

    def send(self, kind: str, trigger: str, happened: float | None = None, **said: object) -> float:
        self.hours += 1
        happened = self.hours if happened is None else happened
        if kind:
            self.acts[kind] = (trigger, self.hours)
        person = jane(number("1"))
        self.sent.append(told(trigger, self.hours, happened, person=person, **said))
        return happened

    def earlier(self, kind: str, quarters: int) -> float:
        """A time between the last act of another kind, or the place before, and now."""
        others = (told for other, (_, told) in self.acts.items() if other != kind)
        since = max((*others, *(since for _, since in self.places[-1:])), default=-8)
        return since + (self.hours + 1 - since) * quarters / 4

    @precondition(lambda self: self.state in (None, "PLANNED", "CANCELLED"))
    @rule(place=st.sampled_from(("3W", "4W")), quarters=QUARTERS)
    def admit(self, place: str, quarters: int) -> None:
        is_again = self.state == "CANCELLED"
        self.state, self.places = "IN_PROGRESS", []
        self.diagnoses = () if is_again else self.diagnoses
        happened = self.earlier("admission", quarters) if is_again else None
        self.began_at = self.send("admission", "A01", happened, location=place)
        self.places.append((place, self.began_at))

    @precondition(lambda self: self.state in (None, "CANCELLED"))
    @rule()
    def announce(self) -> None:
        self.state, self.places, self.diagnoses = "PLANNED", [], ()
        self.send("admission", "A05")

    @precondition(lambda self: self.state == "IN_PROGRESS")
    @rule(place=st.sampled_from(("3W", "4W", "ICU")), quarters=QUARTERS)
    def transfer(self, place: str, quarters: int) -> None:
        is_again = self.acts.get("transfer", ("",))[0] == "A12"
        happened = self.earlier("transfer", quarters) if is_again else None
        self.places.append((place, self.send("transfer", "A02", happened, location=place)))

    @precondition(lambda self: self.state == "IN_PROGRESS" and len(self.places) > 1)
    @rule(tells_its_own_time=st.booleans())
    def cancel_transfer(self, tells_its_own_time: bool) -> None:
        _, happened = self.places.pop()
        here, _ = self.places[-1]
        self.send("transfer", "A12", None if tells_its_own_time else happened, location=here)

    @precondition(lambda self: self.state == "IN_PROGRESS")
    @rule(quarters=QUARTERS)
    def discharge(self, quarters: int) -> None:
        self.state = "FINISHED"
        happened = self.earlier("discharge", quarters)
        self.ended_at = self.send("discharge", "A03", happened, discharge_disposition="01")

    @precondition(lambda self: self.state == "FINISHED")
    @rule(tells_its_own_time=st.booleans())
    def cancel_discharge(self, tells_its_own_time: bool) -> None:
        self.state = "IN_PROGRESS"
        self.send("discharge", "A13", None if tells_its_own_time else self.ended_at)

    @precondition(lambda self: self.state in ("IN_PROGRESS", "FINISHED"))
    @rule(tells_its_own_time=st.booleans())
    def cancel_admission(self, tells_its_own_time: bool) -> None:
        self.state = "CANCELLED"
        self.send("admission", "A11", None if tells_its_own_time else self.began_at)

    @precondition(lambda self: self.state)
    @rule()
    def update(self) -> None:
        self.send("", "A08")

    @precondition(lambda self: self.state not in (None, "CANCELLED"))
    @rule(code=st.sampled_from(("I50.9", "F20.9")))
    def diagnose(self, code: str) -> None:
        self.diagnoses = (Diagnosis(code=code),)
        self.send("", "A08", diagnoses=self.diagnoses)

    @invariant()
    def the_visit_is_as_the_ward_left_it(self) -> None:
        if self.state is None:
            return
        encounter = only(*reversed(self.sent))
        assert encounter.state == self.state
        ended_at = self.ended_at if self.state == "FINISHED" else None
        assert encounter.discharge_at == (None if ended_at is None else at(ended_at))
        assert encounter.diagnoses == self.diagnoses
        if self.state in ("IN_PROGRESS", "FINISHED"):
            assert encounter.admit_at == at(self.began_at)
            stays = [place for place, _ in groupby(place for place, _ in self.places)]
            assert [stay.place for stay in encounter.locations] == stays


Ward.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestWard = Ward.TestCase
