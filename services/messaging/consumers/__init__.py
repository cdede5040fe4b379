"""What messaging does when its neighbors tell it something, when a clock runs out, and by itself.

A handler keeps the newest snapshots and then makes the messages of each cause what that asks for (planning.py). Whether
a message leaves is decided when its time has come (leaving.py); it is sent from a job, outside of that (sending.py).
"""

from functools import partial

from carehub.careplans.v1 import careplans_events_pb2
from carehub.identity.v1 import identity_events_pb2
from carehub.interop.v1 import interop_events_pb2
from carehub.registry.v1 import registry_events_pb2
from carehub.scheduling.v1 import scheduling_events_pb2
from carehub.tasking.v1 import tasking_events_pb2

from libs.conveyor.inbox import AT_LEISURE, Consumer
from libs.conveyor.timers import Timer
from libs.process.app import Job
from libs.process.holding import ACCESS_GATHERS, follow_access
from services.messaging import events
from services.messaging.clients import Mail
from services.messaging.consumers.answers import answer, open_late
from services.messaging.consumers.causes import follow_appointments, follow_loops
from services.messaging.consumers.clocks import escalate, hear, take_over
from services.messaging.consumers.directory import follow_directory
from services.messaging.consumers.leaving import leave
from services.messaging.consumers.patients import follow_patients
from services.messaging.consumers.preferences import follow_preferences
from services.messaging.consumers.programs import follow_feeds, label_program
from services.messaging.consumers.sending import send_messages
from services.messaging.domain.contact import Means

# The names are data: durable consumers, the inbox and timers remember them. Never rename one.
CONSUMERS = (
    Consumer(
        "messaging-directory",
        (
            identity_events_pb2.FacilityChanged,
            identity_events_pb2.StaffChanged,
            identity_events_pb2.TeamChanged,
        ),
        follow_directory,
    ),
    Consumer("messaging-feeds", (interop_events_pb2.FeedChanged,), follow_feeds),
    Consumer(
        "messaging-access",
        (
            identity_events_pb2.AccessChanged,
            identity_events_pb2.AccessBeat,
            identity_events_pb2.BasisEnded,
        ),
        follow_access,
        gather=ACCESS_GATHERS,
    ),
    Consumer(
        "messaging-patients",
        (registry_events_pb2.PatientChanged, registry_events_pb2.PatientsMerged),
        follow_patients,
        gather=AT_LEISURE,  # how somebody is reached can be known a moment later
    ),
    Consumer(
        "messaging-appointments", (scheduling_events_pb2.AppointmentChanged,), follow_appointments
    ),
    Consumer("messaging-loops", (tasking_events_pb2.LoopChanged,), follow_loops),
    Consumer(
        "messaging-preferences",
        (careplans_events_pb2.PreferencesChanged,),
        follow_preferences,
        gather=AT_LEISURE,
    ),
)


def timers(means: Means) -> tuple[Timer, ...]:
    return (
        Timer(events.LEAVE, partial(leave, means)),
        Timer(events.ANSWER, answer),
        Timer(events.OPEN, open_late),
        Timer(events.CLOCK, escalate),
        Timer(events.HEAR, hear),
        Timer(events.PROGRAM, label_program),
        Timer(events.UNANSWERED, take_over),
    )


def jobs(means: Means, mail: Mail) -> tuple[Job, ...]:
    return (Job("messaging-sending", partial(send_messages, means, mail)),)
