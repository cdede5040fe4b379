"""One referral taken up to be changed, what is checked before, and lists of them."""

from dataclasses import replace

from carehub.referrals.v1 import referral_pb2
from carehub.referrals.v1 import referrals_service_pb2 as rpc

from libs.chassis.caller import Call, CallerKind
from libs.chassis.database import Transaction
from libs.chassis.errors import InvalidArgument, NotFound, PermissionDenied
from libs.chassis.fields import check_etag, to_uuid
from libs.chassis.pages import page_size, page_start, token_after
from services.referrals.convert.referral import maybe_uuid, referral_to_proto
from services.referrals.deciding import Answer
from services.referrals.domain.directory import Service
from services.referrals.domain.referral import Referral, State
from services.referrals.store import (
    FIRST,
    FeedStore,
    NeighborStore,
    ReferralFilter,
    ReferralStore,
)

_NOT_AT_WORK = frozenset({"PATIENT_REQUEST", "FAMILY_REQUEST"})


async def take_up(call: Call, tx: Transaction, referral_id: str, etag: str) -> Referral:
    """The referral, to be changed by a person of its facility, if it is still what they saw."""
    store, id = ReferralStore(tx), to_uuid("referral_id", referral_id)
    seen = await store.get(id)
    # Who asks as the patient or their family is shown it by a grant, and a grant lets nobody write.
    if seen.facility_id not in call.facilities or call.capacity.purposes & _NOT_AT_WORK:
        raise PermissionDenied(
            "REFERRAL_OF_OTHERS", "Only people of the facility that refers can change it."
        )
    _must_be_person(call)
    referral = await store.take(id)
    check_etag(etag, referral.version)
    return referral


async def whose(draft: Referral, call: Call) -> Referral:
    """The draft of a person at one of their facilities, about the record that the patient's leads to by now; a program's as such."""
    if draft.facility_id not in call.facilities or call.capacity.purposes & _NOT_AT_WORK:
        raise NotFound("REFERRING_FACILITY_NOT_FOUND", "There is no such facility of yours.")
    _must_be_person(call)
    if await FeedStore(call.tx).is_program(draft.facility_id):
        draft = draft.of_program()
    now = await NeighborStore(call.tx).alone_with([draft.patient_id])
    return replace(draft, patient_id=now[draft.patient_id])


def _must_be_person(call: Call) -> None:
    if call.caller.kind is not CallerKind.PERSON:
        raise PermissionDenied("PERSON_REFERS", "Only a person can do this.")


def check_helps(service: Service, referral: Referral) -> None:
    """Refuse to refer to a service that is not there, or helps with something else."""
    if referral.need not in service.needs or service.status != "active":
        raise InvalidArgument(
            "SERVICE_DOES_NOT_HELP",
            "That service does not help with this need now. Search for one that does.",
            field="service_id",
        )


def show(call: Call, referral: Referral) -> referral_pb2.Referral:
    """The referral as its facility sees it, and the note of whose it is."""
    call.show(referral.patient_id)
    return referral_to_proto(referral, is_whole=True)


def to_answer(value: "rpc.RecordAnswerRequest.Answer.ValueType") -> Answer:
    known = {v: k for k, v in rpc.RecordAnswerRequest.Answer.items()}
    name = known.get(value, "").removeprefix("ANSWER_")
    if name in ("", "UNSPECIFIED"):
        raise InvalidArgument("ANSWER_MISSING", "Say what the partner said.", field="answer")
    return Answer(name)


async def list_referrals(
    request: rpc.ListReferralsRequest, call: Call
) -> rpc.ListReferralsResponse:
    """One patient's, also after a merge; or those of the caller's facilities."""
    size = page_size(request.page_size)
    before_at, before_id = page_start(request.page_token, request, FIRST)
    where = ReferralFilter(
        states=_states(request), before_at=before_at, before_id=before_id, limit=size + 1
    )
    store, patient_id = ReferralStore(call.tx), maybe_uuid("patient_id", request.patient_id)
    if patient_id:
        survivor = await NeighborStore(call.tx).survivor(patient_id)
        found = await store.of_patient(survivor, where)
    else:
        found = list(await store.at_facilities(call.facilities, where))
    page = found[:size]
    last = page[-1] if found[size:] else None
    return rpc.ListReferralsResponse(
        referrals=[show(call, each) for each in page],
        next_page_token=token_after(last.created_at, last.id, request) if last else "",
    )


def _states(request: rpc.ListReferralsRequest) -> tuple[str, ...]:
    names = {v: k for k, v in referral_pb2.Referral.State.items()}
    name = names.get(request.state, "").removeprefix("STATE_")
    return (name,) if name in list(State) else tuple(State)
