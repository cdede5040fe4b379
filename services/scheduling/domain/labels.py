"""How sensitive an appointment is: as where it comes from, and as the visit that shows that it took place."""

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
OF_A_PROGRAM: Labels = (Label.PART2,)
# Free under no policy, in no jurisdiction: without the patient's word no other facility learns of such a row.
KEPT_AT_HOME = frozenset({Label.PART2, Label.COUNSELING_NOTES, Label.WITHHELD})


def inherit(*rows: Labels) -> Labels:
    """The labels of what was made of these rows: as sensitive as all of them together. One withheld withholds it."""
    found = {label for row in rows for label in row}
    if Label.WITHHELD in found or not all(rows) or not rows:
        return (Label.WITHHELD,)
    return tuple(sorted(found - {Label.NORMAL})) or ORDINARY


def may_be_told_elsewhere(labels: Labels) -> bool:
    """Whether what is done at another facility may follow from such a row."""
    return bool(labels) and KEPT_AT_HOME.isdisjoint(labels)
