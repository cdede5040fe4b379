"""How sensitive a row is: as what it was made of, whose labels registry sets."""

from enum import StrEnum


class Label(StrEnum):
    """The words of `carehub.access.v1.Label`. NORMAL stands alone, and so does WITHHELD: never leaves its facility."""

    NORMAL = "NORMAL"
    SUD = "SUD"
    PART2 = "PART2"
    MENTAL_HEALTH = "MENTAL_HEALTH"
    HIV = "HIV"
    STD = "STD"
    REPRODUCTIVE = "REPRODUCTIVE"
    VIOLENCE = "VIOLENCE"
    GENETIC = "GENETIC"
    MINOR_CONFIDENTIAL = "MINOR_CONFIDENTIAL"
    COUNSELING_NOTES = "COUNSELING_NOTES"
    WITHHELD = "WITHHELD"


Labels = tuple[Label, ...]  # in order, never empty
ORDINARY: Labels = (Label.NORMAL,)
# What nobody labeled: it never leaves its facility.
WITHHELD: Labels = (Label.WITHHELD,)


def inherit(*rows: Labels) -> Labels:
    """The labels of what was made of these rows: as sensitive as all of them together. One withheld withholds it."""
    found = {label for row in rows for label in row}
    if Label.WITHHELD in found or not all(rows) or not rows:
        return WITHHELD
    return tuple(sorted(found - {Label.NORMAL})) or ORDINARY
