"""`make observability`: write the rules and the dashboards that charts ship."""

from collections.abc import Iterator
from pathlib import Path

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from libs.observability.dashboards import DASHBOARDS
from libs.observability.rules import groups

FILES = Path(__file__).parents[2] / "charts/carehub/files"
_HEAD = "# `make observability` writes this from libs/observability. promtool reads it as it is.\n"


def written() -> Iterator[tuple[Path, str]]:
    """Each file, and what has to be in it."""
    rules = yaml.safe_dump(groups(), sort_keys=False, width=1000, allow_unicode=True)
    yield FILES / "rules.yaml", _HEAD + rules
    for name, build in DASHBOARDS.items():
        told = JSONEncoder(sort_keys=True, indent=1).encode(build().build())
        yield FILES / "dashboards" / f"{name}.json", told + "\n"


def main() -> None:
    for path, text in written():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
