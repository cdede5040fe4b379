"""Why somebody may, or may not, see a row: the same decision as everywhere, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.identity.domain.access.boxes import Access, Denial, Grant, Question, may
from services.identity.domain.access.terms import Axis, Label
from services.identity.domain.access.words import WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fact that decides. `key` and `params` are for translation; `sentence` is the English."""

    key: str
    fact_id: UUID | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        until = self.params.get("until")
        return WORDS[self.key].format(
            until=f" until {until}" if until else "",
            reason=self.params.get("reason", ""),
            labels=self.params.get("labels", ""),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """If it is allowed, by what, every way there is; if not, what stands against it."""

    is_allowed: bool
    lines: tuple[Line, ...]


def explain(access: Access, question: Question) -> Explanation:
    is_allowed = may(access, question)
    lines = _for(access, question) if is_allowed else _against(access, question)
    return Explanation(is_allowed=is_allowed, lines=_once(lines))


def _for(access: Access, question: Question) -> Iterator[Line]:
    if question.is_about_own_row and not access.stopping_own(question):
        yield Line(key="allowed.OWN")
    for grant in access.grants_to(question):
        if grant.covers(question) and not access.stopping(grant, question):
            yield Line(key=f"allowed.{grant.reason}", fact_id=grant.fact_id, params=_until(grant))
            if grant.basis_id:
                yield Line(key="by.agreement", fact_id=grant.basis_id)
            if grant.consent_id and grant.consent_id != grant.fact_id:
                yield Line(key="by.consent", fact_id=grant.consent_id)


def _against(access: Access, question: Question) -> Iterator[Line]:
    found = False
    for line in (*_of_row(question), *_stops(access, question), *_obstacles(access, question)):
        found = True
        yield line
    for grant in _nearest(access, question):
        for axis in grant.misses(question):
            found = True
            yield _missed(grant, axis, question)
    if not found:
        yield Line(key="nothing")


def _nearest(access: Access, question: Question) -> Iterator[Grant]:
    """Of the grants that one fact gives, the one that comes closest: the others' limits say nothing."""
    nearest: dict[UUID, tuple[int, Grant]] = {}
    for grant in access.grants_to(question):
        missed = sum(1 for _ in grant.misses(question))
        if grant.fact_id not in nearest or missed < nearest[grant.fact_id][0]:
            nearest[grant.fact_id] = missed, grant
    return (grant for _, grant in nearest.values())


def _of_row(question: Question) -> Iterator[Line]:
    if not question.labels:
        yield Line(key="unlabeled")
    if Label.COUNSELING_NOTES in question.labels:
        yield Line(key="apart")
    if Label.WITHHELD in question.labels:
        yield Line(key="withheld")


def _stops(access: Access, question: Question) -> Iterator[Line]:
    """The denials, of what the caller would otherwise see."""
    if question.is_about_own_row and (denial := access.stopping_own(question)):
        yield _stopped(denial)
    for grant in access.grants_to(question):
        if grant.covers(question) and (denial := access.stopping(grant, question)):
            yield _stopped(denial)


def _obstacles(access: Access, question: Question) -> Iterator[Line]:
    """What is wrong with the facts about the caller, or about everybody."""
    theirs = question.everything_they_are
    for remark in access.remarks:
        if remark.about is None or not remark.about.isdisjoint(theirs):
            yield Line(key=f"obstacle.{remark.obstacle}", fact_id=remark.fact_id)


def _stopped(denial: Denial) -> Line:
    return Line(key=f"stopped.{denial.reason}", fact_id=denial.fact_id, params=_until(denial))


def _missed(grant: Grant, axis: Axis, question: Question) -> Line:
    params = {"reason": str(grant.reason)}
    if axis is Axis.LABEL:
        params["labels"] = ", ".join(sorted(question.labels - grant.labels))
    return Line(key=f"missed.{axis}", fact_id=grant.fact_id, params=params)


def _until(box: Grant | Denial) -> dict[str, str]:
    return {"until": f"{box.expires_at:%Y-%m-%d %H:%M} UTC"} if box.expires_at else {}


def _once(lines: Iterator[Line]) -> tuple[Line, ...]:
    said: list[Line] = []
    for line in lines:
        if line not in said:
            said.append(line)
    return tuple(said)
