"""Each service by rate, errors and duration; what is refused; and the processes."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from libs.observability.panels import RATE, graph, page, quantiles

# A method is carehub.tasking.v1.TaskingService/CompleteTask, with a stroke before it.
_OF = r'"service", "$1", "method", "/?carehub\\.(\\w+)\\..*"'
_EXPECTED = "OK|NOT_FOUND|INVALID_ARGUMENT|FAILED_PRECONDITION|PERMISSION_DENIED|UNAUTHENTICATED|ALREADY_EXISTS|ABORTED|OUT_OF_RANGE"


def build() -> Dashboard:
    requests = f"rate(carehub_rpc_requests_total[{RATE}])"
    failed = f'rate(carehub_rpc_requests_total{{code!~"{_EXPECTED}"}}[{RATE}])'
    slow = f"sum by (le, service) (label_replace(rate(carehub_rpc_seconds_bucket[{RATE}]), {_OF}))"
    return page(
        "services",
        "CareHub: services",
        "RPCs of all services, and the API in front of them.",
        [
            (
                "RPCs",
                [
                    graph("Answered", "reqps", (f"sum by (service) (label_replace({requests}, {_OF}))", "{{service}}")),
                    graph("Failed", "reqps", (f"sum by (service, code) (label_replace({failed}, {_OF}))", "{{service}} {{code}}"),
                          about="Without what a caller may expect, such as NOT_FOUND."),
                    graph("p99", "s", (f"histogram_quantile(0.99, {slow})", "{{service}}")),
                    graph("The slowest methods, p99", "s",
                          (f"topk(10, histogram_quantile(0.99, sum by (le, method) (rate(carehub_rpc_seconds_bucket[{RATE}]))))", "{{method}}")),
                    graph("Refused", "reqps", (f"sum by (reason) (rate(carehub_refusals_total[{RATE}]))", "{{reason}}")),
                    graph("The busiest methods", "reqps", (f"topk(10, sum by (method) ({requests}))", "{{method}}")),
                ],
            ),
            (
                "API",
                [
                    graph("Answered", "reqps", (f"sum by (status) (rate(carehub_http_requests_total[{RATE}]))", "{{status}}")),
                    graph("How fast", "s", *quantiles("carehub_http_seconds", where='{route!="/v1/stream"}')),
                    graph("Failed, by route", "reqps", (f'sum by (method, route) (rate(carehub_http_requests_total{{status=~"5.."}}[{RATE}]))', "{{method}} {{route}}")),
                    graph("The slowest routes, p99", "s",
                          (f'topk(10, histogram_quantile(0.99, sum by (le, route) (rate(carehub_http_seconds_bucket{{route!="/v1/stream"}}[{RATE}]))))', "{{route}}")),
                ],
            ),
            (
                "Processes",
                [
                    graph("CPU", "percentunit", (f'rate(process_cpu_seconds_total{{job="carehub"}}[{RATE}])', "{{instance}}")),
                    graph("Memory", "bytes", ('process_resident_memory_bytes{job="carehub"}', "{{instance}}")),
                    graph("Open files", "none", ('process_open_fds{job="carehub"}', "{{instance}}")),
                    graph("Running for", "s", ('time() - process_start_time_seconds{job="carehub"}', "{{instance}}")),
                ],
            ),
        ],
    )  # fmt: skip
