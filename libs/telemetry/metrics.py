"""The metrics of what every service stands on."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("carehub_rpc_requests", "RPCs answered.", ["method", "code"])
REQUEST_SECONDS = Histogram(
    "carehub_rpc_seconds",
    "Time from the request to the answer.",
    ["method"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
PUBLISHED = Counter("carehub_outbox_published", "Events published.", ["service"])
OUTBOX_AGE = Gauge(
    "carehub_outbox_oldest_seconds", "Age of the oldest event not yet published.", ["service"]
)
HANDLED = Counter("carehub_inbox_handled", "Events handled.", ["consumer", "outcome"])
PARKED = Counter("carehub_inbox_parked", "Events set aside.", ["consumer", "reason"])
TIMERS_FIRED = Counter("carehub_timers_fired", "Timers fired.", ["kind", "outcome"])
TIMER_LATENESS = Histogram("carehub_timer_lateness_seconds", "From due to fired.", ["kind"])
REFUSALS = Counter("carehub_refusals", "Refusals, audited.", ["method", "reason"])
SILENT = Counter(
    "carehub_streams_watchdog",
    "Silences of the broker, after which the consumer listens anew.",
    ["consumer"],
)
BEGUN_ANEW = Counter(
    "carehub_begun_anew",
    "What has to run as long as its process does failed, and was begun anew.",
    ["part"],
)
# Read from the databases by gauges.py, and from the pools when somebody asks.
OUTBOX_WAITING = Gauge("carehub_outbox_waiting", "Events not yet published.", ["service"])
PARKED_NOW = Gauge("carehub_parked", "Events set aside now.", ["service", "consumer"])
TIMERS_OVERDUE = Gauge("carehub_timers_overdue", "Timers that are due.", ["service"])
TIMERS_OVERDUE_AGE = Gauge(
    "carehub_timers_overdue_seconds", "For how long the first of them has been due.", ["service"]
)
GRANTS_HEARTBEAT = Gauge(
    "carehub_grants_heartbeat_seconds", "For how long identity was not heard.", ["service"]
)
DATABASE_POOL = Gauge(
    "carehub_database_pool",
    "Connections: used, idle, and the limit.",
    ["service", "pool", "state"],
)
