"""The patients of a demo who may sign in: each has a record at a facility, and an account that is linked to it."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from libs.local.apply import ApplyFailed, id_of
from libs.local.issuer import Account

# Identity hears of a new patient a moment later.
_HEARD_WITHIN = 30.0
_PAUSE = 0.1


def accounts_of_patients(network: Mapping[str, Any]) -> Iterator[Account]:
    """The patients of a file as accounts of the development issuer."""
    for entry in network.get("patients", ()):
        yield Account(
            username=entry["account"],
            password=entry["account"],
            subject=id_of(network, "staff", entry["account"]),
            name=f"{entry['given']} {entry['family']}",
            email="",
            about="patient: sees who has looked, at /my",
        )


async def register_patients(network: Mapping[str, Any], client: httpx.AsyncClient) -> int:
    """Register each, and link the account. Doing it twice changes nothing. Returns how many there are."""
    patients = network.get("patients", ())
    for entry in patients:
        facility_id = str(id_of(network, "facility", entry["at"]))
        request_id = str(id_of(network, "patient", entry["account"]))
        year, month, day = map(int, str(entry["born"]).split("-"))
        body = {
            "facilityId": facility_id,
            "identifiers": [entry["identifier"]],
            "names": [{"family": entry["family"], "given": [entry["given"]], "use": "L"}],
            "birthDate": {"year": year, "month": month, "day": day},
            "language": entry.get("language", ""),
        }
        made = await client.post("/v1/patients", json=body, params={"requestId": request_id})
        patient_id = _said(made, entry)["id"]
        account = str(id_of(network, "staff", entry["account"]))
        link = {"patientId": patient_id, "facilityId": facility_id, "personId": account}
        async with asyncio.timeout(_HEARD_WITHIN):
            while (linked := await client.post("/v1/patient-accounts", json=link)).is_client_error:
                if linked.status_code != httpx.codes.NOT_FOUND:
                    break
                await asyncio.sleep(_PAUSE)
        _said(linked, entry)
    return len(patients)


def _said(response: httpx.Response, entry: Mapping[str, Any]) -> dict[str, Any]:
    if response.is_error:
        problem = response.json() if "json" in response.headers.get("content-type", "") else {}
        raise ApplyFailed(f"patient {entry['account']}: {problem.get('detail', response.text)}")
    answer: dict[str, Any] = response.json()
    return answer
