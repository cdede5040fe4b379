"""The invented region: its towns and streets, and the sites that send messages, each with habits of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    HOSPITAL = "HOSPITAL"
    CLINIC = "CLINIC"
    RURAL = "RURAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    name: str
    state: str
    postal_code: str
    area_code: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What one sender does differently. The hub's feed needs the same as its quirks."""

    charset: str = "utf-8"
    # Whether MSH-18 says so.
    names_charset: bool = True
    # Whether times carry their offset; otherwise they are the site's local time.
    says_offset: bool = True
    # Whether EVN-6 tells when it happened; otherwise only EVN-2, when it was typed.
    says_event_time: bool = True
    # Whether CX-4 names who gave the number.
    says_assigner: bool = True
    # Whether PID-3 repeats the insurance number.
    says_insurance: bool = True
    # Whether the visit number is in PV1-19; otherwise it is the account in PID-18.
    has_visit_field: bool = True
    classes: Mapping[str, str] = field(default_factory=dict)
    dispositions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Arrivals on an average day, at intensity 1."""

    emergency: float = 0.0
    inpatient: float = 0.0
    elective: float = 0.0
    outpatient: float = 0.0
    news: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Site:
    """A facility with a feed. `key` is what its messages say in MSH-4."""

    key: str
    name: str
    kind: Kind
    zone: ZoneInfo
    application: str
    towns: tuple[str, ...]
    wards: tuple[str, ...]
    rates: Rates
    habits: Habits = field(default_factory=Habits)

    @property
    def assigner(self) -> str:
        return self.key

    @property
    def is_hospital(self) -> bool:
        return self.kind is not Kind.CLINIC


TOWNS = (
    Town(name="Alder Falls", state="IL", postal_code="62901", area_code="312", weight=30),
    Town(name="Kestrel Point", state="IL", postal_code="62917", area_code="312", weight=18),
    Town(name="Brackwater", state="IL", postal_code="62933", area_code="815", weight=14),
    Town(name="Junegrass", state="IL", postal_code="62945", area_code="815", weight=10),
    Town(name="Larkspur Mills", state="IL", postal_code="62958", area_code="815", weight=8),
    Town(name="Tamarack Bend", state="IL", postal_code="62966", area_code="815", weight=6),
    Town(name="Pine Creek", state="CO", postal_code="81901", area_code="719", weight=8),
    Town(name="Coldwater Gulch", state="CO", postal_code="81922", area_code="719", weight=4),
    Town(name="Two Ravens", state="CO", postal_code="81937", area_code="719", weight=2),
)
STREETS = (
    "Heron Way", "Larkspur Lane", "Old Mill Road", "Juniper Street", "Foxglove Court", "Cinder Hill Road", "Orchard Row",
    "Miller's Crossing", "Sandpiper Drive", "Willow Bend", "Tannery Street", "Quarry Road", "St. Brannock Avenue",
    "Ferry Landing", "Copper Beech Lane", "North Depot Street", "Meadowlark Circle", "Lantern Street", "Ropewalk",
    "Granary Lane", "Thornbury Place", "Railroad Avenue", "Camino del Álamo", "Windmill Terrace", "Salt Lick Road",
)  # fmt: skip

_CHICAGO, _DENVER = ZoneInfo("America/Chicago"), ZoneInfo("America/Denver")
_EAST = ("Alder Falls", "Kestrel Point", "Brackwater", "Junegrass", "Larkspur Mills")

SITES = (
    Site(
        key="MERCY",
        name="Mercy Regional Hospital",
        kind=Kind.HOSPITAL,
        zone=_CHICAGO,
        application="EHR",
        towns=_EAST,
        wards=("5WEST", "4EAST", "3SURG", "ICU", "STEPDOWN", "6MED"),
        rates=Rates(emergency=5.0, inpatient=4.0, elective=1.6, outpatient=3.0, news=1.6),
    ),
    Site(
        key="VALLEY",
        name="Valley Family Clinic",
        kind=Kind.CLINIC,
        zone=_CHICAGO,
        application="CLINICSOFT",
        towns=("Junegrass", "Larkspur Mills", "Tamarack Bend", "Brackwater"),
        wards=("EXAM",),
        rates=Rates(outpatient=9.0, news=1.2),
        habits=Habits(says_offset=False, says_event_time=False),
    ),
    Site(
        key="PINECREEK",
        name="Pine Creek Rural Health",
        kind=Kind.RURAL,
        zone=_DENVER,
        application="MEDTRACK",
        towns=("Pine Creek", "Coldwater Gulch", "Two Ravens"),
        wards=("MED", "SWING"),
        rates=Rates(emergency=1.5, inpatient=1.2, elective=0.2, outpatient=1.6, news=0.5),
        habits=Habits(
            charset="latin-1",
            names_charset=False,
            says_offset=False,
            says_assigner=False,
            says_insurance=False,
            classes={"I": "IP", "E": "ER", "O": "OP", "P": "PRE"},
            dispositions={"01": "HOME", "06": "HOMECARE", "03": "SNF", "20": "EXPIRED"},
        ),
    ),
    Site(
        key="SUMMIT",
        name="Summit Lake Medical Center",
        kind=Kind.HOSPITAL,
        zone=_CHICAGO,
        application="ADTHUB",
        towns=("Alder Falls", "Kestrel Point", "Tamarack Bend"),
        wards=("A2", "A3", "B4", "CCU", "PCU"),
        rates=Rates(emergency=4.0, inpatient=3.0, elective=1.2, outpatient=2.0, news=1.2),
        habits=Habits(says_insurance=False),
    ),
    Site(
        key="CEDAR",
        name="Cedar Street Health Center",
        kind=Kind.CLINIC,
        zone=_CHICAGO,
        application="OPENCLINIC",
        towns=("Alder Falls", "Kestrel Point"),
        wards=("ROOM",),
        rates=Rates(outpatient=8.0, news=1.0),
        habits=Habits(says_assigner=False, has_visit_field=False),
    ),
    Site(
        key="TWINRAVENS",
        name="Two Ravens Critical Access Hospital",
        kind=Kind.RURAL,
        zone=_DENVER,
        application="MEDTRACK",
        towns=("Two Ravens", "Coldwater Gulch"),
        wards=("WARD",),
        rates=Rates(emergency=1.2, inpatient=0.8, outpatient=0.8, news=0.3),
        habits=Habits(says_offset=False, charset="latin-1"),
    ),
)
DEMO_FEEDS = ("MERCY", "VALLEY", "PINECREEK")


def sites(keys: tuple[str, ...]) -> tuple[Site, ...]:
    """The sites of these keys, in the order of the region. Raises KeyError for one that is not there."""
    known = {site.key: site for site in SITES}
    for key in keys:
        known[key]
    return tuple(site for site in SITES if site.key in keys)
