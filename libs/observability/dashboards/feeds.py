"""What facilities send, how fast it is acknowledged, and what it becomes."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from libs.observability.panels import RATE, graph, number, page, quantiles


def build() -> Dashboard:
    return page(
        "feeds",
        "CareHub: feeds",
        "Feeds by their ids; the console says which facility each is of.",
        [
            (
                "Heard",
                [
                    number("Feeds silent", "none", "sum(max by (feed_id) (carehub_feed_silent))", bad_from=1),
                    number("Open connections", "none", "sum(carehub_mllp_connections)"),
                    number("Acknowledged within 1 s", "percentunit",
                           'sum(rate(carehub_mllp_ack_seconds_bucket{le="1.0"}[5m])) / sum(rate(carehub_mllp_ack_seconds_count[5m]))'),
                ],
            ),
            (
                "Messages",
                [
                    graph("By feed", "reqps", (f"sum by (feed_id) (rate(carehub_feed_messages_total[{RATE}]))", "{{feed_id}}")),
                    graph("By what became of them", "reqps", (f"sum by (outcome) (rate(carehub_feed_messages_total[{RATE}]))", "{{outcome}}")),
                    graph("Since the last message", "s", ("max by (feed_id) (carehub_feed_last_seconds)", "{{feed_id}}"),
                          about="A feed is silent when this is more than its own silence_after."),
                    graph("Refused", "reqps", (f'sum by (code, reason) (rate(carehub_mllp_messages_total{{code!="AA"}}[{RATE}]))', "{{code}} {{reason}}"),
                          about="STORE_AWAY is ours; what else there is, the sender has to mend."),
                ],
            ),
            (
                "How fast",
                [
                    graph("From the last byte to the acknowledgement", "s", *quantiles("carehub_mllp_ack_seconds")),
                    graph("To store a batch", "s", *quantiles("carehub_mllp_store_seconds")),
                    graph("From the message to the task", "s", *quantiles("carehub_message_to_task_seconds")),
                    graph("Messages in a batch", "none", *quantiles("carehub_mllp_batch_messages")),
                ],
            ),
            (
                "Connections",
                [
                    graph("Open", "none", ("sum by (instance) (carehub_mllp_connections)", "{{instance}}")),
                    graph("Closed by us, and noise", "ops",
                          (f"sum by (reason) (rate(carehub_mllp_closed_total[{RATE}]))", "{{reason}}"),
                          (f"sum(rate(carehub_mllp_discarded_bytes_total[{RATE}]))", "bytes outside of frames")),
                ],
            ),
        ],
    )  # fmt: skip
