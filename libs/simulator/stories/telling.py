"""What the hospital's and the clinic's systems tell of an act."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from libs.simulator.afterwards import Afterwards, Outcome
from libs.simulator.stories import somebody
from libs.simulator.stories.act import Act, What
from libs.simulator.stories.somebody import Somebody

_EVENTS = {
    What.ADMITTED: "A01",
    What.NOT_ADMITTED: "A11",
    What.SENT_HOME_EARLY: "A03",
    What.STAYED: "A13",
    What.SENT_HOME: "A03",
    What.BACK: "A01",
    What.BACK_LEFT: "A03",
}


def message(act: Act, plan: Afterwards, one: Somebody) -> bytes:
    """Of a stay, or of what else is known of somebody."""
    at = act.at
    told: dict[What, Callable[[], bytes]] = {
        What.FIRST_KNOWN: lambda: somebody.person("A28", one, at),
        What.MOVED: lambda: somebody.person("A31", one, at, moved=True),
        What.DIED: lambda: somebody.person("A31", one, at, died=at),
        What.MERGED: lambda: somebody.merge(one, at),
        What.CLINIC_BOOKS: lambda: somebody.booking(one, at, datetime.fromisoformat(act.detail)),
    }
    return told[act.what]() if act.what in told else _of_stay(act, plan, one)


def _of_stay(act: Act, plan: Afterwards, one: Somebody) -> bytes:
    event = _EVENTS[act.what]
    if act.what in (What.BACK, What.BACK_LEFT):
        return somebody.stay(event, one, plan.again or plan.stay, one.visit("A"), act.at)
    is_early = act.what is What.SENT_HOME_EARLY
    bed = replace(plan.stay, discharged_at=act.at) if is_early else plan.stay
    number = one.second_mrn if plan.outcome is Outcome.MERGED else ""
    return somebody.stay(event, one, bed, one.visit("V"), act.at, number)
