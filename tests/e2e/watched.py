"""The watch of a hub that runs in processes of its own: what it answered over REST, and all that came out of it.

An answer over REST may be made of several services' answers, each with a row of its own: its request is in the ledgers with
every patient whom it names.
"""

import re
from collections import Counter, defaultdict
from uuid import UUID

import asyncpg
import httpx

from libs.local.environment import database_url
from tests.e2e.outputs import letters, logs, metrics, subjects_and_headers
from tests.e2e.region import Region
from tests.watch.health import COLUMNS, sought
from tests.watch.tally import TALLY, test_now
from tests.watch.watch import (
    Answer,
    Said,
    count,
    outputs_of,
    patients_of,
    rows_of,
    search,
    told_of,
    with_patient_data,
)

_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


class Watched:
    """Hears every response, and looks once, before the hub is stopped for good."""

    def __init__(self) -> None:
        self._answers: list[Answer] = []
        self._said: list[Said] = []

    async def heard(self, response: httpx.Response) -> None:
        await response.aread()
        if response.status_code >= httpx.codes.BAD_REQUEST:
            self._said.append(Said(test_now(), "errors", f"{response.text} {response.headers}"))
        elif request_id := response.headers.get("x-request-id"):
            what = f"{response.request.method} {_IDS.sub('…', response.request.url.path)}"
            self._answers.append(Answer(test_now(), "", what, request_id, response.content))

    async def look(self, region: Region) -> None:
        patients, told, shown = (
            set[UUID](),
            list[tuple[str, str | bytes]](),
            defaultdict[str, set[UUID]](set),
        )
        for service in COLUMNS:
            connection = await asyncpg.connect(database_url(region.machine, service, "system"))
            try:
                patients |= await patients_of(connection)
                told += await told_of(connection, service)
                self._said += [
                    Said("", kind, text) for kind, text in await outputs_of(connection, service)
                ]
                for row in await rows_of(connection, {one.request_id for one in self._answers}):
                    shown[row["request_id"]] |= set(row["patients"])
            finally:
                await connection.close()
        self._said += await _outputs(region)
        forms = sought(told)
        search(TALLY, forms, self._said)
        rows = {
            (one.method, one.request_id): [shown[one.request_id]]
            for one in self._answers
            if one.request_id in shown
        }
        calls = Counter((one.method, one.request_id) for one in self._answers)
        count(
            TALLY,
            with_patient_data(self._answers, patients, forms.keys()),
            defaultdict(list, rows),
            calls,
        )


async def _outputs(region: Region) -> list[Said]:
    """By line, so that what is found can be shown."""
    found = [
        *(("logs", line) for _, text in logs(region) for line in text.splitlines()),
        *(("metrics", line) for _, text in await metrics(region) for line in text.splitlines()),
        *(("letters", text) for _, text in letters(region)),
        *(("subjects", text) for _, text in await subjects_and_headers(region)),
    ]
    return [
        Said("", kind, text.decode(errors="replace") if isinstance(text, bytes) else text)
        for kind, text in found
    ]
