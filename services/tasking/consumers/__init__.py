"""What tasking does when its neighbors tell it something, when a clock runs out, and by itself.

A handler keeps the newest snapshots and then makes each patient's loops what those ask for (planning.py). It never looks
at what kind of change arrived, so a skipped, repeated or reordered event changes nothing about the outcome.
"""

from carehub.analytics.v1 import analytics_events_pb2
from carehub.careplans.v1 import careplans_events_pb2
from carehub.identity.v1 import identity_events_pb2
from carehub.messaging.v1 import messaging_events_pb2
from carehub.referrals.v1 import referrals_events_pb2
from carehub.registry.v1 import registry_events_pb2
from carehub.scheduling.v1 import scheduling_events_pb2

from libs.conveyor.inbox import AT_LEISURE, Consumer
from libs.conveyor.timers import Timer
from libs.process.holding import ACCESS_GATHERS, follow_access
from services.tasking.consumers.clocks import escalate, plan, review
from services.tasking.consumers.directory import follow_directory
from services.tasking.consumers.record import (
    follow_break_glass,
    follow_encounters,
    follow_patients,
)
from services.tasking.consumers.told import (
    follow_appointments,
    follow_reconciliations,
    follow_referrals,
    follow_replies,
    follow_results,
    follow_risks,
)
from services.tasking.events import ESCALATE, PLAN, REVIEW

# The names are data: durable consumers, the inbox and timers remember them. Never rename one.
CONSUMERS = (
    Consumer(
        "tasking-staff",
        (
            identity_events_pb2.FacilityChanged,
            identity_events_pb2.StaffChanged,
            identity_events_pb2.TeamChanged,
        ),
        follow_directory,
    ),
    Consumer(
        "tasking-access",
        (
            identity_events_pb2.AccessChanged,
            identity_events_pb2.AccessBeat,
            identity_events_pb2.BasisEnded,
        ),
        follow_access,
        gather=ACCESS_GATHERS,
    ),
    Consumer(
        "tasking-patients",
        (
            registry_events_pb2.PatientChanged,
            registry_events_pb2.PatientsMerged,
            registry_events_pb2.ProgramRecordChanged,
        ),
        follow_patients,
        gather=0.1,
    ),
    Consumer("tasking-encounters", (registry_events_pb2.EncounterChanged,), follow_encounters),
    Consumer("tasking-break-glass", (identity_events_pb2.BreakGlassChanged,), follow_break_glass),
    # Every version counts: that a visit was missed stays true, whatever its clinic makes of it in the same minute.
    Consumer(
        "tasking-appointments",
        (scheduling_events_pb2.AppointmentChanged,),
        follow_appointments,
        newest_only=False,
    ),
    Consumer("tasking-replies", (messaging_events_pb2.ReplyReceived,), follow_replies),
    Consumer("tasking-referrals", (referrals_events_pb2.ReferralChanged,), follow_referrals),
    Consumer(
        "tasking-reconciliations",
        (careplans_events_pb2.ReconciliationChanged,),
        follow_reconciliations,
    ),
    Consumer("tasking-risks", (analytics_events_pb2.RiskScored,), follow_risks, gather=AT_LEISURE),
    # Every version counts: that a result was critical stays true, whatever its laboratory makes of it in the same minute.
    Consumer(
        "tasking-results",
        (registry_events_pb2.ResultReceived,),
        follow_results,
        newest_only=False,
    ),
)
TIMERS = (Timer(ESCALATE, escalate), Timer(REVIEW, review), Timer(PLAN, plan))
