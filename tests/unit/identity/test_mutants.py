"""The lines that the mutants of `make test-mutation` change are there: it takes long, and whoever moves a line runs it seldom."""

import pytest

from tests.mutation import __main__ as decider
from tests.mutation import chassis
from tests.mutation.mutants import MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_of_the_decider_changes_a_line_that_is_there(mutant):
    assert decider.changed(mutant)


@pytest.mark.parametrize("mutant", chassis.MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_of_what_stands_around_changes_a_line_that_is_there(mutant):
    assert chassis.changed(mutant)
