"""Facts about patients, agreements, and the access decided from them, in PostgreSQL.

The tables `grants`, `denials` and `access_versions` are those that every service has: elsewhere a projection, here the
truth.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from libs.chassis.access import (
    DenialRow,
    GrantRow,
    PatientAccess,
    access_versions,
    denials,
    ended_bases,
    grants,
    project_access,
)
from libs.chassis.caller import Call
from libs.chassis.database import Transaction, every_field, fields_except, param, sql
from services.identity.domain.access.facts import Agreement, Network
from services.identity.domain.access.terms import Reason, Weight
from services.identity.domain.fact import AccessFact, Signed
from services.identity.store.facility import FacilityStore
from services.identity.store.merge import MergeStore
from services.identity.store.schema import (
    access_facts,
    access_positions,
    agreement_patients,
    agreements,
    care_team,
    organizations,
    staff,
    teams,
)

_IDS = param("ids", type_=ARRAY(Uuid))


@dataclass(frozen=True, slots=True)
class _Version:
    patient_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class Decided:
    """Which version of a patient's access was decided, and when in the order of all of them."""

    patient_id: UUID
    version: int
    position: int


@dataclass(frozen=True, slots=True)
class _Member:
    id: UUID
    is_covered: bool


@dataclass(frozen=True, slots=True)
class _Listed:
    agreement_id: UUID
    patient_id: UUID


FACTS_BY_ID = sql(select(access_facts).where(access_facts.c.id == any_(_IDS)), row=AccessFact)
FACTS_OF_PATIENTS = sql(
    select(access_facts).where(access_facts.c.patient_id == any_(_IDS)), row=AccessFact
)
_fact = insert(access_facts).values(every_field(access_facts))
SAVE_FACT = sql(
    _fact.on_conflict_do_update(
        index_elements=["kind", "id"],
        set_={c: _fact.excluded[c.name] for c in fields_except(access_facts, "kind", "id")},
    )
)
CARED_FOR_BY = sql(
    select(care_team.c.patient_id)
    .distinct()
    .where(care_team.c.grantee_id == param("grantee_id", type_=Uuid))
    .order_by(care_team.c.patient_id)
)
GRANTED_TO = sql(
    select(grants.c.patient_id)
    .distinct()
    .where(grants.c.grantee_id == param("grantee_id", type_=Uuid))
)
# Of the caller's own sort of grants, whose record it is: unexpired, as everywhere.
RECORDS_OF = sql(
    select(grants.c.patient_id)
    .distinct()
    .where(
        grants.c.grantee_id == param("person_id", type_=Uuid),
        grants.c.reason.in_(
            [literal_column(f"'{Reason.SELF}'"), literal_column(f"'{Reason.PROXY}'")]
        ),
        or_(grants.c.expires_at.is_(None), grants.c.expires_at > func.now()),
    )
)
PATIENTS_AFTER = sql(
    select(access_facts.c.patient_id)
    .distinct()
    .where(access_facts.c.patient_id > param("after", type_=Uuid))
    .order_by(access_facts.c.patient_id)
    .limit(param("limit", type_=Integer))
)
VERSIONS_OF = sql(
    select(access_versions).where(access_versions.c.patient_id == any_(_IDS)), row=_Version
)
_turns = access_positions.c
TAKE_TURNS = sql(
    update(access_positions)
    .where(_turns.patient_id == any_(_IDS))
    .values(position=func.nextval("access_position"))
)
DECIDED_AFTER = sql(
    select(access_positions)
    .where(_turns.position > param("after", type_=BigInteger))
    .order_by(_turns.position)
    .limit(param("limit", type_=Integer)),
    row=Decided,
)
LAST_TURN = sql(select(func.coalesce(func.max(_turns.position), 0)))
ENDED_SINCE = sql(
    select(ended_bases.c.basis_id)
    .where(ended_bases.c.ended_at > param("since", type_=DateTime(timezone=True)))
    .order_by(ended_bases.c.basis_id)
)
GRANTS_OF = sql(
    select(grants).where(grants.c.patient_id == any_(_IDS)).order_by(grants.c.number), row=GrantRow
)
DENIALS_OF = sql(
    select(denials).where(denials.c.patient_id == any_(_IDS)).order_by(denials.c.number),
    row=DenialRow,
)
MEMBERS = sql(select(organizations.c.id, organizations.c.is_covered), row=_Member)
TEAMS = sql(select(teams.c.id))
LEFT = sql(select(staff.c.id).where(staff.c.state == literal_column("'DEACTIVATED'")))
AGREEMENTS = sql(select(agreements).order_by(agreements.c.id), row=Signed)
AGREE = sql(
    insert(agreements)
    .values(every_field(agreements))
    .on_conflict_do_nothing()
    .returning(agreements.c.id)
)
LISTED_AMONG = sql(
    select(agreement_patients.c.agreement_id, agreement_patients.c.patient_id)
    .join(
        agreements,
        and_(
            agreements.c.id == agreement_patients.c.agreement_id,
            agreements.c.roster == agreement_patients.c.roster,
        ),
    )
    .where(agreement_patients.c.patient_id == any_(_IDS)),
    row=_Listed,
)
CLOCK = sql(select(func.clock_timestamp()))
# Where the caller's facilities know the patient themselves.
_known = func.patients_known_at(
    param("ids", type_=ARRAY(Uuid)), param("facilities", type_=ARRAY(Uuid))
).table_valued("patient_id")
KNOWN_AMONG = sql(select(_known.c.patient_id))
_purposes = param("purposes", type_=ARRAY(Text))
_forbidden = exists().where(
    denials.c.patient_id == grants.c.patient_id,
    denials.c.weight > grants.c.standing,
    or_(
        denials.c.grantee_id.is_(None),
        denials.c.grantee_id == any_(grants.c.names),
        denials.c.grantee_id == any_(param("in_person", type_=ARRAY(Uuid))),
    ),
    denials.c.purposes.overlap(_purposes),
    denials.c.classes.contains(grants.c.classes),
    denials.c.labels.contains(grants.c.labels),
    or_(
        denials.c.sources.is_(None),
        and_(grants.c.sources.is_not(None), denials.c.sources.contains(grants.c.sources)),
    ),
    or_(denials.c.expires_at.is_(None), denials.c.expires_at > func.now()),
)
# Row-level security leaves the grants to the caller only.
GRANTED_AMONG = sql(
    select(grants.c.patient_id)
    .distinct()
    .where(
        grants.c.patient_id == any_(_IDS),
        grants.c.purposes.overlap(_purposes),
        or_(grants.c.expires_at.is_(None), grants.c.expires_at > func.now()),
        ~exists().where(ended_bases.c.basis_id == grants.c.basis_id),
        ~_forbidden,
    )
)

