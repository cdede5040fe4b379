"""Ports of servers: given once, kept for one name."""

from libs.local.process import free_port, is_free, kept_port
from libs.testing.ports import held


def test_a_port_is_given_once():
    """Several are chosen before the first of them is listened at; a few hundred of 12,000 would meet."""
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == len(ports)


def test_a_port_is_kept_for_one_name(home):
    first = kept_port(home, "first")
    assert kept_port(home, "first") == first
    (home / "ports" / "second").write_text(f"{first}\n")
    assert kept_port(home, "second") != first
    assert kept_port(home, "first") == first


def test_a_port_that_is_held_is_nobody_elses(home):
    with held(2) as (one, other):
        assert one != other
        assert not is_free(one)
        (home / "ports").mkdir(parents=True)
        (home / "ports" / "name").write_text(f"{one}\n")
        assert kept_port(home, "name") != one
    assert is_free(one)
