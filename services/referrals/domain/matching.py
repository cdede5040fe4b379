"""Which services fit a need, why, and why the others do not. Everything in words: nobody is ranked by a number alone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from libs.calendars.calendar import Calendar
from services.referrals.domain.directory import CapacityStatus, Hours, Service

# CareHub's own choice: nobody vouched for it for so long.
STALE, TOO_STALE = timedelta(days=180), timedelta(days=365)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LANGUAGES = {"en": "English", "es": "Spanish"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is needed: when, where, in which language. What is empty does not matter."""

    need: str
    postal_code: str = ""
    county: str = ""
    start_at: datetime | None = None
    end_at: datetime | None = None
    language: str = ""
    needs_wheelchair: bool = False
    age: int = 0

    @property
    def is_anywhere(self) -> bool:
        return not (self.postal_code or self.county)

    def is_in(self, county: str) -> bool:
        """Whether that is the county that was asked for, however it is spelled."""
        return bool(self.county) and _plain(self.county) == _plain(county)


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for a service or against it. One that rules it out has no weight that could make up for it."""

    code: str
    is_for: bool
    text: str
    weight: int = 0
    rules_out: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    service: Service
    reasons: tuple[Reason, ...]

    @property
    def fits(self) -> bool:
        return not any(reason.rules_out for reason in self.reasons)

    @property
    def is_elsewhere(self) -> bool:
        """It serves other places than the one that was asked for."""
        return any(reason.code == "AREA" and reason.rules_out for reason in self.reasons)

    @property
    def score(self) -> int:
        return sum(reason.weight for reason in self.reasons)

    @property
    def order(self) -> tuple[bool, bool, int, str, UUID]:
        """The best first, then those that do not fit; at the end, by name, those of elsewhere: whatever else is true of them."""
        score = 0 if self.is_elsewhere else self.score
        return not self.fits, self.is_elsewhere, -score, self.service.name, self.service.id


def ranked(
    services: Iterable[Service],
    wanted: Wanted,
    *,
    taken: Mapping[UUID, int],
    calendar: Calendar,
    at: datetime,
) -> list[Match]:
    """The best first, as `Match.order` says. `taken`: of each service, how many drivers are at that time."""
    found = [match(each, wanted, taken.get(each.id, 0), calendar, at) for each in services]
    return sorted(found, key=lambda m: m.order)


def match(service: Service, wanted: Wanted, taken: int, calendar: Calendar, at: datetime) -> Match:
    """How one service fits, the weightiest reason first."""
    reasons = [
        *_need(service, wanted),
        *_status(service),
        *_capacity(service, at),
        *_drivers(service, wanted, taken),
        *_area(service, wanted),
        *_hours(service, wanted, calendar),
        *_wheelchair(service, wanted),
        *_language(service, wanted),
        *_age(service, wanted),
        *_assured(service, at),
    ]
    reasons.sort(key=lambda reason: (not reason.rules_out, -abs(reason.weight)))
    return Match(service, tuple(reasons))


def _need(service: Service, wanted: Wanted) -> Iterator[Reason]:
    if wanted.need not in service.needs:
        yield _against("NEED", "It does not help with this need.")


def _status(service: Service) -> Iterator[Reason]:
    if service.status != "active":
        yield _against("STATUS", f"It is {service.status}.")


def _capacity(service: Service, at: datetime) -> Iterator[Reason]:
    age = _age_of(service.capacity_at, at)
    match service.capacity_now(at):
        case CapacityStatus.YES:
            yield Reason("CAPACITY", True, f"It takes people; it said so {age}.", 30)
        case CapacityStatus.NO:
            yield _against("CAPACITY", f"It takes nobody now; it said so {age}.")
        case CapacityStatus.WAITLIST:
            wait = f": {service.wait}" if service.wait else ""
            yield Reason("CAPACITY", False, f"It has a waiting list{wait}; it said so {age}.", -10)
        case CapacityStatus.ASSESSMENT_REQUIRED:
            yield Reason("CAPACITY", True, f"It looks at each request first; it said so {age}.", 10)
        case CapacityStatus.UNVERIFIED:
            yield Reason("CAPACITY", False, "Nobody knows whether it takes anybody now.", 0)


def _drivers(service: Service, wanted: Wanted, taken: int) -> Iterator[Reason]:
    if not (service.drivers and wanted.start_at):
        return
    free = service.drivers - taken
    if free > 0:
        yield Reason("DRIVERS", True, f"{free} of {_many(service.drivers, 'driver')} free then.", 5)
    else:
        all_of = "Its driver is" if service.drivers == 1 else f"All {service.drivers} drivers are"
        yield _against("DRIVERS", f"{all_of} taken then.")


def _area(service: Service, wanted: Wanted) -> Iterator[Reason]:
    """Whom this rules out the store does not read (`MAY_SERVE`): what is let through here has to be let through there."""
    if wanted.is_anywhere:
        return
    if not (service.postal_codes or service.counties):
        yield Reason("AREA", False, "Its area is not said: ask.", -5)
    elif wanted.postal_code and wanted.postal_code in service.postal_codes:
        yield Reason("AREA", True, f"It serves {wanted.postal_code}.", 10)
    elif any(map(wanted.is_in, service.counties)):
        yield Reason("AREA", True, f"It serves {wanted.county}.", 8)
    elif service.counties and not wanted.county:
        yield Reason("AREA", False, f"It serves {', '.join(service.counties)}: is that here?", -5)
    else:
        yield _against("AREA", f"It does not serve {wanted.postal_code or wanted.county}.")


def _hours(service: Service, wanted: Wanted, calendar: Calendar) -> Iterator[Reason]:
    if wanted.start_at is None:
        return
    local = calendar.local(wanted.start_at)
    until = calendar.local(wanted.end_at) if wanted.end_at else local
    if not service.hours:
        yield Reason("HOURS", False, "Its hours are not said: ask.", -5)
    elif any(is_open(hours, local, until) for hours in service.hours):
        yield Reason("HOURS", True, f"It is there {local:%A} at {local:%H:%M}.", 5)
    else:
        yield _against("HOURS", f"It is not there {local:%A} at {local:%H:%M}.")


def is_open(hours: Hours, local: datetime, until: datetime) -> bool:
    """Whether a service is there at both local times; over midnight, in the same night. At the minute at which it closes, too."""
    begun, ended = _day_of(hours, local), _day_of(hours, until)
    if begun is None or ended is None:
        return False
    return begun == ended or not _is_over_midnight(hours)


def _day_of(hours: Hours, local: datetime) -> date | None:
    """The day whose hours a local time is in. After midnight they can be those of the day before."""
    opens, closes, clock = hours.opens_at or "00:00", hours.closes_at or "24:00", f"{local:%H:%M}"
    day = local.date()
    if not _is_over_midnight(hours):
        is_there = opens <= clock <= closes
    elif is_there := clock <= closes:
        day -= timedelta(days=1)
    else:
        is_there = clock >= opens
    is_on = not hours.days or DAYS[day.weekday()] in hours.days
    return day if is_there and is_on else None


def _is_over_midnight(hours: Hours) -> bool:
    return bool(hours.opens_at and hours.closes_at) and hours.closes_at < hours.opens_at


def _wheelchair(service: Service, wanted: Wanted) -> Iterator[Reason]:
    if not wanted.needs_wheelchair:
        return
    if service.is_wheelchair_accessible:
        yield Reason("WHEELCHAIR", True, "A wheelchair fits in.", 5)
    else:
        yield _against("WHEELCHAIR", "It does not say that a wheelchair fits in.")


def _language(service: Service, wanted: Wanted) -> Iterator[Reason]:
    if not wanted.language:
        return
    name = _LANGUAGES.get(wanted.language, wanted.language)
    if wanted.language in service.languages:
        yield Reason("LANGUAGE", True, f"Somebody there speaks {name}.", 20)
    elif wanted.language != "en":
        yield Reason("LANGUAGE", False, f"It does not say that anybody speaks {name}.", -10)


def _age(service: Service, wanted: Wanted) -> Iterator[Reason]:
    if wanted.age and service.minimum_age and wanted.age < service.minimum_age:
        yield _against("AGE", f"It takes people of {service.minimum_age} and older.")
    if wanted.age and service.maximum_age and wanted.age > service.maximum_age:
        yield _against("AGE", f"It takes people of {service.maximum_age} and younger.")


def _assured(service: Service, at: datetime) -> Iterator[Reason]:
    if service.assured_on is None:
        yield Reason("ASSURED", False, "Nobody has vouched for what is said here.", -5)
        return
    since = at.date() - service.assured_on
    if since > TOO_STALE:
        yield _against("ASSURED", f"Nobody has vouched for it since {service.assured_on}.")
    elif since > STALE:
        yield Reason("ASSURED", False, f"It was last vouched for on {service.assured_on}.", -5)


def _against(code: str, text: str) -> Reason:
    return Reason(code, False, text, 0, rules_out=True)


def _plain(county: str) -> str:
    return county.casefold().removesuffix(" county").strip()


def _age_of(said_at: datetime | None, at: datetime) -> str:
    hours = int((at - said_at).total_seconds() // 3600) if said_at else 0
    if hours < 1:
        return "within the hour"
    if hours < 48:
        return f"{_many(hours, 'hour')} ago"
    return f"{_many(hours // 24, 'day')} ago"


def _many(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
