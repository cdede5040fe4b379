"""Whatever people record, in whichever order, the access that it ends in is the same."""

import random
from datetime import timedelta
from uuid import UUID

from carehub.identity.v1.consent_pb2 import Consent

from tests.component.identity.recording import (
    LONG_AGO,
    Records,
    classes,
    instant,
    labels,
    purposes,
)

RECORDED = ("consents", "proxies", "patient_accounts", "care_team", "referral_facts", "holds")
ATTORNEY, PERSON, CAREGIVER = (UUID(int=n) for n in range(901, 904))


class Drawn:
    """Threads of steps: within one the order is what happened, between them there is none."""

    def __init__(self, records, seed, begins, nurse):
        self.r, self.begins, self.nurse = records, begins, nurse
        self.chance = random.Random(seed)

    def threads(self):
        drawn = [*(self.consents() for _ in range(3)), self.proxy(), self.proxy(), *self.others()]
        return self.chance.sample(drawn, self.chance.randint(4, len(drawn)))

    def id(self):
        return str(UUID(int=self.chance.getrandbits(122)))

    def consent(self):
        sample, r = self.chance.sample, self.r
        said = r.permit if self.chance.random() < 0.6 else r.deny
        places = [r.here, r.there, r.partner, UUID(self.nurse.id)]
        return said(
            *sample(places, self.chance.randint(0, 2)),
            give_time=instant(self.begins),
            start_time=instant(self.begins),
            evidence_id=self.id(),
            labels=labels(*sample(["NORMAL", "HIV", "PART2", "SUD"], 2)),
            purposes=purposes(*sample(["TREATMENT", "CARE_COORDINATION", "PAYMENT"], 2)),
            data_classes=classes(*sample(["VISITS", "RESULTS", "CLINICAL"], 2)),
            form=Consent.FORM_PAPER,
            given_by_id=self.chance.choice(["", str(ATTORNEY)]),
        )

    def consents(self):
        given, request_id = [], self.id()
        first, then = self.consent(), self.consent()
        then.given_by_id = ""  # what permits more is as new as it is: whether they were the attorney then has an order

        async def give():
            given.append(await self.r.give(first, request_id=request_id))

        async def change():
            given.append(await self.r.change(given[-1].id, then, etag=given[-1].etag))

        async def take_back():
            await self.r.withdraw(given[-1].id)

        return [give, *(step for step in (change, take_back) if self.chance.random() < 0.4)]

    def proxy(self):
        added, request_id, evidence = [], self.id(), self.id()
        who = self.chance.choice([ATTORNEY, CAREGIVER])
        ends = self.chance.choice([self.r.revoke, self.r.bar, None])

        async def add():
            fields = {"start_time": instant(LONG_AGO), "evidence_id": evidence}
            added.append(await self.r.add_proxy(who, request_id=request_id, **fields))

        async def end():
            await ends(added[-1].id)

        return [add, end] if ends else [add]

    def others(self):
        r, ids, since = self.r, [self.id() for _ in range(3)], instant(self.begins)
        ends = instant(self.begins + timedelta(days=9))
        return [
            [lambda: r.join(self.nurse.id, request_id=ids[0], start_time=since)],
            [lambda: r.refer(r.partner, request_id=ids[1], send_time=since)],
            [lambda: r.hold(request_id=ids[2], start_time=since, end_time=ends)],
            [lambda: r.link(PERSON)],
        ]


def _interleaved(threads, chance):
    turns = [n for n, thread in enumerate(threads) for _ in thread]
    chance.shuffle(turns)
    left = [iter(thread) for thread in threads]
    return [next(left[n]) for n in turns]


async def _ended_in(r):
    """The access that is decided; then what was recorded is forgotten."""
    decided = []
    async with r.identity.hub.system("identity") as tx:
        for table in ("grants", "denials"):
            rows = await tx._connection.fetch(f"SELECT * FROM {table} ORDER BY number")
            decided.append([tuple(row) for row in rows])
        forget = [f"DELETE FROM {table}" for table in (*RECORDED, "grants", "denials")]
        await tx._connection.execute("; ".join([*forget, "DELETE FROM access_versions"]))
    return decided


async def test_any_order_of_what_is_recorded_ends_in_the_same_access(identity):
    async with Records.kept(identity) as r:
        nurse = await r.identity.create_staff("nurse", ("nurse", str(r.here)))
        begins = r.now(days=-1)
        shown = stopped = 0
        await _ended_in(r)
        for seed in range(15):
            ends = []
            for order in range(2):
                threads = Drawn(r, seed, begins, nurse).threads()
                for step in _interleaved(threads, random.Random(f"{seed} {order}")):
                    await step()
                ends.append(await _ended_in(r))
            assert ends[0] == ends[1], f"seed {seed}"
            shown, stopped = shown + len(ends[0][0]), stopped + len(ends[0][1])
        assert shown > 60
        assert stopped > 10
