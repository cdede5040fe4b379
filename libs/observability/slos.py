"""The objectives of a hub (SLOs): how well it serves those who use it, and when somebody is called because it will not.

An objective is a share of good events over thirty days; what may be bad of them is its budget. Nobody is called because a
number looks bad, but because at this pace the budget will not last: over a long window, so that it is worth being called,
and over a short one, so that the call ends when the trouble does.
"""

from dataclasses import dataclass

PERIOD = "30d"
# In a quiet night one slow answer is a large share: fewer bad events than this in the long window call nobody.
LEAST_BAD = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """One objective. `bad` and `every` are PromQL, events per second over [$window]."""

    name: str
    alert: str
    title: str
    sentence: str
    share: float
    bad: str
    every: str

    @property
    def budget(self) -> float:
        return round(1 - self.share, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """A pace: so many times faster than what lasts for the whole period."""

    severity: str
    long: str
    short: str
    factor: float


# 2 % of the budget in an hour, 5 % in six hours, 10 % in three days.
BURNS = (
    Burn(severity="page", long="1h", short="5m", factor=14.4),
    Burn(severity="page", long="6h", short="30m", factor=6),
    Burn(severity="ticket", long="3d", short="6h", factor=1),
)
WINDOWS = tuple(dict.fromkeys([w for burn in BURNS for w in (burn.short, burn.long)]))

_ANSWERS = 'carehub_http_requests_total{route!="/v1/stream"}'
_TIMED = 'carehub_http_seconds_count{route!="/v1/stream"}'
_IN_TIME = 'carehub_http_seconds_bucket{route!="/v1/stream",le="0.5"}'

SLOS = (
    Slo(
        name="acknowledgement",
        alert="AcknowledgementsLate",
        title="Messages acknowledged",
        sentence="99.9 % of HL7 messages are stored and acknowledged within 1 s.",
        share=0.999,
        bad=(
            "sum(rate(carehub_mllp_ack_seconds_count[$window]))"
            ' - sum(rate(carehub_mllp_ack_seconds_bucket{le="1.0"}[$window]))'
            ' + (sum(rate(carehub_mllp_messages_total{reason="STORE_AWAY"}[$window])) or vector(0))'
        ),
        every="sum(rate(carehub_mllp_ack_seconds_count[$window]))",
    ),
    Slo(
        name="worklist",
        alert="WorklistLate",
        title="Worklist fresh",
        sentence="99 % of the messages that make a task have made it within 1 s of their arrival.",
        share=0.99,
        bad=(
            "sum(rate(carehub_message_to_task_seconds_count[$window]))"
            ' - sum(rate(carehub_message_to_task_seconds_bucket{le="1.0"}[$window]))'
        ),
        every="sum(rate(carehub_message_to_task_seconds_count[$window]))",
    ),
    Slo(
        name="api",
        alert="ApiFails",
        title="API available",
        sentence="99.9 % of requests are answered, whatever the answer; 5xx is none.",
        share=0.999,
        # Where nothing ever failed there is no such series, and no share of it either.
        bad=f"(sum(rate({_ANSWERS[:-1]},status=~\"5..\"}}[$window])) or vector(0))",
        every=f"sum(rate({_ANSWERS}[$window]))",
    ),
    Slo(
        name="api_latency",
        alert="ApiSlow",
        title="API fast",
        sentence="99 % of requests are answered within 0.5 s.",
        share=0.99,
        bad=f"sum(rate({_TIMED}[$window])) - sum(rate({_IN_TIME}[$window]))",
        every=f"sum(rate({_TIMED}[$window]))",
    ),
    Slo(
        name="reminders",
        alert="RemindersLate",
        title="Reminders on time",
        sentence="99 % of reminders go out within 5 minutes of their time.",
        share=0.99,
        bad=(
            "sum(rate(carehub_reminder_lateness_seconds_count[$window]))"
            ' - sum(rate(carehub_reminder_lateness_seconds_bucket{le="300.0"}[$window]))'
        ),
        every="sum(rate(carehub_reminder_lateness_seconds_count[$window]))",
    ),
)  # fmt: skip


def over(expression: str, window: str) -> str:
    return expression.replace("$window", window)
