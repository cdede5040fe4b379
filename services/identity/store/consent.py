"""Consents in PostgreSQL: a row for each version, only ever added to."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import BigInteger, Integer, Uuid, any_, insert, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on

from libs.chassis.database import Transaction, every_field, param, sql
from libs.chassis.errors import NotFound
from services.identity.domain.consent import RecordedConsent
from services.identity.store.schema import consents

_c = consents.c
_about = _c.patient_id == any_(param("ids", type_=ARRAY(Uuid)))
_of_id = select(consents).where(_c.id == param("id", type_=Uuid))
NEWEST = sql(_of_id.order_by(_c.version.desc()).limit(1), row=RecordedConsent)
VERSION = sql(_of_id.where(_c.version == param("version", type_=BigInteger)), row=RecordedConsent)
ADD = sql(insert(consents).values(every_field(consents)))
# Of each consent what it says now.
NEWEST_OF_PATIENTS = sql(
    select(consents).ext(distinct_on(_c.id)).where(_about).order_by(_c.id, _c.version.desc()),
    row=RecordedConsent,
)
_after_id, _limit = param("after_id", type_=Uuid), param("limit", type_=Integer)
PAGE = sql(
    select(consents)
    .ext(distinct_on(_c.id))
    .where(_about, _c.id > _after_id)
    .order_by(_c.id, _c.version.desc())
    .limit(_limit),
    row=RecordedConsent,
)
PAGE_OF_VERSIONS = sql(
    select(consents)
    .where(
        _about,
        tuple_(_c.id, _c.version) > tuple_(_after_id, param("after_version", type_=BigInteger)),
    )
    .order_by(_c.id, _c.version)
    .limit(_limit),
    row=RecordedConsent,
)


class ConsentStore:
    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def find(self, consent_id: UUID) -> RecordedConsent | None:
        return await self._tx.one_or_none(NEWEST, id=consent_id)

    async def get(self, consent_id: UUID, version: int = 0) -> RecordedConsent:
        """As it is now, or as it was. One that another facility recorded is as good as none."""
        found = await (self._version(consent_id, version) if version else self.find(consent_id))
        if found is None:
            raise NotFound(
                "CONSENT_NOT_FOUND", "There is no such consent.", consent_id=str(consent_id)
            )
        return found

    async def _version(self, consent_id: UUID, version: int) -> RecordedConsent | None:
        return await self._tx.one_or_none(VERSION, id=consent_id, version=version)

    async def add(self, consent: RecordedConsent) -> None:
        """Keep a version. Of two people who add the same one, the second is told that it was changed meanwhile."""
        await self._tx.run(ADD, consent)

    async def about(self, patient_ids: Collection[UUID]) -> list[RecordedConsent]:
        return await self._tx.fetch(NEWEST_OF_PATIENTS, ids=list(patient_ids))

    async def page(
        self, patient_ids: Collection[UUID], after: tuple[UUID, int], limit: int, *, versions: bool
    ) -> list[RecordedConsent]:
        """Of them by id; each as it is now, or all that each ever said."""
        if versions:
            return await self._tx.fetch(
                PAGE_OF_VERSIONS,
                ids=list(patient_ids),
                after_id=after[0],
                after_version=after[1],
                limit=limit,
            )
        return await self._tx.fetch(PAGE, ids=list(patient_ids), after_id=after[0], limit=limit)
