"""Is the network well? One look: the objectives, what comes in, what is open, what stands still."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from libs.observability.panels import RATE, graph, left, number, page
from libs.observability.rules import bad_ratio
from libs.observability.slos import PERIOD, SLOS


def build() -> Dashboard:
    return page(
        "network",
        "CareHub: network",
        "The whole hub at one look. What is red has a runbook of its alert's name in docs/runbooks.",
        [
            (
                "What is left of the budgets of thirty days",
                [left(slo.title, f"1 - {bad_ratio(slo, PERIOD)} / {slo.budget:g}") for slo in SLOS],
            ),
            (
                "Now",
                [
                    number("Feeds silent", "none", "sum(max by (feed_id) (carehub_feed_silent))", bad_from=1),
                    number("Loops escalated", "none", 'max(carehub_loops{state="escalated"})'),
                    number("Promises broken", "none", "sum(max by (rule) (carehub_tasking_broken_promises))", bad_from=1),
                    number("Events set aside", "none", "sum(max by (service, consumer) (carehub_parked))", bad_from=1),
                    number("Events waiting", "none", "sum(max by (service) (carehub_outbox_waiting))", bad_from=1000),
                    number("Processes away", "none", 'count(up{job="carehub"} == 0) or vector(0)', bad_from=1),
                ],
            ),
            (
                "In and out",
                [
                    graph("Messages from facilities", "reqps", (f"sum by (code) (rate(carehub_mllp_messages_total[{RATE}]))", "{{code}}")),
                    graph("Requests", "reqps", (f"sum by (status) (rate(carehub_http_requests_total[{RATE}]))", "{{status}}")),
                    graph("Open loops", "none", ("max by (state) (carehub_loops)", "{{state}}")),
                    graph("Told to people", "reqps", (f"sum by (channel, outcome) (rate(carehub_notifications_total[{RATE}]))", "{{channel}} {{outcome}}")),
                ],
            ),
        ],
    )  # fmt: skip
