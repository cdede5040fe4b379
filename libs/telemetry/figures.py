"""Numbers of the trade: what a service's metrics show, for the operations page of hubs that nobody runs a Prometheus for.

Each process tells its own beside its sign of life: what there is now, and what was counted within the last hour. Whoever
is asked adds them up.
"""

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias, cast

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.samples import Sample

from libs.telemetry.metrics import REFUSALS, REQUEST_SECONDS, REQUESTS

HOUR, STEP = 3600.0, 60.0
# An answer within so many seconds is fast enough: what the objective of the API says.
SOON = 0.5
_BOUND = "le"

# How much that is, by the values of the labels with a space between; of what takes time: by its bounds, as in Prometheus.
Counts: TypeAlias = Mapping[str, float]
# By the name of the metric.
Told: TypeAlias = Mapping[str, Counts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A metric that the operations page shows too, by some of its labels. `within`: the seconds that are good enough."""

    metric: Gauge | Counter | Histogram
    by: tuple[str, ...] = ()
    within: float | None = None
    # Of RPCs: only those of the contracts whose package begins so. Many services may share a process.
    package: str = ""

    @property
    def name(self) -> str:
        """As Prometheus knows it."""
        family = next(iter(self.metric.describe())).name
        return f"{family}_total" if isinstance(self.metric, Counter) else family

    @property
    def is_now(self) -> bool:
        """Whether it is as it is now, the same in every process that reads it, and does not only grow."""
        return isinstance(self.metric, Gauge)

    @property
    def takes_time(self) -> bool:
        return isinstance(self.metric, Histogram)

    def read(self) -> dict[str, float]:
        """As it is in this process. What could not be read is not there."""
        name, by = (f"{self.name}_bucket", (_BOUND,)) if self.takes_time else (self.name, self.by)
        found = defaultdict[str, float](float)
        for sample in self._samples():
            if sample.name == name and not math.isnan(sample.value):
                found[" ".join(sample.labels[label] for label in by)] += sample.value
        return found

    def _samples(self) -> Iterator[Sample]:
        """Of times only the children that are read: all methods of a process, of each every bucket, are ten times as much."""
        read: Iterable[Gauge | Counter | Histogram] = [self.metric]
        if self.package and self.takes_time:
            children = cast("dict[tuple[str, ...], Histogram]", self.metric._metrics.copy())
            read = [
                one for (method, *_), one in children.items() if method.startswith(self.package)
            ]
        for metric in read:
            for family in metric.collect():
                for sample in family.samples:
                    if sample.labels.get("method", self.package).startswith(self.package):
                        yield sample


def of_requests(service: str) -> tuple[Shown, ...]:
    """What every service shows: its answers, how long they took, and its refusals."""
    package = f"/carehub.{service}."
    return (
        Shown(metric=REQUESTS, by=("code",), package=package),
        Shown(metric=REQUEST_SECONDS, within=SOON, package=package),
        Shown(metric=REFUSALS, by=("reason",), package=package),
    )


class Recent:
    """What this process tells: what there is now, and what was counted in the last hour or since this was made."""

    def __init__(self, shown: Sequence[Shown], now: float) -> None:
        self._shown = shown
        self._past = deque([(now, self._totals())])

    def _totals(self) -> dict[str, dict[str, float]]:
        return {each.name: each.read() for each in self._shown}

    def told(self, now: float) -> dict[str, dict[str, float]]:
        totals = self._totals()
        while len(self._past) > 1 and self._past[1][0] <= now - HOUR:
            self._past.popleft()
        if now - self._past[-1][0] >= STEP:
            self._past.append((now, totals))
        before = self._past[0][1]
        return {
            each.name: totals[each.name]
            if each.is_now
            else _increase(totals[each.name], before[each.name])
            for each in self._shown
        }


def _increase(now: Counts, before: Counts) -> dict[str, float]:
    return {key: value - before.get(key, 0.0) for key, value in now.items()}


def add_up(shown: Shown, told: Iterable[Told]) -> Counts | None:
    """Over processes. None while none of them tells."""
    ours = [each[shown.name] for each in told if shown.name in each]
    if not ours:
        return None
    keys = dict.fromkeys(key for counts in ours for key in counts)
    add = max if shown.is_now else sum
    return {key: add(counts.get(key, 0.0) for counts in ours) for key in keys}


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, read off its buckets as Prometheus does: `most` is the last bound, beyond it nobody knows."""

    buckets: Counts

    @property
    def count(self) -> int:
        return int(self.buckets.get("+Inf", 0))

    @property
    def most(self) -> float:
        return max((bound for bound, _ in self._sorted() if bound < math.inf), default=0.0)

    def within(self, seconds: float) -> int:
        """How many took at most so long: of the last bound that is not above it."""
        return int(max((n for bound, n in self._sorted() if bound <= seconds), default=0))

    def quantile(self, share: float) -> float:
        """So many took at most this, as if those of one bucket lay evenly in it."""
        rank = share * self.count
        known = [each for each in self._sorted() if each[0] < math.inf]
        for (low, below), (high, upto) in pairwise([(0.0, 0.0), *known]):
            if upto >= rank:
                return low + (high - low) * (rank - below) / ((upto - below) or 1.0)
        return self.most

    def _sorted(self) -> list[tuple[float, float]]:
        return sorted((float(bound), count) for bound, count in self.buckets.items())
