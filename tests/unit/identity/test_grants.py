"""The decider: facts in, grants out, whatever the order."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.grant import (
    AccessFact,
    FactKind,
    Reason,
    decide,
    grant_id,
    reconcile,
)

PAT, SAM = UUID(int=1), UUID(int=2)
HERE, THERE = UUID(int=11), UUID(int=12)


def registered(*facilities, patient=PAT, version=1, is_holding=True):
    return AccessFact(
        kind=FactKind.PATIENT,
        id=patient,
        version=version,
        patient_id=patient,
        facility_ids=facilities,
        is_holding=is_holding,
    )


def treated(facility=HERE, patient=PAT, visit=101, is_holding=True):
    return AccessFact(
        kind=FactKind.ENCOUNTER,
        id=UUID(int=visit),
        version=1,
        patient_id=patient,
        facility_ids=(facility,),
        is_holding=is_holding,
    )


def after(grants, changed):
    kept = {grant.id: grant for grant in grants}
    return list((kept | {grant.id: grant for grant in changed}).values())


def test_where_somebody_is_known_and_was_treated_they_are_seen():
    facts = [registered(HERE, THERE), treated(HERE)]
    assert decide(PAT, facts) == {
        (HERE, Reason.REGISTERED),
        (THERE, Reason.REGISTERED),
        (HERE, Reason.TREATED),
    }


def test_a_visit_taken_back_shows_nothing():
    assert decide(PAT, [treated(is_holding=False)]) == frozenset()
    assert decide(PAT, [treated(is_holding=False), treated(visit=102)]) == {(HERE, Reason.TREATED)}


def test_a_retired_record_is_seen_by_nobody():
    assert decide(PAT, [registered(HERE, is_holding=False), treated()]) == frozenset()


def test_other_patients_do_not_matter():
    assert decide(PAT, [registered(HERE, patient=SAM), treated(patient=SAM)]) == frozenset()


def test_a_grant_has_the_same_id_for_ever():
    assert grant_id(HERE, PAT, Reason.TREATED) == UUID("e3851995-fd52-5a86-9367-78a131d96e2c")
    assert grant_id(HERE, PAT, Reason.TREATED) != grant_id(HERE, PAT, Reason.REGISTERED)
    assert grant_id(HERE, PAT, Reason.TREATED) != grant_id(PAT, HERE, Reason.TREATED)


def test_only_what_changes_gets_a_version():
    first = reconcile(PAT, [registered(HERE)], [])
    assert [(grant.version, grant.is_active) for grant in first] == [(1, True)]
    assert reconcile(PAT, [registered(HERE)], first) == []
    ended = reconcile(PAT, [registered(HERE, is_holding=False)], first)
    assert [(grant.version, grant.is_active) for grant in ended] == [(2, False)]
    assert reconcile(PAT, [registered(HERE, is_holding=False)], ended) == []
    again = reconcile(PAT, [registered(HERE)], ended)
    assert [(grant.id, grant.version, grant.is_active) for grant in again] == [
        (first[0].id, 3, True)
    ]


facilities = st.sampled_from([HERE, THERE, UUID(int=13)])
worlds = st.lists(
    st.one_of(
        st.builds(registered, facilities, is_holding=st.booleans()),
        st.builds(
            treated,
            facilities,
            patient=st.sampled_from([PAT, SAM]),
            visit=st.integers(101, 104),
            is_holding=st.booleans(),
        ),
    ),
    max_size=6,
    unique_by=lambda fact: fact.id,
)


@given(st.lists(worlds, max_size=6))
def test_grants_follow_the_facts_and_versions_only_rise(history):
    grants = []
    for facts in history:
        changed = reconcile(PAT, facts, grants)
        versions = {grant.id: grant.version for grant in grants}
        assert all(grant.version == versions.get(grant.id, 0) + 1 for grant in changed)
        grants = after(grants, changed)
        active = {(grant.facility_id, grant.reason) for grant in grants if grant.is_active}
        assert active == decide(PAT, facts)
