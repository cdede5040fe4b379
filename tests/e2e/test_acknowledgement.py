"""A sender's answer waits for the commit and for nothing else."""

from tests.e2e.conftest import together
from tests.e2e.processes import pid_of
from tests.e2e.region import Person, Region, adt, days_ago
from tests.e2e.test_alarms import stopped


@together
async def test_a_message_is_acknowledged_while_nothing_is_worked_off(region: Region):
    person = Person(mrn="ACKED1", family="Nowak", given="Zofia", visit="ACKED-V1")
    with stopped(pid_of(region, "work")):
        assert await region.send(adt("A01", person, days_ago(1), admit=days_ago(1))) == ["AA"]
    accounts = await region.settled_accounts()
    assert accounts["MERCY"]["parked"] == 0
    assert await region.patient("nurse", "Nowak Zofia")
