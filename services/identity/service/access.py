"""AccessService: why somebody may see a patient, and what may leave. Its contract: access_service.proto."""

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from carehub.identity.v1 import access_service_pb2 as rpc

from libs.chassis.audit import record
from libs.chassis.caller import Call
from libs.chassis.database import Transaction
from libs.chassis.errors import InvalidArgument, NotFound, PermissionDenied
from libs.chassis.fields import to_uuid
from libs.chassis.pages import page_size, page_start, token_after
from services.identity.convert.directory import maybe_uuid
from services.identity.convert.disclosure import (
    Wanted,
    disclosure_to_proto,
    released_to_proto,
    to_wanted,
)
from services.identity.convert.explanation import (
    classes_asked,
    explanation_to_proto,
    labels_asked,
    purpose_asked,
)
from services.identity.deciding import known_about
from services.identity.domain.access.facts import Facts
from services.identity.domain.access.terms import DataClass, Purpose
from services.identity.domain.disclosure import (
    ACCOUNTED_YEARS,
    PART2_YEARS,
    Recipient,
    RecipientKind,
    Released,
    Sending,
    authorized,
    check_same,
    notices,
    released,
    to_be_kept,
    years_before,
)
from services.identity.domain.explaining import (
    EACH_LABEL,
    ORDINARY,
    Answer,
    Asked,
    Person,
    answers,
    ordinary,
    to_themselves,
)
from services.identity.domain.role import Role
from services.identity.domain.token import OWN, held_by
from services.identity.store.access import AccessStore
from services.identity.store.disclosure import DisclosureStore
from services.identity.store.facility import FacilityStore
from services.identity.store.organization import OrganizationStore
from services.identity.store.staff import StaffStore
from services.identity.store.team import TeamStore

MOST_NAMED = 500
_LAST = datetime.max.replace(tzinfo=UTC), UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessService:
    """`system` opens a transaction of the service itself: facts are nobody's business, only what is said of them is."""

    system: Callable[[], AbstractAsyncContextManager[Transaction]]

    async def ExplainAccess(
        self, request: rpc.ExplainAccessRequest, call: Call
    ) -> rpc.AccessExplanation:
        patient_id = to_uuid("patient_id", request.patient_id)
        person_id = to_uuid("person_id", request.person_id)
        may_hear_all = await _is_privacy_officer_of(patient_id, call)
        if not await AccessStore(call.tx).is_known_at(patient_id, call.facilities):
            raise _no_patient(patient_id)
        _check_discretion(request, call, may_hear_all=may_hear_all)
        facts, person = await self._known(patient_id, person_id)
        source = maybe_uuid("source_facility_id", request.source_facility_id)
        asked = Asked(
            person=person,
            purpose=purpose_asked(request),
            source_id=source or min(facts.known_at & call.facilities),
            at=call.tx.at,
        )
        wanted = labels_asked(request)
        label_sets = [wanted] if wanted else EACH_LABEL if may_hear_all else [ORDINARY]
        known = facts if may_hear_all else ordinary(facts, call.facilities)
        call.show(patient_id)
        told = answers(known, asked, classes_asked(request), label_sets)
        return explanation_to_proto(patient_id, asked, told)

    async def ExplainMyAccess(
        self, request: rpc.ExplainMyAccessRequest, call: Call
    ) -> rpc.AccessExplanation:
        patient_id = to_uuid("patient_id", request.patient_id)
        source = maybe_uuid("source_facility_id", request.source_facility_id)
        facts, person = await self._known(patient_id, call.caller.subject)
        if call.caller.purpose in OWN:  # which place knows somebody is not for a parent to find out
            raise _no_patient(patient_id)
        known = ordinary(facts, call.facilities)
        seen = _first_seen(known, person, call)
        if seen is None:
            raise _no_patient(patient_id)
        asked, told = seen
        if source is not None and source != asked.source_id:
            asked = _asked_by(call, person, source)
            told = answers(known, asked, tuple(DataClass), [ORDINARY])
        call.show(patient_id)
        return explanation_to_proto(patient_id, asked, to_themselves(told))

    async def CheckDisclosure(
        self, request: rpc.CheckDisclosureRequest, call: Call
    ) -> rpc.CheckDisclosureResponse:
        wanted = to_wanted(request)
        async with self.system() as tx:
            facts = await known_about(tx, {item.patient_id for item in wanted.items})
            sending = Sending(
                id=wanted.id,
                recipient=await _recipient(tx, wanted),
                purpose=wanted.purpose,
                items=wanted.items,
                service=call.caller.name,
                at=tx.at,
            )
            found = released(authorized(facts, wanted.authorizations, sending), sending)
            await _keep(tx, sending, found)
            call.show(*(one.item.patient_id for one in found))
            record(tx, call, request.recipient_id)
        return released_to_proto(found, notices(found, tx.at))

    async def ListDisclosures(
        self, request: rpc.ListDisclosuresRequest, call: Call
    ) -> rpc.ListDisclosuresResponse:
        size, patient_id = page_size(request.page_size), to_uuid("patient_id", request.patient_id)
        years = PART2_YEARS if request.is_part2 else ACCOUNTED_YEARS
        found = await DisclosureStore(call.tx).list_page(
            patient_id,
            page_start(request.page_token, request, _LAST),
            size + 1,
            since=years_before(call.tx.at, years),
            only_accountable=request.is_accountable,
            only_part2=request.is_part2,
        )
        page = found[:size]
        call.show(*(one.patient_id for one in page))
        last = page[-1] if found[size:] else None
        return rpc.ListDisclosuresResponse(
            disclosures=map(disclosure_to_proto, page),
            next_page_token=token_after(last.at, last.id, request) if last else "",
        )

    async def NamePeople(
        self, request: rpc.NamePeopleRequest, call: Call
    ) -> rpc.NamePeopleResponse:
        if len(request.person_ids) > MOST_NAMED:
            raise InvalidArgument(
                "TOO_MANY_PEOPLE", f"At most {MOST_NAMED} at a time.", field="person_ids"
            )
        ids = {to_uuid("person_ids", text) for text in request.person_ids}
        names = await StaffStore(call.tx).names_of(ids)
        return rpc.NamePeopleResponse(names={str(id): name for id, name in names.items()})

    async def _known(self, patient_id: UUID, person_id: UUID) -> tuple[Facts, Person]:
        """What is known of the patient, and who the person is; NOT_FOUND if nothing is known of the patient."""
        async with self.system() as tx:
            facts = (await known_about(tx, [patient_id])).get(patient_id)
            if facts is None:
                raise _no_patient(patient_id)
            return facts, await _person(tx, person_id)


