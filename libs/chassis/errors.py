"""The errors that CareHub speaks. The guard turns them into a status; everything else is a bug and stays hidden."""

from typing import ClassVar


class DomainError(Exception):
    """Something the caller should hear about: a reason to switch on, a sentence to read, details without health data."""

    code: ClassVar[str] = "UNKNOWN"

    def __init__(self, reason: str, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = metadata


class InvalidArgument(DomainError):
    """The request cannot be right, whatever the state of the world. `field` names the part to mend."""

    code = "INVALID_ARGUMENT"

    def __init__(self, reason: str, message: str, *, field: str = "", **metadata: str) -> None:
        super().__init__(reason, message, **metadata)
        self.violations: tuple[tuple[str, str], ...] = ((field, message),) if field else ()


class NotFound(DomainError):
    """There is no such thing, or the caller may not see it: the same answer."""

    code = "NOT_FOUND"


class FailedPrecondition(DomainError):
    """The thing is not in a state that allows it."""

    code = "FAILED_PRECONDITION"


class Aborted(DomainError):
    """Somebody else was faster. Read again and decide again."""

    code = "ABORTED"


class PermissionDenied(DomainError):
    """The caller may not do this anywhere."""

    code = "PERMISSION_DENIED"


class Unauthenticated(DomainError):
    """There is no caller, or none we believe."""

    code = "UNAUTHENTICATED"


class DeadlineExceeded(DomainError):
    """It took longer than the caller would wait. Whether it happened is unknown."""

    code = "DEADLINE_EXCEEDED"


class Unavailable(DomainError):
    """Something we need is away. Nothing was changed; try again."""

    code = "UNAVAILABLE"


class Internal(DomainError):
    """A bug. The log has the traceback; the caller gets the request's id and nothing else."""

    code = "INTERNAL"
