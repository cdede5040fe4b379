"""Where the CPU time of a Python process goes: its stack, each time it has burned so many milliseconds.

`python -m tests.performance.sampler -m services serve …` runs that module and writes folded stacks when it ends. The timer
counts CPU time, so a process that waits is not sampled; time in C counts for the Python line that called it.
"""

import os
import runpy
import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType

EVERY_SECONDS = 0.002
_DEEPEST = 60


def main() -> None:
    folder = Path(os.environ["BENCH_SAMPLES"])
    counts: Counter[str] = Counter()

    def sample(_number: int, frame: FrameType | None) -> None:
        counts[_folded(frame)] += 1

    is_wanted = "serve" in sys.argv
    if is_wanted:
        signal.signal(signal.SIGPROF, sample)
        signal.setitimer(signal.ITIMER_PROF, EVERY_SECONDS, EVERY_SECONDS)
    module = sys.argv[2]
    sys.argv = sys.argv[2:]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        if is_wanted:
            signal.setitimer(signal.ITIMER_PROF, 0)
            name = "-".join(a for a in sys.argv[2:] if not a.startswith("--"))
            lines = [f"{stack} {count}" for stack, count in counts.most_common()]
            (folder / f"{name}.folded").write_text("\n".join(lines) + "\n")


def _folded(frame: FrameType | None) -> str:
    """The stack from its root on, as flame graphs are drawn from. Threads beside the main one are not seen."""
    names: list[str] = []
    while frame is not None and len(names) < _DEEPEST:
        code = frame.f_code
        names.append(f"{_short(code.co_filename)}:{frame.f_lineno} {code.co_name}")
        frame = frame.f_back
    return ";".join(reversed(names))


def _short(path: str) -> str:
    for mark in ("/site-packages/", "/lib/python3", str(Path.cwd()) + "/"):
        _, found, after = path.partition(mark)
        if found:
            return after
    return path


if __name__ == "__main__":
    assert threading.current_thread() is threading.main_thread()
    main()
