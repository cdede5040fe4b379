"""Real senders' samples, as they are, readdressed, and damaged by the thousand: each is answered, none ends a process."""

import asyncio
import os
import random
from pathlib import Path

import pytest

from libs.local.send import read_messages
from tests.e2e.conftest import together
from tests.e2e.mutations import frames
from tests.e2e.processes import pid_of
from tests.e2e.region import END, START, Person, Region, adt, code_of

SENDER = "PINECREEK"
SEED = 7
DAMAGED = 3000
AT_ONCE = 25
CONNECTIONS = 4

_SHARED = Path(os.environ.get("CAREHUB_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
SAMPLES = _SHARED / "hl7v2-samples"
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(),
    reason=f"the samples of HL7 v2 are not there: {SAMPLES} (CAREHUB_SHARED_DATA)",
)

# Another test of the same hub sets one aside, and discards it as its runbook says.
PARKED = "SELECT consumer, reason FROM parked WHERE state <> 'DISCARDED'"


@pytest.fixture(scope="module")
async def samples() -> dict[str, list[bytes]]:
    found = {path.name: await read_messages(path) for path in sorted(SAMPLES.glob("*.hl7"))}
    assert len(found) > 50
    return found


def readdressed(message: bytes) -> bytes:
    """As a feed of ours would have sent it."""
    header, end, rest = message.partition(b"\r")
    fields = header.split(message[3:4])
    fields += [b""] * (12 - len(fields))
    fields[3], fields[10] = SENDER.encode(), b"P"
    return message[3:4].join(fields) + end + rest


@together
async def test_every_sample_gets_aa_or_a_justified_refusal(region: Region, samples):
    for name, messages in samples.items():
        assert messages, name
        for answer in await region.exchange(*messages):
            assert code_of(answer) in ("AA", "CA") or _is_justified(answer), (name, answer)


def _is_justified(answer: bytes) -> bool:
    """AE or AR (CE or CR where MSH-15 asks for it), with an ERR segment of table 0357 that says something."""
    errors = [s.split("|") for s in answer.decode().split("\r") if s.startswith("ERR|")]
    said = bool(errors) and errors[0][3].endswith("^HL70357") and bool(errors[0][8])
    return code_of(answer) in ("AE", "AR", "CE", "CR") and said


@together
async def test_every_sample_of_a_feed_is_stored_with_what_became_of_it(region: Region, samples):
    messages = [readdressed(m) for each in samples.values() for m in each]

    codes = await region.send(*messages)

    assert set(codes) <= {"AA", "CA"}  # CA where MSH-15 asks for a commit acknowledgement
    accounts = (await region.settled_accounts())[SENDER]
    stored = await region.rows(
        "interop",
        "SELECT event_type, state, reason, explanation FROM messages WHERE feed_id = $1",
        (await region.feeds())[SENDER]["id"],
    )
    assert len(stored) == accounts["received"] >= len(set(messages))
    for row in stored:
        assert row["state"] == "APPLIED" or (row["reason"] and row["explanation"]), dict(row)
    assert accounts["applied"], "not one sample reached the record"
    assert accounts["parked"] == 0


@pytest.mark.timeout(400)
@together
async def test_samples_damaged_by_the_thousand_end_nothing(region: Region, samples):
    before = {name: pid_of(region, name) for name in ("work", "serve")}
    assert all(before.values()), before
    messages = [readdressed(m) for each in samples.values() for m in each]
    wire = list(frames(random.Random(SEED), messages, DAMAGED))
    batches = [wire[i : i + AT_ONCE] for i in range(0, DAMAGED, AT_ONCE)]
    answers: list[int] = []

    async def send_some() -> None:
        while batches:
            answers.append(await _send_damaged(region, batches.pop(0), len(batches)))

    await asyncio.gather(*(send_some() for _ in range(CONNECTIONS)))

    answered = sum(answers)
    print(f"seed {SEED}: {DAMAGED} damaged messages, {answered} answers")
    assert answered > DAMAGED * 0.9
    assert {name: pid_of(region, name) for name in before} == before
    person = Person(mrn="AFTERALL", family="Unharmed", given="Una", visit="AFTERALL")
    good = adt("A01", person, "202609010700", sender=SENDER, admit="202609010700")
    assert await region.send(good) == ["AA"]
    await region.settled_accounts(90)
    nameless = "SELECT id FROM messages WHERE state IN ('PARKED', 'QUARANTINED', 'IGNORED', 'NO_OP') AND reason = ''"
    assert await region.rows("interop", nameless) == []
    for service in ("interop", "registry", "tasking"):
        assert await region.rows(service, PARKED) == []
    bugs = "SELECT event_type, reason, state FROM messages WHERE reason = 'READER_FAILED'"
    assert await region.rows("interop", bugs) == []
    assert (await region.rows("interop", "SELECT count(*) FROM messages WHERE state = 'PARKED'"))[
        0
    ][0] == 0


async def _send_damaged(region: Region, batch: list[bytes], number: int) -> int:
    """Send damaged frames and then a whole one. Each is answered, or we are hung up on; never silence."""
    control_id = f"WHOLE{number}"
    person = Person(mrn=f"WHOLE{number}", family="Hyacinthe", given="Ada", visit=control_id)
    probe = adt(
        "A01", person, "202609010700", sender=SENDER, admit="202609010700", control_id=control_id
    )
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", region.machine.mllp_port, limit=4 * 1024 * 1024
    )
    answers = 0
    try:
        writer.write(b"".join(batch) + START + probe + END)
        while True:
            answer = await asyncio.wait_for(reader.readuntil(END), 20)
            answers += 1
            if f"MSA|AA|{control_id}\r".encode() in answer:
                return answers
            assert b"MSA|" in answer
    except (asyncio.IncompleteReadError, ConnectionError):
        return answers
    finally:
        writer.close()
