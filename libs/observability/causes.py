"""What is wrong inside a hub that somebody has to mend, whether or not an objective is in danger yet.

A summary is read in mails and on telephones: it names services, consumers and feeds by their ids, and never a patient.
"""

from dataclasses import dataclass

from libs.observability.slos import LEAST_BAD


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One alert: it fires when `expr` has had a value for as long as `lasts`."""

    alert: str
    severity: str
    expr: str
    lasts: str
    summary: str


# The relay of a service is where the lock is, and only there it is told how old the oldest event is; what waits, every
# process that works reads for itself.
_WAITING = "max by (service) (carehub_outbox_waiting) > 0"
_STUCK = f"({_WAITING} unless sum by (service) (increase(carehub_outbox_published_total[3m])) > 0)"
_SET_ASIDE = (
    'sum by (feed_id) (increase(carehub_feed_messages_total{outcome=~"quarantined|refused"}[1h]))'
)
_FAILED = 'sum by (channel) (increase(carehub_notifications_total{outcome="failed"}[1h]))'
# Told while letters are still tried again: given up they are after hours, and staff's are no messages to patients.
_NOT_TAKEN = 'sum by (service) (increase(carehub_letters_total{outcome="not_taken"}[1h]))'
# One wrong address is none of the server's; if most are, the server is at fault, or whoever told it whose letters to take.
_REFUSED = 'sum by (service) (increase(carehub_letters_total{outcome="address_refused"}[1h]))'
_TRIES = "sum by (service) (increase(carehub_letters_total[1h]))"
_BACKUP = '{cronjob="carehub-backup"}'
_READ = "max by (service) (carehub_outbox_waiting)"

CAUSES = (
    Cause(
        alert="FeedSilent",
        severity="page",
        expr="max by (feed_id) (carehub_feed_silent) == 1",
        lasts="1m",
        summary="Feed {{ $labels.feed_id }} has sent nothing for longer than it may.",
    ),
    Cause(
        alert="FeedQuarantined",
        severity="ticket",
        expr=(
            f"{_SET_ASIDE} > 0.1 * sum by (feed_id) (increase(carehub_feed_messages_total[1h]))"
            f" and {_SET_ASIDE} >= {LEAST_BAD}"
        ),
        lasts="0m",
        summary="Of what feed {{ $labels.feed_id }} sends, more than a tenth cannot be used.",
    ),
    Cause(
        alert="OutboxStuck",
        severity="page",
        expr=f"{_STUCK} or ({_WAITING} and max by (service) (carehub_outbox_oldest_seconds) > 60)",
        lasts="3m",
        summary="What {{ $labels.service }} has to tell the others does not go out.",
    ),
    Cause(
        alert="BrokerAway",
        severity="page",
        expr=f"count({_STUCK}) >= 2",
        lasts="1m",
        summary="{{ $value }} services cannot publish: the broker is away, or it refuses.",
    ),
    Cause(
        alert="MessageParked",
        severity="ticket",
        expr="max by (service, consumer) (carehub_parked) > 0",
        lasts="1m",
        summary="{{ $labels.consumer }} of {{ $labels.service }} has set {{ $value }} events aside; somebody has to decide.",
    ),
    Cause(
        alert="ConsumerLags",
        severity="ticket",
        expr="max by (consumer) (carehub_inbox_pending) > 1000",
        lasts="10m",
        summary="{{ $value }} events wait for {{ $labels.consumer }}.",
    ),
    Cause(
        alert="ConsumerStuck",
        severity="page",
        expr="sum by (consumer) (increase(carehub_streams_watchdog_total[15m])) > 2",
        lasts="0m",
        summary="The watchdog has begun {{ $labels.consumer }} anew {{ $value | humanize }} times in a quarter of an hour.",
    ),
    Cause(
        alert="TimersLate",
        severity="page",
        expr="max by (service) (carehub_timers_overdue_seconds) > 60",
        lasts="2m",
        summary="Deadlines and escalations of {{ $labels.service }} are {{ $value | humanizeDuration }} late.",
    ),
    # A database that is away for a minute lets much fail a dozen times; what cannot run at all, five times a minute for ever.
    Cause(
        alert="KeepsFailing",
        severity="page",
        expr="max by (part) (increase(carehub_begun_anew_total[10m])) > 20",
        lasts="0m",
        summary="{{ $labels.part }} fails again and again, and does nothing meanwhile.",
    ),
    Cause(
        alert="PromiseBroken",
        severity="page",
        expr="max by (rule) (carehub_tasking_broken_promises) > 0",
        lasts="3m",
        summary="{{ $value }} loops or tasks break the promise: {{ $labels.rule }}.",
    ),
    Cause(
        alert="LettersFail",
        severity="ticket",
        expr=(
            f"({_FAILED} > 0.1 * sum by (channel) (increase(carehub_notifications_total[1h]))"
            f" and {_FAILED} >= {LEAST_BAD})"
            f" or ({_NOT_TAKEN} > 0.1 * {_TRIES} and {_NOT_TAKEN} >= {LEAST_BAD})"
            f" or ({_REFUSED} > 0.5 * {_TRIES} and {_REFUSED} >= {LEAST_BAD})"
        ),
        lasts="0m",
        summary=(
            "{{ with $labels.service }}The mail server does not take the letters of {{ . }}{{ end }}"
            "{{ with $labels.channel }}{{ . }}{{ end }}: more than a tenth of what should go out does not."
        ),
    ),
    Cause(
        alert="GrantsOld",
        severity="page",
        expr="max by (service) (carehub_grants_heartbeat_seconds) > 30",
        lasts="1m",
        summary="{{ $labels.service }} has not heard from identity for {{ $value | humanizeDuration }} and shows people their own places only.",
    ),
    Cause(
        alert="SealingLate",
        severity="ticket",
        expr=(
            "max by (service) (carehub_audit_sealing_seconds) > 60"
            " or (sum(increase(carehub_rpc_requests_total[15m])) > 0"
            " unless sum(increase(carehub_audit_sealed_total[15m])) > 0)"
        ),
        lasts="5m",
        summary="The audit ledger{{ with $labels.service }} of {{ . }}{{ end }} is written and not sealed.",
    ),
    Cause(
        alert="CertificateExpires",
        severity="ticket",
        expr=(
            "min by (file, instance) (carehub_certificate_expires_timestamp_seconds) - time()"
            " < 14 * 86400"
        ),
        lasts="15m",
        summary="The {{ $labels.file }} of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}.",
    ),
    Cause(
        alert="BackupOld",
        severity="ticket",
        # What kube-state-metrics says, if it is there: a pod that ends is not scraped. Never one: since the charts have it.
        expr=(
            f"time() - (max by (cronjob) (kube_cronjob_status_last_successful_time{_BACKUP})"
            f" or max by (cronjob) (kube_cronjob_created{_BACKUP})) > 26 * 3600"
        ),
        lasts="0m",
        summary="The newest whole backup is {{ $value | humanizeDuration }} old.",
    ),
    Cause(
        alert="DatabaseAway",
        severity="page",
        # What cannot be read is shown as not a number, which is not even what it is itself.
        expr=f"{_READ} != {_READ}",
        lasts="1m",
        summary="{{ $labels.service }} does not reach its database.",
    ),
    Cause(
        alert="PoolExhausted",
        severity="ticket",
        expr=(
            'max by (service, pool, instance) (carehub_database_pool{state="used"})'
            ' >= max by (service, pool, instance) (carehub_database_pool{state="limit"})'
        ),
        lasts="5m",
        summary="{{ $labels.instance }} has no free connection to the database of {{ $labels.service }} ({{ $labels.pool }}).",
    ),
    Cause(
        alert="ProcessAway",
        severity="page",
        expr='up{job="carehub"} == 0 or absent(up{job="carehub"})',
        lasts="3m",
        summary="{{ with $labels.instance }}{{ . }} does not answer{{ else }}No process of the hub is seen{{ end }}.",
    ),
    Cause(
        alert="ProcessRestarts",
        severity="ticket",
        expr='changes(process_start_time_seconds{job="carehub"}[30m]) > 2',
        lasts="0m",
        summary="{{ $labels.instance }} has started {{ $value }} times in half an hour.",
    ),
)
