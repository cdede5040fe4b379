"""What a good team would build first: FastAPI, pydantic and the SQLAlchemy ORM, one database, no events but a row.

It stands beside CareHub in the bench and does for a create what CareHub promises for one: checks the bearer token (RS256,
remembered once verified), the permission and the facility, writes the patient, the event's row and the audit row in one
transaction, and commits before it answers. It has no row-level security, no matching, no search keys and no consumer: where
that makes it faster, the comparison is in its favor.
"""

import hashlib
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Request
from joserfc import jwt
from joserfc.jwk import KeySet
from pydantic import BaseModel, Field
from sqlalchemy import DateTime, Index, func, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import UUID as PGUUID
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

ISSUER = "http://127.0.0.1/bench"
_REMEMBERED = 10_000


class Base(DeclarativeBase):
    pass


class PatientRow(Base):
    __tablename__ = "patients"
    __table_args__ = (Index("patients_by_name", func.lower("family"), "birth_date"),)
    id: Mapped[UUID] = mapped_column(PGUUID(as_uuid=True), primary_key=True)
    facility_id: Mapped[UUID] = mapped_column(PGUUID(as_uuid=True), index=True)
    identifier: Mapped[str] = mapped_column(unique=True)
    family: Mapped[str]
    given: Mapped[str]
    birth_date: Mapped[str]
    sex: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class EventRow(Base):
    __tablename__ = "events"
    id: Mapped[UUID] = mapped_column(PGUUID(as_uuid=True), primary_key=True)
    kind: Mapped[str]
    key: Mapped[UUID] = mapped_column(PGUUID(as_uuid=True))
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class AuditRow(Base):
    __tablename__ = "audit"
    id: Mapped[UUID] = mapped_column(PGUUID(as_uuid=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    subject: Mapped[UUID] = mapped_column(PGUUID(as_uuid=True))
    method: Mapped[str]
    patients: Mapped[list[UUID]] = mapped_column(ARRAY(PGUUID(as_uuid=True)))
    outcome: Mapped[str]


class Identifier(BaseModel):
    assigner: str = Field(min_length=1, max_length=64)
    value: str = Field(min_length=1, max_length=64)
    type: str = ""


class Name(BaseModel):
    family: str = Field(max_length=200)
    given: list[str] = []
    use: str = ""


class Day(BaseModel):
    year: int = 0
    month: int = Field(default=0, ge=0, le=12)
    day: int = Field(default=0, ge=0, le=31)


class Address(BaseModel):
    lines: list[str] = []
    city: str = ""
    state: str = ""
    postalCode: str = ""  # noqa: N815 as the API spells it


class Telecom(BaseModel):
    system: str = ""
    value: str = ""
    use: str = ""


class PatientIn(BaseModel):
    facilityId: UUID  # noqa: N815
    identifiers: list[Identifier] = Field(min_length=1)
    names: list[Name] = Field(min_length=1)
    birthDate: Day = Day()  # noqa: N815
    sex: str = "SEX_UNSPECIFIED"
    addresses: list[Address] = []
    telecoms: list[Telecom] = []
    language: str = ""


class PatientOut(PatientIn):
    id: UUID
    etag: str


class User(BaseModel):
    subject: UUID
    permissions: dict[str, set[UUID]]


class Tokens:
    """Verified tokens, remembered by hash until they end."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys
        self._known: dict[bytes, tuple[float, User]] = {}

    def user(self, token: str) -> User:
        digest = hashlib.sha256(token.encode()).digest()
        known = self._known.get(digest)
        if known and known[0] > time.time():
            return known[1]
        try:
            claims = jwt.decode(token, self._keys, algorithms=["RS256"]).claims
        except ValueError as error:
            raise HTTPException(401) from error
        if claims["iss"] != ISSUER or claims["exp"] <= time.time():
            raise HTTPException(401)
        user = User(subject=claims["sub"], permissions=claims["permissions"])
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[digest] = (claims["exp"], user)
        return user


_engine = create_async_engine(
    os.environ.get("MONOLITH_DATABASE_URL", "postgresql+asyncpg://"), pool_size=16, max_overflow=0
)
_sessions = async_sessionmaker(_engine, expire_on_commit=False)


@asynccontextmanager
async def _lifespan(application: FastAPI) -> AsyncIterator[None]:
    keys = json.loads(Path(os.environ["MONOLITH_KEYS"]).read_text())
    application.state.tokens = Tokens(KeySet.import_key_set(keys))
    yield
    await _engine.dispose()


app = FastAPI(lifespan=_lifespan)


async def current_user(request: Request) -> User:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401)
    tokens: Tokens = request.app.state.tokens
    return tokens.user(token)


async def session() -> AsyncIterator[AsyncSession]:
    async with _sessions() as opened:
        yield opened


CurrentUser = Annotated[User, Depends(current_user)]
Session = Annotated[AsyncSession, Depends(session)]


@app.get("/healthz")
async def healthz() -> str:
    return "ok"


@app.post("/v1/patients")
async def create_patient(body: PatientIn, user: CurrentUser, db: Session) -> PatientOut:
    if body.facilityId not in user.permissions.get("patients.write", ()):
        raise HTTPException(403)
    now, first = datetime.now(UTC), body.names[0]
    row = PatientRow(
        id=uuid7(),
        facility_id=body.facilityId,
        identifier=f"{body.identifiers[0].assigner}|{body.identifiers[0].value}",
        family=first.family,
        given=" ".join(first.given),
        birth_date=f"{body.birthDate.year:04}-{body.birthDate.month:02}-{body.birthDate.day:02}",
        sex=body.sex,
        details=body.model_dump(mode="json"),
        version=1,
        created_at=now,
    )
    out = PatientOut(id=row.id, etag='"1"', **body.model_dump())
    db.add(row)
    db.add(
        EventRow(
            id=uuid7(),
            kind="PatientChanged",
            key=row.id,
            payload=out.model_dump(mode="json"),
            created_at=now,
        )
    )
    _audit(db, user, "CreatePatient", row.id, now)
    await db.commit()
    return out


@app.get("/v1/patients/{patient_id}")
async def get_patient(patient_id: UUID, user: CurrentUser, db: Session) -> PatientOut:
    facilities = user.permissions.get("patients.read", ())
    found = await db.execute(
        select(PatientRow).where(
            PatientRow.id == patient_id, PatientRow.facility_id.in_(facilities)
        )
    )
    row = found.scalar_one_or_none()
    if row is None:
        raise HTTPException(404)
    _audit(db, user, "GetPatient", row.id, datetime.now(UTC))
    await db.commit()
    return PatientOut(id=row.id, etag=f'"{row.version}"', **row.details)


def _audit(db: AsyncSession, user: User, method: str, patient: UUID, now: datetime) -> None:
    db.add(
        AuditRow(
            id=uuid7(),
            at=now,
            subject=user.subject,
            method=method,
            patients=[patient],
            outcome="OK",
        )
    )