async def _person(tx: Transaction, person_id: UUID) -> Person:
    """A member of staff with what they hold now; or somebody with nothing but what the patient gave them."""
    member = await StaffStore(tx).find(person_id)
    if member is None:
        return Person(id=person_id, held=None)
    belongs = await TeamStore(tx).membership(person_id)
    return Person(
        id=person_id,
        team_ids=belongs.teams_of(member),
        held=held_by(member, frozenset(belongs.organization_of)),
        organization_of=belongs.organization_of,
        has_left=not member.is_active,
    )


async def _is_privacy_officer_of(patient_id: UUID, call: Call) -> bool:
    """Whether the caller answers for who sees whom at a facility that knows the patient."""
    places = call.caller.roles.get(Role.PRIVACY_OFFICER, frozenset())
    return bool(places) and await AccessStore(call.tx).is_known_at(patient_id, places)


def _check_discretion(request: rpc.ExplainAccessRequest, call: Call, *, may_hear_all: bool) -> None:
    """Refuse to tell anybody but a privacy officer of labels, or of what other facilities know."""
    source = maybe_uuid("source_facility_id", request.source_facility_id)
    is_elsewhere = source is not None and source not in call.facilities
    if not may_hear_all and (labels_asked(request) - ORDINARY or is_elsewhere):
        raise PermissionDenied(
            "PRIVACY_OFFICER_NEEDED",
            "Only a privacy officer asks for labels, or for what another facility wrote.",
        )


def _first_seen(
    facts: Facts, person: Person, call: Call
) -> tuple[Asked, Collection[Answer]] | None:
    """Of which facility's rows the person sees something: of their own, if of any of them."""
    own = facts.known_at & frozenset[UUID]().union(*(person.held or {}).values())
    for source in (*sorted(own), *sorted(facts.known_at - own)):
        asked = _asked_by(call, person, source)
        told = answers(facts, asked, tuple(DataClass), [ORDINARY])
        if any(answer.is_allowed for answer in told):
            return asked, told
    return None


def _asked_by(call: Call, person: Person, source: UUID) -> Asked:
    return Asked(
        person=person, purpose=Purpose(call.caller.purpose), source_id=source, at=call.tx.at
    )


async def _keep(tx: Transaction, sending: Sending, found: Collection[Released]) -> None:
    """Have it in the accounting once; nothing leaves that is not."""
    store, kept = DisclosureStore(tx), to_be_kept(sending, found)
    if before := await store.of(sending.id):
        check_same(before, kept)
    else:
        await store.add(kept)


async def _recipient(tx: Transaction, wanted: Wanted) -> Recipient:
    """Who it is. Whoever is no facility and no organization of the network is a person, who gets what names them."""
    recipient_id = wanted.recipient_id
    organization_of = await FacilityStore(tx).organizations()
    if organization_id := organization_of.get(recipient_id):
        return Recipient(
            id=recipient_id, kind=RecipientKind.FACILITY, organization_id=organization_id
        )
    if await OrganizationStore(tx).find(recipient_id) is not None:
        return Recipient(id=recipient_id, kind=RecipientKind.ORGANIZATION)
    return Recipient(
        id=recipient_id,
        kind=RecipientKind.PERSON,
        answers_to=wanted.recipient_organization_id,
    )


def _no_patient(patient_id: UUID) -> NotFound:
    return NotFound("PATIENT_NOT_FOUND", "There is no such patient.", patient_id=str(patient_id))
