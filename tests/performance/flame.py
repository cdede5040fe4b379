"""Folded stacks as a flame graph in one SVG, and as a list of what costs most.

`python -m tests.performance.flame FOLDER` reads what `--sample FOLDER` wrote: one file per process.
"""

import html
import sys
from collections import Counter
from pathlib import Path
from typing import Any

_WIDTH, _ROW = 1200.0, 16
_LEAST = 0.6  # pixels: narrower ones are not drawn


def main() -> None:
    for path in sorted(Path(sys.argv[1]).glob("*.folded")):
        stacks = read(path)
        path.with_suffix(".svg").write_text(svg(stacks, path.stem))
        print(f"\n{path.stem}: {sum(stacks.values())} samples")
        for title, counts in (("itself", own(stacks)), ("with what it calls", whole(stacks))):
            print(f"  {title}")
            for name, count in counts.most_common(45):
                print(f"    {count / sum(stacks.values()):6.1%}  {name}")


def read(path: Path) -> Counter[str]:
    stacks: Counter[str] = Counter()
    for line in path.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        if "importlib" not in stack:  # the start is another question
            stacks[stack] += int(count)
    return stacks


def own(stacks: Counter[str]) -> Counter[str]:
    """By the line that ran, or called into C."""
    counts: Counter[str] = Counter()
    for stack, count in stacks.items():
        counts[stack.rpartition(";")[2]] += count
    return counts


def whole(stacks: Counter[str]) -> Counter[str]:
    """By function, with everything below it; once per stack."""
    counts: Counter[str] = Counter()
    for stack, count in stacks.items():
        for name in {_function(frame) for frame in stack.split(";")}:
            counts[name] += count
    return counts


def _function(frame: str) -> str:
    place, _, name = frame.rpartition(" ")
    return f"{place.rpartition(':')[0]} {name}"


def svg(stacks: Counter[str], title: str) -> str:
    root: dict[str, Any] = {"count": 0, "below": {}}
    for stack, count in stacks.items():
        node = root
        node["count"] += count
        for frame in map(_function, stack.split(";")):
            node = node["below"].setdefault(frame, {"count": 0, "below": {}})
            node["count"] += count
    boxes: list[str] = []
    depth = _draw(root, 0.0, 0, _WIDTH / max(root["count"], 1), boxes)
    height = (depth + 2) * _ROW
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH:.0f} {height}' font-family='monospace' font-size='11'>"
        f"<text x='4' y='12'>{html.escape(title)}: {root['count']} samples of CPU time</text>{''.join(boxes)}</svg>"
    )


def _draw(node: dict[str, Any], left: float, depth: int, scale: float, boxes: list[str]) -> int:
    deepest = depth
    for name, below in sorted(node["below"].items()):
        width = below["count"] * scale
        if width >= _LEAST:
            boxes.append(_box(name, left, depth + 1, width, below["count"]))
            deepest = max(deepest, _draw(below, left, depth + 1, scale, boxes))
        left += width
    return deepest


def _box(name: str, left: float, depth: int, width: float, count: int) -> str:
    hue = 20 + hash(name.partition("/")[0]) % 40
    label = html.escape(name[-int(width / 6.7) :]) if width > 30 else ""
    y = depth * _ROW + 4
    return (
        f"<g><title>{html.escape(name)} ({count})</title><rect x='{left:.1f}' y='{y}' width='{width:.1f}' height='{_ROW - 1}' "
        f"fill='hsl({hue},80%,68%)'/><text x='{left + 2:.1f}' y='{y + 11}'>{label}</text></g>"
    )


if __name__ == "__main__":
    main()
