"""What the hub has promised to patients: loops and their clocks, and what goes out to people in time."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from libs.observability.panels import RATE, graph, number, page, quantiles


def build() -> Dashboard:
    return page(
        "loops",
        "CareHub: loops",
        "Loops, timers, and letters. Whose they are, the console says, to those who may know.",
        [
            (
                "Now",
                [
                    number("Open", "none", 'max(carehub_loops{state="open"})'),
                    number("Overdue", "none", 'max(carehub_loops{state="overdue"})'),
                    number("Escalated", "none", 'max(carehub_loops{state="escalated"})'),
                    number("Promises broken", "none", "sum(max by (rule) (carehub_tasking_broken_promises))", bad_from=1),
                    number("Timers due", "none", "sum(max by (service) (carehub_timers_overdue))"),
                    number("The first of them since", "s", "max(carehub_timers_overdue_seconds)", bad_from=60),
                ],
            ),
            (
                "Loops",
                [
                    graph("By state", "none", ("max by (state) (carehub_loops)", "{{state}}")),
                    graph("Promises broken", "none", ("max by (rule) (carehub_tasking_broken_promises)", "{{rule}}")),
                    graph("From the message to the task", "s", *quantiles("carehub_message_to_task_seconds")),
                ],
            ),
            (
                "Timers",
                [
                    graph("Fired", "ops", (f"sum by (kind, outcome) (rate(carehub_timers_fired_total[{RATE}]))", "{{kind}} {{outcome}}")),
                    graph("From due to fired", "s", *quantiles("carehub_timer_lateness_seconds", by="kind")),
                    graph("Due and not fired", "none", ("max by (service) (carehub_timers_overdue)", "{{service}}")),
                    graph("The first of them since", "s", ("max by (service) (carehub_timers_overdue_seconds)", "{{service}}")),
                ],
            ),
            (
                "Told to people",
                [
                    graph("By channel", "ops", (f"sum by (channel, outcome) (rate(carehub_notifications_total[{RATE}]))", "{{channel}} {{outcome}}")),
                    graph("How late reminders are", "s", *quantiles("carehub_reminder_lateness_seconds")),
                ],
            ),
        ],
    )  # fmt: skip
