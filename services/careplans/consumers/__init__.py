"""What careplans does when its neighbors tell it something.

A handler keeps the newest snapshots and then makes the plans what those ask for. It never looks at what kind of change
arrived, so a skipped, repeated or reordered event changes nothing about the outcome.
"""

from carehub.identity.v1 import identity_events_pb2
from carehub.interop.v1 import interop_events_pb2
from carehub.registry.v1 import registry_events_pb2
from carehub.tasking.v1 import tasking_events_pb2

from libs.conveyor.inbox import AT_LEISURE, Consumer
from libs.process.holding import ACCESS_GATHERS
from services.careplans.consumers.directory import follow_directory, follow_feeds
from services.careplans.consumers.record import follow_record
from services.careplans.consumers.work import follow_access_and_plans, follow_work

# The names are data: durable consumers and the inbox remember them. Never rename one.
CONSUMERS = (
    Consumer(
        "careplans-work",
        (tasking_events_pb2.LoopChanged, tasking_events_pb2.TaskChanged),
        follow_work,
        gather=AT_LEISURE,
    ),
    Consumer(
        "careplans-record",
        (registry_events_pb2.EncounterChanged, registry_events_pb2.PatientsMerged),
        follow_record,
        gather=AT_LEISURE,
    ),
    Consumer(
        "careplans-directory",
        (
            identity_events_pb2.FacilityChanged,
            identity_events_pb2.OrganizationChanged,
            identity_events_pb2.StaffChanged,
            identity_events_pb2.TeamChanged,
        ),
        follow_directory,
    ),
    Consumer("careplans-feeds", (interop_events_pb2.FeedChanged,), follow_feeds),
    Consumer(
        "careplans-access",
        (
            identity_events_pb2.AccessChanged,
            identity_events_pb2.AccessBeat,
            identity_events_pb2.BasisEnded,
        ),
        follow_access_and_plans,
        gather=ACCESS_GATHERS,
    ),
)
