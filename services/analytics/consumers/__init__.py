"""What analytics does when its neighbors tell it something.

A handler keeps the newest snapshots and then computes their patients anew, from all that is known of them. It never looks
at what kind of change arrived, so a skipped, repeated or reordered event changes nothing about the outcome.
"""

from carehub.identity.v1 import identity_events_pb2
from carehub.referrals.v1 import referrals_events_pb2
from carehub.registry.v1 import registry_events_pb2
from carehub.tasking.v1 import tasking_events_pb2

from libs.conveyor.inbox import AT_LEISURE, Consumer
from libs.conveyor.timers import Timer
from libs.process.holding import ACCESS_GATHERS, follow_access
from services.analytics.consumers.clocks import ANEW, count_anew
from services.analytics.consumers.following import (
    follow_facilities,
    follow_loops,
    follow_record,
    follow_referrals,
)

# The names are data: durable consumers and the inbox remember them. Never rename one.
CONSUMERS = (
    Consumer(
        "analytics-record",
        (registry_events_pb2.EncounterChanged, registry_events_pb2.PatientsMerged),
        follow_record,
        gather=AT_LEISURE,
    ),
    Consumer("analytics-loops", (tasking_events_pb2.LoopChanged,), follow_loops, gather=AT_LEISURE),
    Consumer(
        "analytics-referrals",
        (referrals_events_pb2.ReferralChanged,),
        follow_referrals,
        gather=AT_LEISURE,
    ),
    Consumer("analytics-facilities", (identity_events_pb2.FacilityChanged,), follow_facilities),
    Consumer(
        "analytics-access",
        (
            identity_events_pb2.AccessChanged,
            identity_events_pb2.AccessBeat,
            identity_events_pb2.BasisEnded,
        ),
        follow_access,
        gather=ACCESS_GATHERS,
    ),
)
TIMERS = (Timer(ANEW, count_anew),)
