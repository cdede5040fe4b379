"""Results of laboratories over a real connection: acknowledged, told once, and set aside with a sentence that helps."""

from carehub.interop.v1.feed_pb2 import FeedAccounts
from carehub.interop.v1.interop_events_pb2 import ResultReported
from sqlalchemy import text

from libs.chassis.database import sql
from tests.component.interop.conftest import Peer, code_of, error_of

REPORTED = sql(
    text(f"SELECT payload FROM outbox WHERE subject = '{ResultReported.DESCRIPTOR.full_name}'").columns()
)  # fmt: skip


def oru(control_id="R1", value="6.8", status="F", **said):
    said = {"number": "F-1", "flag": "HH"} | said
    return "\r".join(
        [
            f"MSH|^~\\&|LAB|MERCY|CAREHUB|HUB|20260901023000||ORU^R01^ORU_R01|{control_id}|P|2.5.1",
            "PID|1||12345^^^MERCY^MR||DOE^JANE||19500102|F",
            f"OBR|1||{said['number']}|24323-8^Metabolic panel^LN|||20260901020000",
            f"OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L|3.5-5.1|{said['flag']}|||{status}",
            f"OBX|2|NM|2951-2^Sodium^LN||140|mmol/L|136-145|N|||{status}",
            "",
        ]
    ).encode()


async def test_results_are_acknowledged_and_told_once(interop):
    async with interop.listening() as server:
        peer = await Peer.connect(server)
        assert code_of(await peer.ask(oru())) == "AA"
        assert code_of(await peer.ask(oru())) == "AA"
    assert await interop.accounts() == FeedAccounts(received=1, pending=1, duplicates=1)
    event = ResultReported.FromString(await interop.look(REPORTED))
    assert [(o.code, o.value, o.quantity) for o in event.observations] == [
        ("2823-3", "6.8", 6.8),
        ("2951-2", "140", 140),
    ]
    assert list(event.observations[0].flags) == ["HH"]
    assert event.source.facility_id == str(interop.facility_id)
    # 02:30 in Chicago.
    assert event.observations[0].report_time.ToJsonString() == "2026-09-01T07:30:00Z"


async def test_what_cannot_be_read_is_set_aside_and_read_again_once_it_is_mended(interop):
    async with interop.listening() as server:
        peer = await Peer.connect(server)
        answer = await peer.ask(oru(status="Q", value="Canary"))
        assert (code_of(answer), error_of(answer)) == ("AA", "103")
        assert "Canary" not in answer
    assert await interop.accounts() == FeedAccounts(received=1, quarantined=1)
    (kept,) = (await interop.call("ListMessages", feed_id=interop.feed.id)).messages
    assert (kept.reason, kept.event_type) == ("RESULT_STATUS_UNKNOWN", "ORU^R01")
    assert kept.explanation == "OBX-11: a status that is not in HL7 table 0085"
