"""The table on the terminal, the results as JSON, and the same as one page with plots that needs nothing from elsewhere."""

import html
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.performance.bench import Bench, Plan
from tests.performance.figures import Line


def number(value: float | None, unit: str) -> str:
    if value is None:
        return "not measured"
    digits = 2 if unit == "×" or value < 1 else 1 if unit in ("ms", "s") else 0
    return f"{value:,.{digits}f}{'' if unit == '×' else ' '}{unit}"


def table(lines: Iterable[Line]) -> str:
    rows = [("what", "measured", "from - to", "floor", "aim", "repeats")]
    for line in lines:
        measured = line.ratios if line.reference else line.values
        low_high = f"{min(measured):,.2f} - {max(measured):,.2f}" if measured else line.missing[:60]
        rows.append(
            (
                line.what,
                number(line.figure, line.unit),
                low_high,
                _goal(line, line.floor),
                _goal(line, line.aim),
                str(len(line.values)),
            )
        )
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    texts = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join(texts)


def _goal(line: Line, goal: float | None) -> str:
    return "" if goal is None else f"{goal:g} {line.verdict(goal)}"


def write(folder: Path, machine: dict[str, str], plan: Plan, bench: Bench) -> Path:
    folder.mkdir(exist_ok=True)
    at = datetime.now(UTC)
    content = {
        "at": at.isoformat(timespec="seconds"),
        "machine": machine,
        "plan": asdict(plan),
        "lines": [line.to_json() for line in bench.lines.values()],
        "growth": bench.growth,
        "failures": bench.failures,
    }
    path = folder / f"{at:%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(content, indent=1, default=str))
    path.with_suffix(".html").write_text(_page(content, bench))
    return path


_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d2430;background:#fff}
table{border-collapse:collapse;width:100%}td,th{padding:.4rem .6rem;border-bottom:1px solid #dde3ea;text-align:left;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}.reached{color:#0b6b3a}.missed{color:#a3260f;font-weight:600}
.how{color:#5a6675;font-size:13px}svg{max-width:100%;height:auto}h2{margin-top:2.5rem}figure{margin:1rem 0}
"""


def _page(content: Mapping[str, Any], bench: Bench) -> str:
    machine = ", ".join(f"{k}: {html.escape(str(v))}" for k, v in content["machine"].items())
    lines = list(bench.lines.values())
    rows = "".join(map(_row, lines))
    plots = "".join(f"<figure>{_dots(line)}</figure>" for line in lines if line.values)
    failures = "".join(f"<li>{html.escape(each)}</li>" for each in bench.failures)
    growth = f"<h2>Growth</h2>{_growth(bench)}" if bench.growth else ""
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>CareHub bench</title><style>{_STYLE}</style>"
        f"<h1>CareHub bench</h1><p>{content['at']}. {machine}.</p>"
        "<table><tr><th>what<th class=n>measured<th class=n>floor<th class=n>aim<th class=n>repeats</tr>"
        f"{rows}</table>{'<ul>' + failures + '</ul>' if failures else ''}"
        f"<h2>Repeat by repeat</h2>{plots}{growth}</html>"
    )


def _row(line: Line) -> str:
    floor, aim = (
        f"<td class='n {line.verdict(goal)}'>{'' if goal is None else f'{goal:g}'}"
        for goal in (line.floor, line.aim)
    )
    notes = " ".join([line.how, *line.notes, line.missing])
    return (
        f"<tr><td>{html.escape(line.what)}<div class=how>{html.escape(notes)}</div>"
        f"<td class=n>{number(line.figure, line.unit)}{floor}{aim}<td class=n>{len(line.values)}</tr>"
    )


def _dots(line: Line) -> str:
    """Each repeat as a dot, its median, the floor and the aim, on a scale from zero."""
    values = [v for v in (line.ratios if line.reference else line.values) if v != float("inf")]
    goals = [(g, n) for g, n in ((line.floor, "floor"), (line.aim, "aim")) if g is not None]
    top = max([*values, *(g for g, _ in goals)], default=1.0) * 1.08

    def x(value: float) -> float:
        return 20 + 760 * value / top

    marks = "".join(
        f"<line x1={x(g):.1f} x2={x(g):.1f} y1=24 y2=52 stroke='{'#a3260f' if n == 'floor' else '#0b6b3a'}' stroke-dasharray='3 3'/>"
        f"<text x={x(g):.1f} y=66 font-size=11 text-anchor=middle fill='#5a6675'>{n} {g:g}</text>"
        for g, n in goals
    )
    dots = "".join(
        f"<circle cx={x(v):.1f} cy=38 r=5 fill='#2458a6' fill-opacity=.5 />" for v in values
    )
    median = line.figure
    bar = (
        f"<line x1={x(median):.1f} x2={x(median):.1f} y1=28 y2=48 stroke='#16325c' stroke-width=3 />"
        if median is not None and median != float("inf")
        else ""
    )
    title = html.escape(f"{line.what}: {number(median, line.unit)}")
    return (
        f"<svg viewBox='0 0 800 74' width=800 role=img aria-label='{title}'><text x=20 y=14 font-size=13>{title}</text>"
        f"<line x1=20 x2=780 y1=38 y2=38 stroke='#dde3ea' />{marks}{dots}{bar}</svg>"
    )


_COLORS = {"read": "#2458a6", "list": "#0b6b3a", "search": "#a3260f", "create": "#7a4fb5"}


def _growth(bench: Bench) -> str:
    """Median and p99 of each thing by the number of patients, and a plot of the p99."""
    sizes = sorted({each["patients"] for each in bench.growth})
    rows = "".join(
        f"<tr><td>{each['what']}<td class=n>{each['patients']:,}<td class=n>{each['per_second']:,.0f}"
        f"<td class=n>{each['milliseconds']['p50']:.1f}<td class=n>{each['milliseconds']['p99']:.1f}</tr>"
        for each in sorted(bench.growth, key=lambda one: (one["what"], one["patients"]))
    )
    top = max(each["milliseconds"]["p99"] for each in bench.growth) * 1.1
    curves = ""
    for at, (what, color) in enumerate(_COLORS.items()):
        points = [
            (
                60 + 680 * sizes.index(e["patients"]) / max(len(sizes) - 1, 1),
                200 - 180 * e["milliseconds"]["p99"] / top,
            )
            for e in bench.growth
            if e["what"] == what
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        curves += f"<polyline points='{path}' fill=none stroke='{color}' stroke-width=2 />"
        curves += "".join(f"<circle cx={x:.1f} cy={y:.1f} r=4 fill='{color}' />" for x, y in points)
        curves += f"<text x={60 + at * 90} y=14 font-size=12 fill='{color}'>{what}</text>"
    labels = "".join(
        f"<text x={60 + 680 * at / max(len(sizes) - 1, 1):.0f} y=218 font-size=11 text-anchor=middle>{size:,}</text>"
        for at, size in enumerate(sizes)
    )
    return (
        f"<figure><svg viewBox='0 0 800 224' width=800 role=img aria-label='p99 by number of patients'>"
        f"<text x=4 y=24 font-size=11>{top / 1.1:.0f} ms</text><text x=4 y=200 font-size=11>0</text>"
        f"<line x1=60 x2=740 y1=200 y2=200 stroke='#dde3ea' />{curves}{labels}</svg><figcaption class=how>p99 in ms by the "
        "number of patients</figcaption></figure><table><tr><th>what<th class=n>patients<th class=n>per second<th class=n>p50 ms"
        f"<th class=n>p99 ms</tr>{rows}</table>"
    )
