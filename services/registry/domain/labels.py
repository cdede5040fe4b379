"""How sensitive a row is: labels set where data enters, by value set and by provenance, and followed from there."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType


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


_ORDINARY = frozenset({Label.NORMAL})
_WITHHELD = frozenset({Label.WITHHELD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What is known of the sender: a Part 2 program, or a feed that says of itself that it labels what is sensitive."""

    is_part2_program: bool = False
    sends_labels: bool = False


NOTHING_KNOWN = Provenance()


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSet:
    """Codes that make a row sensitive. A code system ends in its codes' beginnings: F11 covers F11.20."""

    label: Label
    prefixes: Mapping[str, tuple[str, ...]]
    excluded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    source: str

    def holds(self, system: str, code: str) -> bool:
        system = ICD10 if _is_icd10(system) else system
        plain = code.upper().replace(".", "")
        return plain.startswith(self.prefixes.get(system, ())) and not plain.startswith(
            self.excluded.get(system, ())
        )


ICD10 = "ICD10CM"
LOINC = "LN"
_ICD10_OID = "2168401113883690"
# Names of ingredients: RxNorm's numbers change with packs and strengths, a medication row names what it holds.
INGREDIENT = "INGREDIENT"


@lru_cache(maxsize=256)
def _is_icd10(system: str) -> bool:
    """However a sender writes it. A code of no named system is taken for one, so that it is not overlooked."""
    plain = "".join(c for c in system.upper() if c.isalnum())
    return not plain or plain.startswith("I10") or "ICD10" in plain or plain == _ICD10_OID


def _icd(*beginnings: str) -> dict[str, tuple[str, ...]]:
    return {ICD10: tuple(beginning.upper().replace(".", "") for beginning in beginnings)}


def _block(letter: str, first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{letter}{number:02}" for number in range(first, last + 1))


# The version goes onto each labeled row: a newer one relabels what an older one labeled.
VERSION = 3
DECIDED_ON = date(2026, 11, 28)
VALUE_SETS = (
    ValueSet(
        label=Label.SUD,
        prefixes=_icd(*_block("F", 10, 19), "Z71.41", "Z71.51") | {INGREDIENT: ("BUPRENORPHINE",)},
        excluded=_icd("F17"),
        source="ICD-10-CM block F10-F19 without nicotine, F17; counseling Z71.41, Z71.51; buprenorphine. The choice is ours",
    ),
    ValueSet(
        label=Label.MENTAL_HEALTH,
        prefixes=_icd(*_block("F", 20, 99)),
        source="ICD-10-CM F20-F99. The choice is ours",
    ),
    ValueSet(
        label=Label.HIV,
        prefixes=_icd("B20", "Z21")
        | {
            LOINC: (
                "7917-8",
                "9836-8",
                "20447-9",
                "25836-8",
                "25842-6",
                "56888-1",
                "75622-1",
                "89365-1",
            )
        },
        source="ICD-10-CM B20, Z21; LOINC of antibody, antigen and viral load tests. The choice is ours",
    ),
    ValueSet(
        label=Label.VIOLENCE,
        prefixes=_icd("T74", "T76", "Y07"),
        source="ICD-10-CM T74, T76, Y07. The choice is ours",
    ),
    ValueSet(
        label=Label.STD,
        prefixes=_icd(*_block("A", 50, 64)),
        source="ICD-10-CM block title 'infections with a predominantly sexual mode of transmission'; to be reviewed",
    ),
    ValueSet(
        label=Label.REPRODUCTIVE,
        prefixes=_icd("O", *_block("Z", 30, 39)),
        source="ICD-10-CM chapter 15, block Z30-Z39 'circumstances related to reproduction'; to be reviewed",
    ),
)

# DS4P: what other systems write into Resource.meta.security. ALC is left out: it means alternative level of care.
DS4P: Mapping[str, Label] = MappingProxyType(
    {
        "42CFRPart2": Label.PART2,
        "HIPAAPsyNotes": Label.COUNSELING_NOTES,
        "PSYTHPN": Label.COUNSELING_NOTES,
        "ETH": Label.SUD,
        "SUD": Label.SUD,
        "OPIOIDUD": Label.SUD,
        "PSY": Label.MENTAL_HEALTH,
        "BH": Label.MENTAL_HEALTH,
        "HIV": Label.HIV,
        "STD": Label.STD,
        "SEX": Label.REPRODUCTIVE,
        "SDV": Label.VIOLENCE,
        "VIO": Label.VIOLENCE,
        "GDIS": Label.GENETIC,
        "SCA": Label.GENETIC,
    }
)
# HL7 v2 table 0717, access restriction value, where it differs. What it restricts without saying how (SMD, ALL) is unknown.
ARV: Mapping[str, Label] = MappingProxyType({"DRG": Label.SUD})
SENT: Mapping[str, Label] = MappingProxyType({**DS4P, **ARV})
# v3-Confidentiality but R and V, which restrict without saying why; of table 0717 no restriction, and opted in.
_NOT_SENSITIVE = frozenset({"U", "L", "M", "N", "NO", "OI"})


def label(
    codes: Iterable[tuple[str, str]],
    provenance: Provenance,
    *,
    sent: Collection[str] = (),
    is_clinical: bool = True,
) -> frozenset[Label]:
    """The labels of a row as it enters: never none. `codes` are (system, code), `sent` what the sender labeled it with.

    A Part 2 label comes from a Part 2 program or from who says so, never from a diagnosis. A row that was restricted in
    a way we cannot read, or that a labeling feed sent without a label, stays at home.
    """
    found = {SENT[code] for code in sent if code in SENT}
    if provenance.is_part2_program:
        found.add(Label.PART2)
    if _is_withheld(found, provenance, sent, is_clinical):
        return _WITHHELD
    coded = list(codes)
    found |= {
        values.label
        for values in VALUE_SETS
        if any(values.holds(system, code) for system, code in coded)
    }
    return frozenset(found) or _ORDINARY


def _is_withheld(
    found: Collection[Label], provenance: Provenance, sent: Collection[str], is_clinical: bool
) -> bool:
    if found:
        return False
    if not _NOT_SENSITIVE.issuperset(sent):
        return True
    return provenance.sends_labels and is_clinical and not sent


def inherit(*rows: frozenset[Label]) -> frozenset[Label]:
    """The labels of what was made of these rows: as sensitive as all of them together."""
    found = frozenset[Label]().union(*rows)
    if Label.WITHHELD in found or not found or frozenset() in rows:
        return _WITHHELD
    return found - _ORDINARY or _ORDINARY
