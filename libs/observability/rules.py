"""Objectives and causes as Prometheus' rules: what is recorded, and when which alert fires."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from libs.observability.causes import CAUSES, Cause
from libs.observability.slos import BURNS, LEAST_BAD, PERIOD, SLOS, WINDOWS, Burn, Slo, over

# Relative, as it stands in the tree; the chart puts in front of it where an operator's people read.
RUNBOOKS = "docs/runbooks"

Rule = dict[str, Any]
_LONG = ("3d", PERIOD)
_FINE = tuple(window for window in WINDOWS if window not in _LONG)


def groups() -> Rule:
    return {
        "groups": [
            {"name": "carehub.slos", "rules": [*_recorded(_FINE), *_burns()]},
            # Over days one looks at many samples, and nothing changes in a minute.
            {"name": "carehub.slos.long", "interval": "2m", "rules": [*_recorded(_LONG)]},
            {"name": "carehub.causes", "rules": [_cause(cause) for cause in CAUSES]},
        ]
    }


def alerts() -> tuple[str, ...]:
    """The name of each alert, and so of its runbook."""
    return tuple(one.alert for one in (*SLOS, *CAUSES))


def bad_ratio(slo: Slo, window: str) -> str:
    """What is recorded: the share of bad events over a window."""
    return f'carehub:slo_bad:ratio_rate{window}{{slo="{slo.name}"}}'


def _recorded(windows: Iterable[str]) -> Iterator[Rule]:
    for slo, window in product(SLOS, windows):
        yield {
            "record": f"carehub:slo_bad:ratio_rate{window}",
            "labels": {"slo": slo.name},
            "expr": f"clamp(({over(slo.bad, window)}) / ({over(slo.every, window)}), 0, 1)",
        }


def _burns() -> Iterator[Rule]:
    for slo, burn in product(SLOS, BURNS):
        yield _burn(slo, burn)


def _burn(slo: Slo, burn: Burn) -> Rule:
    most = f"{burn.factor:g} * {slo.budget:g}"
    seconds = {"h": 3600, "d": 86400}[burn.long[-1]] * int(burn.long[:-1])
    return {
        "alert": slo.alert,
        "expr": (
            f"{bad_ratio(slo, burn.long)} > {most}"
            f" and {bad_ratio(slo, burn.short)} > {most}"
            f" and on () ({over(slo.bad, burn.long)}) * {seconds} >= {LEAST_BAD}"
        ),
        "labels": {"severity": burn.severity, "window": burn.long},
        "annotations": {
            "summary": f"{slo.sentence} Over {burn.long} it was {{{{ $value | humanizePercentage }}}} that were not.",
            "runbook_url": f"{RUNBOOKS}/{slo.alert}.md",
        },
    }


def _cause(cause: Cause) -> Rule:
    return {
        "alert": cause.alert,
        "expr": cause.expr,
        "for": cause.lasts,
        "labels": {"severity": cause.severity},
        "annotations": {
            "summary": cause.summary,
            "runbook_url": f"{RUNBOOKS}/{cause.alert}.md",
        },
    }
