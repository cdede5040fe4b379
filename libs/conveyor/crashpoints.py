"""Named places where a test may end the process as a power cut would. Unarmed they cost one look-up."""

import os

POINTS = frozenset({
    "outbox.before_commit", "outbox.after_commit",
    "relay.before_publish", "relay.after_publish", "relay.before_mark", "relay.after_mark",
    "consumer.before_commit", "consumer.after_commit", "consumer.before_ack",
    "timers.before_commit", "timers.after_commit",
    "sealer.before_commit", "sealer.after_commit", "sealer.before_head", "sealer.after_head",
})  # fmt: skip

_armed: dict[str, int] = {}


def arm(points: str) -> None:
    """Arm points, by commas: `relay.after_publish` ends the process there, `relay.after_publish:3` at the third time."""
    _armed.clear()
    for entry in filter(None, points.split(",")):
        name, _, passing = entry.strip().partition(":")
        if name not in POINTS:
            raise ValueError(f"there is no crash point {name}")
        _armed[name] = int(passing or 1)


def crashpoint(name: str) -> None:
    """End the process here, without any clean-up, if this point is armed."""
    if name not in _armed:
        return
    _armed[name] -= 1
    if _armed[name] == 0:
        os._exit(137)
