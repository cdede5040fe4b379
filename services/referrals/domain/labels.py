"""How sensitive a referral is: as what it follows from, and as its need says by itself."""

from collections.abc import Collection
from enum import StrEnum

from services.referrals.domain.needs import TELLS_OF_VIOLENCE


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
# With one of these it is shown as a program's, or to even fewer.
SHOWN_AS_A_PROGRAMS: Labels = (Label.PART2, Label.WITHHELD)


def labels_of(need: str, followed: Collection[Label]) -> Labels:
    """The labels of a referral for this need that follows from rows of these. One withheld withholds it."""
    if Label.WITHHELD in followed:
        return (Label.WITHHELD,)
    found = set(followed) - {Label.NORMAL}
    if need in TELLS_OF_VIOLENCE:
        found.add(Label.VIOLENCE)
    return tuple(sorted(found)) or (Label.NORMAL,)
