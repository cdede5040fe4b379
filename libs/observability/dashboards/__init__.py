"""Six dashboards, one file each: what an operator looks at first, and where to look next."""

from collections.abc import Callable, Mapping

from grafana_foundation_sdk.builders.dashboard import Dashboard

from libs.observability.dashboards import feeds, loops, network, services, slos, stores

DASHBOARDS: Mapping[str, Callable[[], Dashboard]] = {
    "network": network.build,
    "feeds": feeds.build,
    "services": services.build,
    "loops": loops.build,
    "stores": stores.build,
    "slos": slos.build,
}
