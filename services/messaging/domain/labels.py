"""How sensitive something is, in the words of `carehub.access.v1.Label`: NORMAL and WITHHELD each stand alone."""

from collections.abc import Iterable

NORMAL = ("NORMAL",)
WITHHELD = ("WITHHELD",)
# What people write at a program under 42 CFR Part 2.
OF_A_PROGRAM = ("PART2",)
# With one of these it is shown as a program's, or to even fewer.
SHOWN_AS_A_PROGRAMS = (*OF_A_PROGRAM, *WITHHELD)


def inherit(rows: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The labels of what was made of these rows: as sensitive as all of them together. One withheld withholds it."""
    found = {label for row in rows for label in row}
    if not found or "WITHHELD" in found:
        return WITHHELD
    return tuple(sorted(found - {"NORMAL"})) or NORMAL
