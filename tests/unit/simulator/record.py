"""A registry in memory, fed with messages as interop reads them: what a hub would know, without a hub."""

from datetime import UTC, datetime
from itertools import count
from uuid import UUID, uuid5

from services.interop.convert import report_to_proto
from services.interop.domain.classify import classify
from services.interop.domain.feed import Feed, Quirks, Sender
from services.interop.domain.message import Message
from services.registry.convert import to_report
from services.registry.domain.known import Known
from services.registry.domain.matching import ExactMatcher
from services.registry.domain.record import Record

_ROOT = UUID(int=77)
RECEIVED = datetime(2026, 12, 24, tzinfo=UTC)


def place_of(site):
    return uuid5(_ROOT, site.key)


def sender_of(site):
    """The feed of a site, configured for its habits."""
    habits = site.habits
    quirks = Quirks(
        default_assigner=site.assigner,
        patient_classes={theirs: ours for ours, theirs in habits.classes.items()},
        dispositions={theirs: ours for ours, theirs in habits.dispositions.items()},
    )
    feed = Feed(
        id=uuid5(_ROOT, f"feed {site.key}"),
        facility_id=place_of(site),
        name=site.name,
        sending_facility=site.key,
        quirks=quirks,
        created_at=RECEIVED,
    )
    feed.check()
    return Sender(feed=feed, facility_time_zone=str(site.zone))


class Hub:
    """interop's decision and the registry's record, with nothing in between."""

    def __init__(self, sites):
        self.places = {place_of(site): site.key for site in sites}
        self._senders = {site.key: sender_of(site) for site in sites}
        ids = count(1)
        self.record = Record(Known(), ExactMatcher(), lambda: UUID(int=next(ids)), RECEIVED)

    def classify(self, message):
        return classify(message.raw, lambda facility, _: self._senders.get(facility), RECEIVED)

    def take(self, message):
        """Read a message, and give what it reports to the registry. What became of it."""
        verdict = self.classify(message)
        if verdict.report is None:
            return verdict, None
        stored = Message(
            id=uuid5(
                _ROOT, f"{message.site.key} {verdict.control_id} {verdict.content_hash.hex()}"
            ),
            feed_id=verdict.sender.feed.id,
            facility_id=verdict.facility_id,
            sending_application=verdict.sending_application,
            control_id=verdict.control_id,
            content_hash=verdict.content_hash,
            event_type=verdict.event_type,
            received_at=RECEIVED,
            message_at=verdict.message_at,
            state=verdict.state,
        )
        return verdict, self.record.apply(to_report(report_to_proto(verdict.report, stored)))

    def visits(self):
        """What is known of each visit, by site and visit number."""
        out = {}
        for visit in self.record.encounters.values():
            if not visit.is_void:
                out[self.places[visit.facility_id], visit.visit_number] = visit
        return out
