"""`carehub send` against the real listener."""

import os
from pathlib import Path

import pytest

from libs.local.send import read_messages, run, send
from tests.component.interop.conftest import adt

SAMPLES = (
    Path(os.environ.get("CAREHUB_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))
    / "hl7v2-samples"
)


async def sent(interop, *paths):
    lines = []
    async with interop.listening() as server:
        code = await run(paths, "127.0.0.1", server.port, lines.append)
    return code, lines


async def test_each_acknowledgement_is_a_line_and_the_last_line_counts(interop, tmp_path):
    (tmp_path / "a.hl7").write_bytes(b"FHS|^~\\&\rBHS|^~\\&\r" + adt("C1") + adt("C2") + b"BTS|2\r")
    (tmp_path / "b.hl7").write_bytes(adt("C3", PID_7="soon").replace(b"\r", b"\r\n"))
    code, lines = await sent(interop, tmp_path)
    assert code == 0
    assert lines == [
        f"{tmp_path}/a.hl7  C1  AA",
        f"{tmp_path}/a.hl7  C2  AA",
        f"{tmp_path}/b.hl7  C3  AA  PID-7: not a date",
        "3 of 3 acknowledged: 3 AA",
    ]


async def test_a_refusal_is_an_exit_code(interop, tmp_path):
    (tmp_path / "a.hl7").write_bytes(adt("C1", facility="NOBODY"))
    code, lines = await sent(interop, tmp_path / "a.hl7")
    assert code == 1
    assert lines[0].startswith(f"{tmp_path}/a.hl7  C1  AE  MSH-4: no feed is")


async def test_nobody_listening_is_said_and_fails(tmp_path):
    (tmp_path / "a.hl7").write_bytes(adt())
    lines = []
    assert await run([tmp_path], "127.0.0.1", 9, lines.append) == 1
    assert lines[0].startswith("no connection to 127.0.0.1:9")


async def test_an_empty_folder_is_said_and_fails(tmp_path):
    lines = []
    assert await run([tmp_path], "127.0.0.1", 9, lines.append) == 1
    assert lines == ["nothing to send"]


@pytest.mark.skipif(
    not SAMPLES.is_dir(),
    reason="the HL7 v2 samples are not there: shared/data/hl7v2-samples (CAREHUB_SHARED_DATA)",
)
async def test_every_sample_file_is_acknowledged(interop):
    for name in ("GHHSFacility", "Ntierprise Clinic", "1", "RDX", "XYZHOSPITAL"):
        await interop.create_feed(sending_facility=name, name=name)
    messages = [m for file in sorted(SAMPLES.glob("*.hl7")) for m in await read_messages(file)]
    async with interop.listening() as server:
        codes = [a.code async for a in send("127.0.0.1", server.port, messages)]
    assert len(codes) == len(messages) >= 61
    # ORU-R01-01 asks for a commit acknowledgement (MSH-15 is AL) and is of nobody we know.
    assert set(codes) == {"AA", "AE", "AR", "CE"}
    assert codes.count("AA") >= 50
