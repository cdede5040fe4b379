"""What referrals does when a neighbor tells it something, when a clock runs out, and by itself.

It keeps no patients: of the record it hears of merges alone, and moves what it has to the survivor.
"""

from carehub.identity.v1 import identity_events_pb2
from carehub.interop.v1 import interop_events_pb2
from carehub.registry.v1 import registry_events_pb2

from libs.conveyor.inbox import Consumer
from libs.conveyor.timers import Timer
from libs.process.holding import ACCESS_GATHERS, follow_access
from services.referrals.consumers.clocks import forget_capacity, miss_answer
from services.referrals.consumers.neighbors import follow_facilities, follow_merges
from services.referrals.consumers.programs import follow_feeds, label_program
from services.referrals.events import ANSWER, CAPACITY, PROGRAM

# The names are data: durable consumers, the inbox and timers remember them. Never rename one.
CONSUMERS = (
    Consumer("referrals-facilities", (identity_events_pb2.FacilityChanged,), follow_facilities),
    Consumer("referrals-feeds", (interop_events_pb2.FeedChanged,), follow_feeds),
    Consumer(
        "referrals-access",
        (
            identity_events_pb2.AccessChanged,
            identity_events_pb2.AccessBeat,
            identity_events_pb2.BasisEnded,
        ),
        follow_access,
        gather=ACCESS_GATHERS,
    ),
    Consumer("referrals-merges", (registry_events_pb2.PatientsMerged,), follow_merges),
)
TIMERS = (
    Timer(ANSWER, miss_answer),
    Timer(CAPACITY, forget_capacity),
    Timer(PROGRAM, label_program),
)