REFUSED_AMONG = sql(
    select(denials.c.patient_id)
    .distinct()
    .where(
        denials.c.patient_id == any_(_IDS),
        denials.c.weight == int(Weight.PERSONAL),
        denials.c.grantee_id == any_(param("in_person", type_=ARRAY(Uuid))),
        or_(denials.c.expires_at.is_(None), denials.c.expires_at > func.now()),
    )
)


class AccessStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def facts_by_id(self, fact_ids: Iterable[UUID]) -> list[AccessFact]:
        return await self._tx.fetch(FACTS_BY_ID, ids=list(fact_ids))

    async def facts_of(self, patient_ids: Iterable[UUID]) -> dict[UUID, list[AccessFact]]:
        facts = defaultdict[UUID, list[AccessFact]](list)
        for fact in await self._tx.fetch(FACTS_OF_PATIENTS, ids=list(patient_ids)):
            facts[fact.patient_id].append(fact)
        return facts

    async def save_facts(self, facts: Sequence[AccessFact]) -> None:
        await self._tx.run_many(SAVE_FACT, facts)

    async def patients_after(self, patient_id: UUID, limit: int) -> list[UUID]:
        """The next patients of whom anything is known, by id."""
        return await self._tx.fetch(PATIENTS_AFTER, after=patient_id, limit=limit)

    async def patients_granted_to(self, grantee_id: UUID) -> list[UUID]:
        """The patients of whom something is granted to this very person."""
        return await self._tx.fetch(GRANTED_TO, grantee_id=grantee_id)

    async def patients_cared_for_by(self, grantee_id: UUID) -> list[UUID]:
        """The patients on whose care team somebody ever was, in order."""
        return await self._tx.fetch(CARED_FOR_BY, grantee_id=grantee_id)

    async def records_of(self, person_id: UUID) -> list[UUID]:
        """The patients whom somebody is, or acts for."""
        return await self._tx.fetch(RECORDS_OF, person_id=person_id)

    async def versions_of(self, patient_ids: Iterable[UUID]) -> dict[UUID, int]:
        """The version of what was last decided, of those about whom it was ever told."""
        found = await self._tx.fetch(VERSIONS_OF, ids=list(patient_ids))
        return {each.patient_id: each.version for each in found}

    async def decided(self, versions: dict[UUID, int]) -> dict[UUID, PatientAccess]:
        """What was last decided about these patients."""
        given, denied = (
            defaultdict[UUID, list[GrantRow]](list),
            defaultdict[UUID, list[DenialRow]](list),
        )
        if versions:
            for grant in await self._tx.fetch(GRANTS_OF, ids=list(versions)):
                given[grant.patient_id].append(grant)
            for denial in await self._tx.fetch(DENIALS_OF, ids=list(versions)):
                denied[denial.patient_id].append(denial)
        return {
            i: PatientAccess(
                patient_id=i, version=version, grants=tuple(given[i]), denials=tuple(denied[i])
            )
            for i, version in versions.items()
        }

    async def save(self, decided: Sequence[PatientAccess]) -> None:
        """Keep what was decided, each at the end of the order. The caller is the only decider."""
        await project_access(self._tx, decided)
        if decided:
            await self._tx.run(TAKE_TURNS, ids=[each.patient_id for each in decided])

    async def decided_after(self, position: int, limit: int) -> list[Decided]:
        return await self._tx.fetch(DECIDED_AFTER, after=position, limit=limit)

    async def last_turn(self) -> int:
        """How far the order goes."""
        last: int = await self._tx.one(LAST_TURN)
        return last

    async def ended_since(self, at: datetime) -> list[UUID]:
        """What grants rested on and has ended."""
        return await self._tx.fetch(ENDED_SINCE, since=at)

    async def network(
        self, jurisdiction: str, patient_ids: Collection[UUID]
    ) -> tuple[Network, tuple[Agreement, ...]]:
        """The members of the network, and what they have agreed upon; of lists, as far as these patients are on them.

        Whose record was merged into another one stays on the lists that they were on, as who survives.
        """
        organization_of = await FacilityStore(self._tx).organizations()
        members = await self._tx.fetch(MEMBERS)
        organization_ids = frozenset(member.id for member in members)
        network = Network(
            jurisdiction=jurisdiction,
            organization_of=organization_of,
            teams=frozenset(await self._tx.fetch(TEAMS)),
            covered=frozenset(member.id for member in members if member.is_covered),
            deactivated=frozenset(await self._tx.fetch(LEFT)),
        )
        whose = await MergeStore(self._tx).whole_records(patient_ids)
        listed = defaultdict[UUID, set[UUID]](set)
        for each in await self._tx.fetch(LISTED_AMONG, ids=list(whose)):
            listed[each.agreement_id].add(whose[each.patient_id])
        signed = await self._tx.fetch(AGREEMENTS)
        return network, tuple(
            one.among(organization_ids, frozenset(listed[one.id])) for one in signed
        )

    async def clock(self) -> datetime:
        """The time by the clock of the database, as the policies count."""
        at: datetime = await self._tx.one(CLOCK)
        return at

    async def agree(self, agreement: Signed) -> bool:
        """Keep an agreement. False if it was there already, as it may have been changed since."""
        return await self._tx.one_or_none(AGREE, agreement) is not None

    async def is_known_at(self, patient_id: UUID, facilities: Collection[UUID]) -> bool:
        """Whether one of these facilities knows the patient themselves, and not by what others share."""
        return bool(
            await self._tx.fetch(KNOWN_AMONG, ids=[patient_id], facilities=list(facilities))
        )

    async def visible_among(
        self,
        patient_ids: Collection[UUID],
        call: Call,
        *,
        at: Collection[UUID] | None = None,
        purposes: Collection[str] | None = None,
    ) -> frozenset[UUID]:
        """Those of whom the caller may see anything: their facilities know them, or something is granted.

        And who does not refuse the caller in person, of whatever: of them they hear nothing unasked.
        `at` and `purposes`: only these facilities and purposes of theirs count.
        """
        known = await self._tx.fetch(
            KNOWN_AMONG,
            ids=list(patient_ids),
            facilities=list(call.facilities if at is None else at),
        )
        granted = await self._tx.fetch(
            GRANTED_AMONG,
            ids=list(patient_ids),
            in_person=[call.caller.subject, *call.capacity.teams],
            purposes=list(call.capacity.purposes if purposes is None else purposes),
        )
        refused = await self._tx.fetch(
            REFUSED_AMONG,
            ids=list(patient_ids),
            in_person=[call.caller.subject, *call.capacity.teams],
        )
        return frozenset(known).union(granted).difference(refused)
