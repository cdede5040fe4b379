"""A service with its ledger: whoever composes a process gives it to each service there."""

from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path

from libs.conveyor.inbox import run_consumer
from libs.ledger import heads
from libs.ledger.entries import Entries
from libs.ledger.looks import Looks
from libs.ledger.sealing import Seal, run_sealer
from libs.process.app import App, Job, Runtime


def with_ledger(app: App, key: Path | None = None, folder: Path | None = None) -> App:
    """The service, which besides answers for its ledger and, where it works, seals it and keeps the heads of the others.

    `key` is the file of what signs its heads, read where it works; without it there are none. `folder` has their files.
    """
    heard = heads.consumer(app.name)

    def hear(runtime: Runtime) -> Awaitable[None]:
        if runtime.conveyor is None:
            raise RuntimeError("no broker")
        return run_consumer(app.name, heard, runtime.database, runtime.conveyor, runtime.stopping)

    def seal(runtime: Runtime) -> Awaitable[None]:
        def kept() -> Seal:
            signer = heads.Signer(key.read_text()) if key else None
            return Seal(signer=signer, folder=folder, conveyor=runtime.conveyor)

        return run_sealer(app.name, runtime.database, kept, runtime.stopping, runtime.now)

    return replace(
        app,
        jobs=(*app.jobs, Job(heard.name, hear), Job(f"{app.name}-sealer", seal)),
        alike=lambda runtime: (
            *app.alike(runtime),
            Entries(app.name, runtime.database),
            Looks(runtime.database),
        ),
    )
