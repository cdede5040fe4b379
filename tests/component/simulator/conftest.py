"""interop, registry and tasking running for a test, with the sites of the simulated region as their facilities."""

from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from carehub.identity.v1 import identity_events_pb2, staff_pb2
from carehub.interop.v1 import interop_service_pb2
from carehub.interop.v1.feed_pb2 import Feed, Quirks

from libs.simulator.link import Address
from libs.testing.hub import caller_token
from services.interop.mllp.server import MllpServer
from services.interop.mllp.settings import Settings
from services.tasking.domain.protocol import shipped_protocols

SERVICES = ("interop", "registry", "tasking")
_ROOT = UUID(int=77)
_INTEROP = interop_service_pb2.DESCRIPTOR.services_by_name["InteropService"]
_ROLES = (
    "coordinator",
    "nurse",
    "pharmacist",
    "scheduler",
    "community_health_worker",
    "physician",
    "facility_admin",
)


def place_of(site):
    return uuid5(_ROOT, site.key)


class Spine:
    """The services, and what they know in the end."""

    def __init__(self, hub, sites):
        self.hub = hub
        self.sites = sites
        self.places = {place_of(site): site.key for site in sites}
        self.token = caller_token(
            permissions=["feeds.read", "feeds.write"],
            facilities=list(self.places),
            roles=["integration"],
        )

    async def settle_in(self):
        for site in self.sites:
            await self._add_facility(site)
        await self.until("interop", "SELECT count(*) FROM facilities", len(self.sites))
        await self.until("tasking", "SELECT count(*) FROM facilities", len(self.sites))
        await self.until("tasking", "SELECT count(*) FROM teams", len(self.sites))
        await self.until("tasking", "SELECT count(*) FROM staff", len(self.sites))
        await self.until("tasking", "SELECT count(*) FROM protocols", len(shipped_protocols()))
        for site in self.sites:
            await self._add_feed(site)

    async def _add_facility(self, site):
        place, duty, someone = (
            place_of(site),
            uuid5(_ROOT, f"duty {site.key}"),
            uuid5(_ROOT, f"staff {site.key}"),
        )
        told = identity_events_pb2.FacilityChanged(version=1)
        told.facility.id, told.facility.name = str(place), site.name
        told.facility.time_zone, told.facility.holiday_calendar = str(site.zone), "us-federal"
        told.facility.duty_team_id = str(duty)
        await self.hub.publish(told, key=place)
        member = staff_pb2.StaffMember(
            id=str(someone), account=site.key.lower(), display_name=site.name,
            email=f"{site.key.lower()}@carehub.example", state=staff_pb2.StaffMember.STATE_ACTIVE,
        )  # fmt: skip
        for role in _ROLES:
            member.roles.append(staff_pb2.RoleAssignment(role=role, facility_id=str(place)))
        await self.hub.publish(
            identity_events_pb2.StaffChanged(staff_member=member, version=1), key=someone
        )
        team = identity_events_pb2.TeamChanged(version=1)
        team.team.id, team.team.facility_id, team.team.name = (
            str(duty),
            str(place),
            f"{site.name} duty",
        )
        team.team.lead_id = str(someone)
        team.team.member_ids.append(str(someone))
        await self.hub.publish(team, key=duty)

    async def _add_feed(self, site):
        habits = site.habits
        feed = Feed(
            facility_id=str(place_of(site)), name=site.name, sending_facility=site.key,
            quirks=Quirks(
                default_assigner=site.assigner,
                patient_classes={theirs: ours for ours, theirs in habits.classes.items()},
                dispositions={theirs: ours for ours, theirs in habits.dispositions.items()},
                charset="latin-1" if habits.charset == "latin-1" else "",
            ),
        )  # fmt: skip
        request = interop_service_pb2.CreateFeedRequest(feed=feed)
        await self.hub.call(_INTEROP, "CreateFeed", request, Feed, token=self.token)

    @asynccontextmanager
    async def listening(self, port=0):
        server = MllpServer(Settings(mllp_port=port), self.hub.host.runtimes["interop"])
        await server.start()
        try:
            yield Address(host="127.0.0.1", port=server.port)
        finally:
            await server.stop()

    async def rows(self, service, statement):
        async with self.hub.system(service) as tx:
            return await tx._connection.fetch(statement)

    async def until(self, service, statement, count):
        async def is_so():
            return (await self.rows(service, statement))[0][0] == count

        await self.hub.until(is_so, what=f"{service}: {statement} = {count}")

    async def accounts(self):
        """What interop counts of each feed."""
        request = interop_service_pb2.ListFeedsRequest(page_size=50)
        answer = await self.hub.call(
            _INTEROP, "ListFeeds", request, interop_service_pb2.ListFeedsResponse, token=self.token
        )
        return {feed.sending_facility: feed.accounts for feed in answer.feeds}

    async def settled(self, seconds=150.0):
        """Until every message is answered for, and every event delivered and handled."""

        async def is_settled():
            if any(each.pending for each in (await self.accounts()).values()):
                return False
            before = await self._idle()
            for service in SERVICES:
                unpublished = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
                if (await self.rows(service, unpublished))[0][0]:
                    return False
            # What is handled tells more: nothing was, from the one look to the other.
            return before is not None and await self._idle() == before

        await self.hub.until(is_settled, seconds=seconds, what="everything to be handled")

    async def _idle(self):
        """How far the streams have come, if every consumer has handled all that they have; else None."""
        js, ends = self.hub._nats.jetstream(), []
        for name in ("identity", *SERVICES):
            ends.append((await js.stream_info(name)).state.last_seq)
            for each in await js.consumers_info(name):
                if each.num_pending or each.num_ack_pending:
                    return None
        return ends


@pytest.fixture
def spine(hub):
    @asynccontextmanager
    async def running(region, now):
        async with hub(*SERVICES, now=now + timedelta(minutes=5)) as running_hub:
            spine = Spine(running_hub, region.sites)
            await spine.settle_in()
            yield spine

    return running
