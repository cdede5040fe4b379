"""Finding in an emergency somebody whom one may not see."""

import time
from uuid import UUID, uuid4

import pytest
from carehub.registry.v1 import patient_pb2
from google.type.date_pb2 import Date

from libs.chassis.access import DenialRow, PatientAccess, project_access
from libs.chassis.wire import CallFailed
from libs.testing.hub import caller_token
from tests.component.registry.conftest import ELSEWHERE, MERCY

BORN = Date(year=1980, month=4, day=30)


def token(
    *,
    acr="2",
    minutes=1,
    purposes=("EMERGENCY", "TREATMENT"),
    permission="glass.break",
    subject=None,
):
    return caller_token(
        subject=subject,
        permissions=[permission, "patients.read"],
        facilities=[ELSEWHERE],
        purpose=purposes[0],
        purposes=list(purposes),
        acr=acr,
        auth_time=int(time.time()) - 60 * minutes,
    )


async def create(r, family, given="Jane", facility=MERCY, born=BORN, number=""):
    patient = patient_pb2.Patient(
        facility_id=str(facility),
        names=[patient_pb2.PersonName(family=family, given=[given])],
        birth_date=born,
    )
    if number:
        patient.identifiers.add(assigner="MERCY", value=number, type="MR")
    return await r.call("CreatePatient", r.token(facility), patient=patient)


async def find(r, family="Okafor", born=BORN, number="", as_=None):
    return await r.call(
        "FindForEmergency", as_ or token(), family=family, birth_date=born, identifier=number
    )


def refused(code, reason):
    return pytest.raises(CallFailed, check=lambda e: (e.code, e.reason) == (code, reason))


async def test_a_whole_name_and_a_day_of_birth_find_who_is_not_to_be_seen(registry):
    async with registry() as r:
        jane = await create(r, "Okafor", number="M1")
        with refused("NOT_FOUND", "PATIENT_NOT_FOUND"):
            await r.call("GetPatient", token(), patient_id=jane.id)
        found = await find(r, "okafor")
        assert [one.id for one in found.patients] == [jane.id]
        (one,) = found.patients
        assert {field.name for field, _ in one.ListFields()} == {
            "id",
            "names",
            "birth_date",
            "facility_count",
        }
        assert (one.names[0].family, one.birth_date, one.facility_count) == ("Okafor", BORN, 1)
        async with r.hub.system("registry") as tx:
            rows = await tx._connection.fetch(
                "SELECT purpose, patients FROM audit WHERE method LIKE '%FindForEmergency'"
            )
        assert [(row["purpose"], [str(i) for i in row["patients"]]) for row in rows] == [
            ("EMERGENCY", [jane.id])
        ]


async def test_nothing_but_the_whole_of_it_finds_anybody(registry):
    async with registry() as r:
        await create(r, "Okafor", number="M1")
        await create(r, "Smith", given="Okafor")
        for family, born, number in (
            ("Okaf", BORN, ""),
            ("Okafer", BORN, ""),
            ("Jane", BORN, ""),
            ("Smith Okafor", BORN, ""),
            ("Okafor", Date(year=1980, month=4, day=29), ""),
            ("Okafor", BORN, "M2"),
        ):
            assert list((await find(r, family, born, number)).patients) == []
        assert len((await find(r, number="m1")).patients) == 1
        with refused("INVALID_ARGUMENT", "BIRTH_DATE_MISSING"):
            await find(r, born=Date(year=1980, month=4))
        with refused("INVALID_ARGUMENT", "FAMILY_MISSING"):
            await find(r, " ")
        with refused("INVALID_ARGUMENT", "FAMILY_MISSING"):
            await find(r, "' | ':*")


async def test_of_many_three_are_told(registry):
    async with registry() as r:
        for number in range(5):
            await create(r, "Okafor", given=f"N{number}", number=f"M{number}")
        found = await find(r)
        assert (len(found.patients), found.has_more) == (3, True)
        assert len((await find(r, number="M4")).patients) == 1


async def test_it_takes_an_emergency_and_a_second_factor(registry):
    async with registry() as r:
        await create(r, "Okafor")
        for weak in (token(acr="1"), token(minutes=6), caller_token(permissions=["glass.break"])):
            with refused("PERMISSION_DENIED", "SECOND_FACTOR_NEEDED"):
                await find(r, as_=weak)
        with refused("FAILED_PRECONDITION", "EMERGENCY_NOT_SAID"):
            await find(r, as_=token(purposes=("TREATMENT",)))
        with refused("PERMISSION_DENIED", "PERMISSION_MISSING"):
            await find(r, as_=token(permission="patients.write"))


async def test_whom_the_patient_refuses_in_person_does_not_find_them(registry):
    async with registry() as r:
        jane, ex = await create(r, "Okafor"), uuid4()
        refusal = DenialRow(
            patient_id=UUID(jane.id),
            number=0,
            grantee_id=ex,
            sources=None,
            purposes=("EMERGENCY", "TREATMENT"),
            classes=("DEMOGRAPHICS",),
            labels=("NORMAL",),
            expires_at=None,
            weight=3,
        )
        async with r.hub.system("registry") as tx:
            refused = PatientAccess(patient_id=UUID(jane.id), version=1, denials=(refusal,))
            await project_access(tx, [refused])
        assert list((await find(r, as_=token(subject=ex))).patients) == []
        assert [one.id for one in (await find(r)).patients] == [jane.id]
