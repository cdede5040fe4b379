"""Whatever people do to teams, one rule stands: a lead who is there, and somebody on duty."""

from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from libs.chassis.errors import DomainError
from services.identity.domain.team import Team

PEOPLE = [UUID(int=n) for n in range(1, 7)]
DUTY, DAY = UUID(int=21), UUID(int=22)
HERE = UUID(int=1)

person = st.sampled_from(PEOPLE)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("leave"), person, st.none() | person),
        st.tuples(
            st.just("change"),
            st.sampled_from([DUTY, DAY]),
            st.tuples(person, st.lists(person, max_size=4, unique=True)),
        ),
    ),
    max_size=30,
)


class Directory:
    """Two teams, one of them on duty, and the people who are still here."""

    def __init__(self):
        self.active = set(PEOPLE)
        members = tuple(PEOPLE[:3])
        teams = [
            Team(id=id, facility_id=HERE, name="T", lead_id=members[0], member_ids=members)
            for id in (DUTY, DAY)
        ]
        self.teams = {team.id: team for team in teams}

    def leave(self, leaver, successor):
        """As DeactivateStaffMember: all teams or none."""
        self.teams |= {
            team.id: team.without(
                leaver,
                successor=successor,
                active=self.active,
                is_on_duty=team.id == DUTY,
            )
            for team in self.teams.values()
            if leaver in team.member_ids
        }
        self.active.discard(leaver)

    def change(self, team_id, wanted):
        lead, members = wanted
        team = self.teams[team_id]
        self.teams[team_id] = team.changed_to(
            replace(team, lead_id=lead, member_ids=tuple(members)),
            active=self.active,
            is_on_duty=team_id == DUTY,
        )


@given(steps)
def test_there_is_always_a_lead_and_somebody_on_duty(history):
    directory = Directory()
    for step, first, second in history:
        versions = {team.id: team.version for team in directory.teams.values()}
        try:
            getattr(directory, step)(first, second)
        except DomainError:
            assert {team.id: team.version for team in directory.teams.values()} == versions
        for team in directory.teams.values():
            assert team.lead_id in directory.active
            assert team.lead_id in team.member_ids
        assert directory.active.intersection(directory.teams[DUTY].member_ids)
