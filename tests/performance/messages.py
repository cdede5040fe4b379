"""Stays of invented patients as HL7 v2.5.1 messages: admitted, moved, corrected, discharged; one message in eight discharges."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tests.performance.requests import birth_of, name_of

COURSE = ("A01", "A08", "A02", "A08", "A02", "A08", "A08", "A03")
_AT_ONCE = 40
_WARDS = ("3W^312^1", "3W^314^2", "ICU^2^1", "5E^501^1")
_DIAGNOSES = ("I50.9", "J44.1", "E11.9", "I10", "N18.3", "J18.9")
_CLOCKS = {"MERCY": "America/Chicago", "VALLEY": "America/Chicago", "PINECREEK": "America/Denver"}


@dataclass(frozen=True, slots=True)
class Sending:
    """One message; `discharge` is the record number of whom it sends home, or empty."""

    content: bytes
    discharge: str


def stays(run: str, sender: str, seed: int) -> Iterator[Sending]:
    """Endless messages of one feed: many patients at a time, each one's in order."""
    chance = random.Random(f"{run} {sender} {seed}")
    numbers = itertools.count(seed * 10_000_000)
    now = datetime.now(ZoneInfo(_CLOCKS[sender])) - timedelta(minutes=1)
    courses = [_course(run, sender, next(numbers), now) for _ in range(_AT_ONCE)]
    # So that they do not all go home together.
    for at, course in enumerate(courses):
        for _ in range(at % len(COURSE)):
            yield next(course)
    while True:
        at = chance.randrange(_AT_ONCE)
        sending = next(courses[at], None)
        if sending is None:
            courses[at] = _course(run, sender, next(numbers), now)
            sending = next(courses[at])
        yield sending


def _course(run: str, sender: str, number: int, now: datetime) -> Iterator[Sending]:
    family, given = name_of(number)
    year, month, day = birth_of(number)
    mrn = f"{run}{number}"
    admitted = now - timedelta(hours=20, minutes=number % 60)  # not so long ago that steps are late
    for place, event in enumerate(COURSE):
        is_last = event == "A03"
        at = now if is_last else admitted + timedelta(hours=2 * place)
        pv1 = {
            1: "1", 2: "I", 3: _WARDS[(number + place // 2) % len(_WARDS)], 7: "1234^Hale^Ida^^^Dr",
            19: f"V{mrn}", 44: f"{admitted:%Y%m%d%H%M}", 45: f"{at:%Y%m%d%H%M}" if is_last else "",
            36: "01" if is_last else "",
        }  # fmt: skip
        stamp = f"{at:%Y%m%d%H%M%S}"
        segments = [
            f"MSH|^~\\&|EHR|{sender}|CAREHUB|HUB|{stamp}||ADT^{event}|{mrn}-{place}|P|2.5.1",
            f"EVN|{event}|{stamp}|||||",
            f"PID|1||{mrn}^^^{sender}^MR||{family}^{given}||{year:04}{month:02}{day:02}|{'MF'[number % 2]}|||"
            f"{number % 990 + 1} Pine St^^Springfield^IL^62701||217555{number % 10000:04}||eng|||||",
            "PV1|" + "|".join(pv1.get(i, "") for i in range(1, 46)),
            f"DG1|1||{_DIAGNOSES[number % len(_DIAGNOSES)]}^^I10||{stamp}|F",
        ]
        content = "\r".join(segments).encode() + b"\r"
        yield Sending(content, mrn if is_last else "")
