"""The graph of docs/architecture.md is what contracts, consumers and charts say; and how a graph is drawn."""

import pytest

from services.__main__ import SERVICES
from tests.contract import graph
from tests.contract.graph import Arrow, drawn, named, picture, written


def test_the_page_has_the_graph_that_there_is():
    page = graph.PAGE.read_text()
    assert page == written(page), "run: make graph"


def test_a_page_without_its_marks_is_not_written():
    with pytest.raises(ValueError, match="has lost the marks"):
        written("# Architecture\n")


def test_what_goes_from_one_to_another_is_one_arrow():
    both = [Arrow("registry", "tasking", "Told"), Arrow("registry", "tasking", "Merged")]
    assert drawn(both * 2) == {
        (frozenset({"registry"}), frozenset({"tasking"})): ["Merged", "Told"]
    }


@pytest.mark.parametrize("turned", [False, True])
def test_the_same_for_many_or_of_many_is_one_arrow(turned):
    others = set(SERVICES) - {"identity"}
    many = [
        Arrow(other, "identity", "Asked") if turned else Arrow("identity", other, "Told")
        for other in others
    ]
    alone, crowd = frozenset({"identity"}), frozenset(others)
    assert set(drawn(many)) == {(crowd, alone) if turned else (alone, crowd)}
    (line,) = picture(many, "-->")
    assert '(["all the others"])' in line


def test_a_crowd_is_named_the_shorter_way():
    assert named(set(SERVICES) - {"identity", "interop"}, ["identity"]) == "all but interop"
    assert named({"tasking", "interop"}, ["identity"]) == "interop, tasking"


def test_every_event_is_in_the_table_once():
    rows = "\n".join(graph.table())
    assert {event: rows.count(f"`{event}`") for event in graph.EVENTS} == dict.fromkeys(
        graph.EVENTS, 1
    )


def test_whoever_is_let_in_and_hears_or_asks_is_drawn():
    """No call without words: a chart that lets in somebody who asks for nothing is one to look at."""
    for service in SERVICES:
        for caller in graph.values_of(service)["calledBy"]:
            assert graph.calls(service, caller), f"{service} lets in {caller}: what for?"
