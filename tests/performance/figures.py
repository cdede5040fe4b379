"""A line of the table: what was measured how often, beside what, and whether that is enough."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(slots=True, kw_only=True)
class Line:
    """`values` has one figure per repeat, `reference` the figures of what stands beside it in the same repeat.

    With a reference what counts is the median of the ratios, one per repeat; otherwise the median of the values. A line
    that could not be measured says why in `missing`, and is neither reached nor missed.
    """

    key: str
    what: str
    unit: str
    floor: float | None = None
    aim: float | None = None
    better: Literal["more", "less"] = "more"
    beside: str = ""
    values: list[float] = field(default_factory=list)
    reference: list[float] = field(default_factory=list)
    missing: str = ""
    how: str = ""
    notes: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def ratios(self) -> list[float]:
        return [v / r for v, r in zip(self.values, self.reference, strict=False) if r]

    @property
    def figure(self) -> float | None:
        """What the line says."""
        measured = self.ratios if self.reference else self.values
        return statistics.median(measured) if measured else None

    def verdict(self, goal: float | None) -> str:
        if goal is None or self.figure is None:
            return "-"
        reached = self.figure >= goal if self.better == "more" else self.figure <= goal
        return "reached" if reached else "missed"

    def to_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "ratios": self.ratios,
            "figure": self.figure,
            "repeats": len(self.values),
            "floor_is": self.verdict(self.floor),
            "aim_is": self.verdict(self.aim),
        }


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def spread(values: Sequence[float]) -> dict[str, float]:
    """The percentiles that are told of every latency."""
    shares = (0.5, 0.95, 0.99)
    return {f"p{share * 100:g}": round(percentile(values, share), 3) for share in shares} | {
        "max": round(max(values, default=float("nan")), 3)
    }


def per_thing(cpu: dict[str, float], count: int) -> dict[str, float]:
    """CPU microseconds of each process for one of what was done."""
    return {name: round(seconds / max(count, 1) * 1e6, 1) for name, seconds in cpu.items()}
