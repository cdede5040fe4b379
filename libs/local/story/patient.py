"""Whom the story is about, invented anew for each time it is played; and what the systems of the facilities send of her."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

FAMILY, GIVEN = "Barrera", "Consuelo"
PHONE, PHONE_AS_SENT = "+17195550177", "^PRN^CP^^1^719^5550177"
ADDRESS = "44 Cottonwood Road^^Pine Creek^CO^81901^USA^H"
# Heart failure, and diabetes.
_DIAGNOSES = ("I50.9^Heart failure, unspecified^I10C", "E11.9^Type 2 diabetes mellitus^I10C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """78 years old; born on another day each time, so that nobody takes her for the one of the last time."""

    friday: date

    @property
    def born(self) -> date:
        return self.friday.replace(year=self.friday.year - 78) - timedelta(days=100)

    @property
    def hospital_number(self) -> str:
        return f"MR-S{self.friday:%y%m%d}"

    @property
    def clinic_number(self) -> str:
        return f"PC-S{self.friday:%y%m%d}"

    @property
    def neighbors_number(self) -> str:
        return f"RN-S{self.friday:%y%m%d}"

    def at_home(self, began: datetime) -> bytes:
        """A visit of the neighbors at her home, as their list of visits sends it."""
        pv1 = {
            2: "O",
            3: "HOME",
            19: f"{self.neighbors_number}-{began:%m%d%H%M}",
            44: _stamp(began),
        }
        return self._message("RIDGE", "A04", began, self.neighbors_number, pv1)

    def at_clinic(self, event: str, began: datetime, *, ended: datetime | None = None) -> bytes:
        """A visit of hers, as the clinic's older system with codes of its own sends it."""
        when = ended or began
        number = f"{self.clinic_number}-{began:%m%d%H%M}"
        pv1 = {2: "OP", 3: "ROOM^2^1^PINECREEK", 19: number, 44: _stamp(began)}
        if ended:
            pv1 |= {36: "HOME", 45: _stamp(ended)}
        return self._message("PINECREEK", event, when, self.clinic_number, pv1)

    def at_hospital(self, event: str, began: datetime, *, ended: datetime | None = None) -> bytes:
        """Her stay, as the hospital sends it."""
        when = ended or began
        pv1 = {2: "I", 3: "5WEST^512^1^MERCY", 4: "E", 10: "MED", 19: f"V-S{self.friday:%y%m%d}", 44: _stamp(began)}  # fmt: skip
        if ended:
            pv1 |= {36: "01", 45: _stamp(ended)}
        return self._message("MERCY", event, when, self.hospital_number, pv1, _DIAGNOSES)

    def _message(
        self,
        sender: str,
        event: str,
        when: datetime,
        number: str,
        pv1: dict[int, str],
        diagnoses: tuple[str, ...] = (),
    ) -> bytes:
        stamp = _stamp(when)
        control = f"STORY-{sender}-{event}-{stamp}"
        segments = [
            f"MSH|^~\\&|EHR|{sender}|CAREHUB|NETWORK|{stamp}00||ADT^{event}|{control}|P|2.5.1",
            f"EVN|{event}|{stamp}",
            f"PID|1||{number}^^^{sender}^MR||{FAMILY}^{GIVEN}^^^^^L||{self.born:%Y%m%d}|F|||{ADDRESS}||{PHONE_AS_SENT}||es^Spanish^ISO6391",
            "PV1|" + "|".join({1: "1", **pv1}.get(i, "") for i in range(1, 46)),
            *(f"DG1|{n}||{code}|||A" for n, code in enumerate(diagnoses, 1)),
        ]
        return "\r".join(segments).encode("ascii") + b"\r"


def _stamp(at: datetime) -> str:
    return f"{at:%Y%m%d%H%M}"
