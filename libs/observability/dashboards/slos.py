"""Each objective: how much of its budget is left, and how fast it goes."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from libs.observability.panels import Row, graph, left, page
from libs.observability.rules import bad_ratio
from libs.observability.slos import BURNS, PERIOD, SLOS, Slo


def build() -> Dashboard:
    return page(
        "slos",
        "CareHub: SLOs",
        "Each objective, what is left of its budget, and the paces at which somebody is called (14.4, 6 and 1).",
        [_row(slo) for slo in SLOS],
        hours=72,
    )


def _row(slo: Slo) -> Row:
    paces = [
        (f"{bad_ratio(slo, burn.long)} / {slo.budget:g}", f"over {burn.long}") for burn in BURNS
    ]
    return (
        f"{slo.title}: {slo.sentence}",
        [
            left("Left of thirty days' budget", f"1 - {bad_ratio(slo, PERIOD)} / {slo.budget:g}"),
            graph("Times faster than what lasts", "none", *paces).span(20),
        ],
    )
