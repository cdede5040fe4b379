"""The databases and the broker, as the hub sees them: what waits on its way, and what is written and not yet sealed."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from libs.observability.panels import RATE, graph, number, page


def build() -> Dashboard:
    return page(
        "stores",
        "CareHub: database and broker",
        "What PostgreSQL and NATS say of themselves is on their own dashboards.",
        [
            (
                "Now",
                [
                    number("Events waiting", "none", "sum(max by (service) (carehub_outbox_waiting))"),
                    number("Oldest event", "s", "max(carehub_outbox_oldest_seconds)", bad_from=60),
                    number("Events set aside", "none", "sum(max by (service, consumer) (carehub_parked))", bad_from=1),
                    number("Grants, last heard", "s", "max(carehub_grants_heartbeat_seconds)", bad_from=30),
                    number("Ledger unsealed", "s", "max(carehub_audit_sealing_seconds)", bad_from=60),
                    number("Consumers begun anew, 1 h", "none", "sum(increase(carehub_streams_watchdog_total[1h]))", bad_from=3),
                ],
            ),
            (
                "Outboxes",
                [
                    graph("Events waiting", "none", ("max by (service) (carehub_outbox_waiting)", "{{service}}")),
                    graph("The oldest of them", "s", ("max by (service) (carehub_outbox_oldest_seconds)", "{{service}}")),
                    graph("Published", "ops", (f"sum by (service) (rate(carehub_outbox_published_total[{RATE}]))", "{{service}}")),
                    graph("Handled", "ops", (f"sum by (outcome) (rate(carehub_inbox_handled_total[{RATE}]))", "{{outcome}}")),
                ],
            ),
            (
                "Consumers",
                [
                    graph("Waiting on the stream", "none", ("max by (consumer) (carehub_inbox_pending) > 0", "{{consumer}}")),
                    graph("Set aside now", "none", ("max by (service, consumer) (carehub_parked) > 0", "{{service}} {{consumer}}")),
                    graph("Set aside, why", "ops", (f"sum by (consumer, reason) (rate(carehub_inbox_parked_total[{RATE}]))", "{{consumer}} {{reason}}")),
                    graph("Begun anew by the watchdog", "ops", (f"sum by (consumer) (rate(carehub_streams_watchdog_total[{RATE}]))", "{{consumer}}")),
                ],
            ),
            (
                "Databases",
                [
                    graph("Connections", "none", ("sum by (service, state) (carehub_database_pool)", "{{service}} {{state}}")),
                    graph("Grants, last heard", "s", ("max by (service) (carehub_grants_heartbeat_seconds)", "{{service}}"),
                          about="Beyond 30 s people see their own places only."),
                    graph("Rows of the ledger sealed", "ops", (f"sum by (service) (rate(carehub_audit_sealed_total[{RATE}]))", "{{service}}")),
                    graph("Until they are", "s", ("max by (service) (carehub_audit_sealing_seconds)", "{{service}}")),
                ],
            ),
        ],
    )  # fmt: skip
