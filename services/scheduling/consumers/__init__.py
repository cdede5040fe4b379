"""What scheduling does when its neighbors tell it something, and when nobody has come.

A handler keeps the newest snapshots and then weighs the appointments that they can concern anew (weighing.py). It never
looks at what kind of change arrived, so a skipped, repeated or reordered event changes nothing about the outcome.
"""

from carehub.identity.v1 import identity_events_pb2
from carehub.interop.v1 import interop_events_pb2
from carehub.registry.v1 import registry_events_pb2

from libs.conveyor.inbox import AT_LEISURE, Consumer
from libs.conveyor.timers import Timer
from libs.process.holding import ACCESS_GATHERS, follow_access
from services.scheduling.consumers.clocks import miss
from services.scheduling.consumers.directory import follow_facilities, follow_feeds
from services.scheduling.consumers.record import (
    follow_appointments,
    follow_encounters,
    follow_merges,
)
from services.scheduling.events import MISSED

# The names are data: durable consumers, the inbox and timers remember them. Never rename one.
CONSUMERS = (
    Consumer("scheduling-facilities", (identity_events_pb2.FacilityChanged,), follow_facilities),
    Consumer("scheduling-feeds", (interop_events_pb2.FeedChanged,), follow_feeds),
    Consumer(
        "scheduling-access",
        (
            identity_events_pb2.AccessChanged,
            identity_events_pb2.AccessBeat,
            identity_events_pb2.BasisEnded,
        ),
        follow_access,
        gather=ACCESS_GATHERS,
    ),
    Consumer(
        "scheduling-encounters",
        (registry_events_pb2.EncounterChanged,),
        follow_encounters,
        gather=AT_LEISURE,
    ),
    Consumer("scheduling-merges", (registry_events_pb2.PatientsMerged,), follow_merges),
    Consumer(
        "scheduling-appointments", (registry_events_pb2.AppointmentTold,), follow_appointments
    ),
)
TIMERS = (Timer(MISSED, miss),)
