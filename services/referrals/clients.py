"""The parties that referrals asks: identity, whether something may leave; and the mail server, to take letters out."""

from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import cast
from uuid import UUID, uuid5

from carehub.access.v1 import access_pb2
from carehub.identity.v1 import access_service_pb2 as identity
from carehub.identity.v1 import consent_pb2

from libs.chassis.channels import Channels
from libs.chassis.errors import FailedPrecondition, Unavailable
from libs.chassis.fields import to_timestamp
from libs.chassis.wire import CallFailed
from libs.mail.server import MailServer
from services.referrals.domain.consent import Consent
from services.referrals.domain.referral import Referral

_CHECK = identity.DESCRIPTOR.services_by_name["AccessService"].methods_by_name["CheckDisclosure"]
_TIMEOUT = 3.0
# What identity answers if less or more may leave by now than did under that id.
_CHANGED = "DISCLOSURE_CHANGED"
# A partner is told who somebody is, and that they are referred. Both, or nothing is sent.
_CLASSES = (access_pb2.DATA_CLASS_DEMOGRAPHICS, access_pb2.DATA_CLASS_REFERRALS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What identity is asked about: a referral, the consent that it goes out with, and of which organization the partner is."""

    referral: Referral
    consent: Consent
    organization_id: UUID


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity, asked as referrals itself."""

    channels: Channels
    caller_token: Callable[[], str]
    new_id: Callable[[], UUID]

    async def must_release(self, asked: Asked) -> None:
        """Have it in the accounting of disclosures that the partner is told, or refuse: then nothing may leave."""
        try:
            answer = await self._answer(asked)
        except CallFailed as failed:
            raise Unavailable(
                "DISCLOSURE_UNCHECKED", "It could not be checked whether this may leave. Try again."
            ) from failed
        if {each.index for each in answer.released} != set(range(len(_CLASSES))):
            raise FailedPrecondition(
                "NOT_RELEASED",
                "This may not be told to that partner: the patient or a hold forbids it, or the record is not known yet.",
            )

    async def _answer(self, asked: Asked) -> identity.CheckDisclosureResponse:
        for id in _ids(asked.referral, asked.consent):
            try:
                return await self._ask(id, asked)
            except CallFailed as failed:
                if failed.reason != _CHANGED:
                    raise
        return await self._ask(self.new_id(), asked)

    async def _ask(self, id: UUID, asked: Asked) -> identity.CheckDisclosureResponse:
        answer = await self.channels.call(
            _CHECK,
            _question(id, asked),
            caller_token=self.caller_token(),
            timeout=_TIMEOUT,
        )
        return cast("identity.CheckDisclosureResponse", answer)


def _ids(referral: Referral, consent: Consent) -> tuple[UUID, UUID]:
    """Of each sending the same, so that asking again counts once: its first, and that of its patient's record after a merge.

    Where something else may leave by now than did under both, it is asked under a new one.
    """
    return uuid5(referral.id, str(consent.id)), uuid5(
        referral.id, f"{consent.id}|{referral.patient_id}"
    )


def _question(id: UUID, asked: Asked) -> identity.CheckDisclosureRequest:
    referral, consent = asked.referral, asked.consent
    labels = [access_pb2.Label.Value(f"LABEL_{each}") for each in referral.labels]
    return identity.CheckDisclosureRequest(
        id=str(id),
        recipient_id=str(referral.service_id),
        recipient_organization_id=str(asked.organization_id),
        purpose=access_pb2.PURPOSE_CARE_COORDINATION,
        items=[
            identity.DisclosureItem(
                patient_id=str(referral.patient_id),
                source_facility_id=str(referral.facility_id),
                data_class=data_class,
                labels=labels,
            )
            for data_class in _CLASSES
        ],
        authorizations=[
            identity.DisclosureAuthorization(
                id=str(consent.id),
                patient_id=str(referral.patient_id),
                form=consent_pb2.Consent.Form.Value(f"FORM_{consent.form}"),
                give_time=to_timestamp(consent.given_at),
                labels=labels,
                data_classes=_CLASSES,
            )
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerLetter:
    """To whom, and the link. Nothing about the patient."""

    id: UUID
    email: str
    service_name: str
    number: str
    answer_by: str
    facility_name: str
    facility_phone: str
    url: str


@dataclass(frozen=True, slots=True)
class Mail:
    """By which server letters to partners go out."""

    server: MailServer

    async def send(self, letter: PartnerLetter) -> None:
        """Hand one letter to the server, or raise NotSent."""
        await self.server.send(lambda sender: write(letter, sender))


def write(letter: PartnerLetter, sender: str) -> EmailMessage:
    """The letter as mail, in English and Spanish. Its Message-ID is the letter's id, so that a second one is recognized."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = letter.email
    message["Subject"] = f"Can you help? · ¿Pueden ayudar? · {letter.number}"
    message["Message-ID"] = f"<{letter.id}@carehub>"
    message["Auto-Submitted"] = "auto-generated"
    questions = " · ".join(filter(None, (letter.facility_name, letter.facility_phone)))
    lines = (
        f"{letter.service_name}: somebody needs your help. Please say yes or no by {letter.answer_by}.",
        "No account is needed. Whoever has this link can answer: do not pass it on.",
        "",
        f"Alguien necesita su ayuda. Por favor responda sí o no antes de {letter.answer_by}.",
        "No necesita cuenta. Quien tenga este enlace puede responder: no lo comparta.",
        "",
        letter.url,
        "",
        questions,
    )
    message.set_content("\n".join(lines) + "\n")
    return message
