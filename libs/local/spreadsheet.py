"""Sections of a network's file that are kept in spreadsheets: `staff: staff.csv`, one row a thing, its fields by their heading.

A cell with several words has semicolons between them. Somebody with several roles has several rows.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# The headings of each section; those with a question mark may be left out.
_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "organizations": ("key", "name", "kind"),
    "facilities": ("key", "organization", "name", "time_zone", "holiday_calendar?", "phone?", "duty_team?"),
    "staff": ("account", "name", "email?", "role", "at?"),
    "teams": ("key", "facility", "name", "role?", "lead", "members"),
    "feeds": ("key", "facility", "name", "sending_facility", "default_assigner?"),
}  # fmt: skip
_LISTS = frozenset({"members"})


class SpreadsheetFailed(RuntimeError):
    """It cannot be read; the message says where and why."""


def with_spreadsheets(network: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The network with each section that names a file replaced by what is in it."""
    return {
        section: _section(section, folder / told)
        if isinstance(told, str) and section != "network"
        else told
        for section, told in network.items()
    }


def _section(section: str, path: Path) -> list[dict[str, Any]]:
    if section not in _HEADINGS:
        raise SpreadsheetFailed(
            f"{section} cannot come from a spreadsheet; {', '.join(_HEADINGS)} can."
        )
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # as spreadsheets write it
            rows = list(_rows(section, path, csv.DictReader(file, strict=True)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SpreadsheetFailed(f"{path} cannot be read as CSV in UTF-8: {error}") from error
    return _people(rows) if section == "staff" else rows


def _rows(section: str, path: Path, reader: "csv.DictReader[str]") -> Iterator[dict[str, Any]]:
    needed = {name for name in _HEADINGS[section] if not name.endswith("?")}
    known = {name.rstrip("?") for name in _HEADINGS[section]}
    headings = set(reader.fieldnames or ())
    if needed - headings or headings - known:
        raise SpreadsheetFailed(
            f"{path}: the headings must be {', '.join(_HEADINGS[section])} (? may be left out)."
        )
    for number, row in enumerate(reader, start=2):
        told = {name: (text or "").strip() for name, text in row.items() if name in known}
        if not any(told.values()):
            continue
        if missing := sorted(name for name in needed if not told[name]):
            raise SpreadsheetFailed(f"{path}, row {number}: {', '.join(missing)} is missing.")
        yield {
            name: [word.strip() for word in text.split(";") if word.strip()]
            if name in _LISTS
            else text
            for name, text in told.items()
            if text
        }


def _people(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry a person, with the roles of all their rows."""
    people: dict[str, dict[str, Any]] = {}
    for row in rows:
        person = people.setdefault(
            row["account"],
            {
                "account": row["account"],
                "name": row["name"],
                "email": row.get("email", ""),
                "roles": [],
            },
        )
        person["roles"].append({"role": row["role"]} | ({"at": row["at"]} if "at" in row else {}))
    return list(people.values())
