"""The few shapes that dashboards are made of, each with what all of them have in common said once."""

from collections.abc import Sequence
from typing import TypeAlias

from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DatasourceVariable,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.dashboard import Row as RowBuilder
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as Timeseries
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    Threshold,
    ThresholdsMode,
)

# Prometheus, whatever it is called where the dashboard is shown.
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
RATE = "$__rate_interval"
REFRESH = "30s"

Panel: TypeAlias = Stat | Timeseries
Row: TypeAlias = tuple[str, Sequence[Panel]]


def graph(title: str, unit: str, *lines: tuple[str, str], about: str = "") -> Timeseries:
    """Lines over time, half as wide as the page. A line is PromQL, and its name with labels in braces."""
    panel = (
        Timeseries()
        .title(title)
        .description(about)
        .datasource(SOURCE)
        .unit(unit)
        .min(0)
        .span(12)
        .height(8)
        .fill_opacity(8)
        .legend(
            VizLegendOptions()
            .show_legend(True)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
        )
    )
    for number, (expr, name) in enumerate(lines):
        panel.with_target(
            Dataquery().expr(expr).legend_format(name).ref_id(chr(ord("A") + number)).range()
        )
    return panel


def number(
    title: str, unit: str, expr: str, *, bad_from: float | None = None, about: str = ""
) -> Stat:
    """How it is now, a sixth of the page; red from a value on."""
    panel = (
        Stat()
        .title(title)
        .description(about)
        .datasource(SOURCE)
        .unit(unit)
        .span(4)
        .height(4)
        .with_target(Dataquery().expr(expr).ref_id("A").instant())
    )
    return panel if bad_from is None else panel.thresholds(_red_from(bad_from))


def left(title: str, expr: str) -> Stat:
    """What is left of a budget: red where nothing is."""
    steps = [
        Threshold(value=None, color="red"),
        Threshold(value=0.0, color="orange"),
        Threshold(value=0.25, color="green"),
    ]
    return number(title, "percentunit", expr).thresholds(
        ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    )


def quantiles(metric: str, by: str = "", where: str = "") -> tuple[tuple[str, str], ...]:
    """The median, and what one in a hundred exceeds, of a histogram."""
    labels = f"le, {by}" if by else "le"
    name = f"{{{{{by}}}}} " if by else ""
    return tuple(
        (
            f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{where}[{RATE}])))",
            f"{name}p{q * 100:g}",
        )
        for q in (0.5, 0.99)
    )


def page(uid: str, title: str, about: str, rows: Sequence[Row], *, hours: int = 6) -> Dashboard:
    board = (
        Dashboard(title)
        .uid(f"carehub-{uid}")
        .description(about)
        .tags(["carehub"])
        .readonly()
        .refresh(REFRESH)
        .time(f"now-{hours}h", "now")
        .timezone("browser")
        .with_variable(DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
    )
    for name, panels in rows:
        board.with_row(RowBuilder(name))
        for panel in panels:
            board.with_panel(panel)
    return board


def _red_from(value: float) -> ThresholdsConfig:
    steps = [Threshold(value=None, color="green"), Threshold(value=value, color="red")]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
