"""Questions that several of the checks ask at the end."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from libs.simulator.afterwards import HOSPITAL
from tests.e2e.thousand.world import World

# What counts, and what whose minutes are worth; a minute of two at once is that of the first of these.
_WORTH = ("physician_npp", "clinical_staff", "auxiliary_chw")
_COUNTED = frozenset(
    {"call", "visit", "care_plan", "medication_review", "results", "referral", "other"}
)


async def pages(world: World, account: str, path: str, name: str, **params: str) -> list[Any]:
    """All of a list."""
    found: list[Any] = []
    token = ""
    while True:
        page = await world.hands.get(account, path, pageSize="500", pageToken=token, **params)
        found += page.get(name, [])
        token = page.get("nextPageToken", "")
        if not token:
            return found


def totals_of(entries: Iterable[Mapping[str, Any]]) -> int:
    """Whole minutes of one patient, each moment once: of each month, program and worth rounded down by itself."""
    owned: dict[datetime, tuple[str, str, str]] = {}
    worth = sorted(
        (e for e in entries if e["role_class"] in _WORTH and e["activity"] in _COUNTED),
        key=lambda e: (_WORTH.index(e["role_class"]), e["start_at"], e["id"]),
    )
    for each in worth:
        second = each["start_at"].replace(microsecond=0)
        while second < each["end_at"].replace(microsecond=0):
            month = f"{second.astimezone(HOSPITAL):%Y-%m}"
            owned.setdefault(second, (month, each["program"], each["role_class"]))
            second += timedelta(seconds=1)
    return sum(len(list(seconds)) // 60 for _, seconds in groupby(sorted(owned.values())))
