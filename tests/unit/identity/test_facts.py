"""What registry tells becomes what the decider is asked about, and rows that are the same for the same decision."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from libs.chassis.access import to_access
from services.identity.convert.access import access_to_proto, to_rows
from services.identity.domain.access.decide import decide
from services.identity.domain.access.facts import Network
from services.identity.domain.fact import (
    AccessFact,
    FactKind,
    concerns_others,
    facts_about,
    network_agreement,
)

PAT = UUID(int=1)
HERE, THERE, FAR = UUID(int=11), UUID(int=12), UUID(int=13)
MERCY, VALLEY = UUID(int=21), UUID(int=22)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NETWORK = Network(
    jurisdiction="US",
    organization_of={HERE: MERCY, THERE: VALLEY, FAR: VALLEY},
    covered=frozenset({MERCY, VALLEY}),
)
TERMS = network_agreement(NOW - timedelta(days=900)).among(frozenset({MERCY, VALLEY}))


def registered(*facilities, is_holding=True):
    return AccessFact(
        kind=FactKind.PATIENT,
        id=PAT,
        version=1,
        patient_id=PAT,
        facility_ids=facilities,
        is_holding=is_holding,
    )


def treated(facility, visit=101, is_holding=True, **when):
    return AccessFact(
        kind=FactKind.ENCOUNTER,
        id=UUID(int=visit),
        version=1,
        patient_id=PAT,
        facility_ids=(facility,),
        is_holding=is_holding,
        **when,
    )


def shown(*told, agreements=(TERMS,), at=NOW):
    """Who is shown something, why, and from where."""
    access = decide(facts_about(PAT, told, NETWORK, agreements), at)
    return {(grant.grantee_id, str(grant.reason), grant.sources) for grant in access.grants}


def test_at_one_place_alone_there_is_nothing_to_show_to_anybody():
    told = registered(HERE), treated(HERE)
    assert not concerns_others(told)
    assert shown(*told) == set()
    assert concerns_others((registered(HERE), treated(THERE)))


def test_a_visit_shows_what_others_know_by_the_terms_of_the_network_and_not_without():
    told = registered(HERE, THERE), treated(HERE)
    assert (HERE, "TREATED", frozenset({THERE})) in shown(*told)
    assert (THERE, "REGISTERED", frozenset({HERE})) in shown(*told)
    assert shown(*told, agreements=()) == set()
    ended = network_agreement(NOW - timedelta(days=9)).among(frozenset({MERCY}))
    assert shown(*told, agreements=(ended,)) == set()


def test_a_visit_that_ended_counts_for_a_year():
    told = registered(HERE, THERE), treated(HERE, ended_at=NOW - timedelta(days=364))
    assert (HERE, "TREATED", frozenset({THERE})) in shown(*told)
    assert "TREATED" not in {why for _, why, _ in shown(*told, at=NOW + timedelta(days=2))}
    taken_back = registered(HERE, THERE), treated(HERE, is_holding=False)
    assert "TREATED" not in {why for _, why, _ in shown(*taken_back)}


def test_the_chart_of_a_program_is_a_chart_that_the_record_does_not_mention():
    chart = replace(registered(THERE), id=UUID(int=77), born_on=date(1980, 4, 30))
    for told in (
        (registered(HERE), chart, treated(HERE)),
        (chart, treated(HERE), registered(HERE)),
    ):
        assert (HERE, "TREATED", frozenset({THERE})) in shown(*told)
        assert (THERE, "REGISTERED", frozenset({HERE})) in shown(*told)
        assert facts_about(PAT, told, NETWORK, ()).patient.born_on == date(1980, 4, 30)
    assert shown(registered(HERE, is_holding=False), chart, treated(HERE)) == set()


def test_a_merged_record_shows_nobody_anything():
    assert (
        shown(registered(HERE, THERE, is_holding=False), treated(HERE), treated(THERE, 102))
        == set()
    )


def test_the_same_facts_in_any_order_make_the_same_rows_and_survive_the_wire():
    told = [registered(HERE, THERE, FAR), treated(HERE), treated(THERE, 102), treated(FAR, 103)]
    chance = random.Random(7)
    rows = []
    for _ in range(20):
        chance.shuffle(told)
        access = decide(facts_about(PAT, told, NETWORK, (TERMS,)), NOW)
        rows.append(to_rows(PAT, 4, access))
    assert len(rows[0].grants) >= 6
    assert all(each == rows[0] for each in rows)
    assert to_access(access_to_proto(rows[0])) == rows[0]
