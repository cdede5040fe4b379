"""What the run comes to: both figures, and whatever was found. Unit tests load no more of the watch than this."""

import os
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """`answers` have patient data, `rows` are theirs in a ledger. `read` counts the texts that were searched, by kind."""

    answers: int = 0
    rows: int = 0
    values: int = 0
    read: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> str:
        return f"{self.rows / self.answers:.4f}" if self.answers else "none"

    def lines(self):
        texts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.read.items()))
        yield f"audit rows : answers with patient data = {self.rows:,} : {self.answers:,} = {self.ratio}"
        yield f"health data: {self.values:,} values sought in {texts}"
        yield from self.found

    @property
    def is_good(self) -> bool:
        return not self.found and self.rows == self.answers


TALLY = Tally()


def test_now() -> str:
    """The test that runs, for saying where something was found."""
    return (
        os.environ.get("PYTEST_CURRENT_TEST", "between tests").rpartition(" (")[0]
        or "between tests"
    )
