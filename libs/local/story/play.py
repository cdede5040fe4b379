"""The steps, in their order."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from libs.local.story.calendar import HOSPITAL, long_weekend
from libs.local.story.counting import is_counted, is_measured
from libs.local.story.leaving import arrives_and_goes_home, is_followed, is_planned, is_scored
from libs.local.story.missing import is_booked_and_missed, is_told, says_why
from libs.local.story.riding import comes, is_offered_a_ride
from libs.local.story.stage import Stage
from libs.local.story.tale import Tale

Step = Callable[[Tale], Awaitable[None]]
STEPS: tuple[tuple[str, Step], ...] = (
    ("1. interop, registry: she is admitted, and sent home", arrives_and_goes_home),
    ("2. analytics: how likely she is to come back", is_scored),
    ("3. tasking: who does what by when", is_followed),
    ("4. careplans: the plan, and the medicines line by line", is_planned),
    ("5. messaging: what she is told, and what the team asks", is_told),
    ("6. scheduling: a visit is booked, and she does not come", is_booked_and_missed),
    ("7. tasking: why she did not come", says_why),
    ("8. referrals: a ride for her", is_offered_a_ride),
    ("9. scheduling: she comes, and what is open is closed", comes),
    ("10. tasking: the minutes, and the claim", is_counted),
    ("11. analytics: what moved", is_measured),
)


async def play(stage: Stage) -> Tale:
    """Play it to its end. StoryBroke says in which step something did not come true."""
    tale = Tale(stage=stage, friday=long_weekend(stage.now()))
    for title, step in STEPS:
        await stage.begin(title, _at_the_hospital)
        await step(tale)
    return tale


def _at_the_hospital(at: datetime) -> datetime:
    return at.astimezone(HOSPITAL)
