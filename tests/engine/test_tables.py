"""The names of measures and elements, and the formulas behind them, say the same."""

from klcli.engine.formulas import AS_THEY_ARE, ELEMENT_FORMULAS, FORMULAS, SINGLE_FORMULAS, SUMMANDS, WHOLES
from klcli.engine.measures import ELEMENTS, MEASURES, ROOT_OF_UNIT, SHOWN_OF_ONE, SINGLE, SINGLE_ELEMENTS, SIX


def test_every_measure_has_a_formula():
    assert {*MEASURES, *SINGLE} == {*FORMULAS, *SINGLE_FORMULAS, *WHOLES}


def test_every_element_has_a_formula():
    assert list(ELEMENTS) == list(ELEMENT_FORMULAS)


def test_formulas_sum_what_there_is():
    formulas = [*FORMULAS.values(), *SINGLE_FORMULAS.values(), *AS_THEY_ARE.values()]
    used = {summand for formula in formulas for summand in formula.summands}
    assert used == set(SUMMANDS)


def test_the_six_are_measures():
    assert set(SIX) < set(MEASURES)
    assert len(SIX) == len(set(SIX)) == 6


def test_roots_are_measures_in_a_unit():
    assert set(MEASURES) >= ROOT_OF_UNIT
    assert all(MEASURES[name].in_unit for name in ROOT_OF_UNIT)


def test_the_measures_of_one_distribution_are_those_of_p():
    for name in SHOWN_OF_ONE:
        assert SINGLE[name] == MEASURES[f"{name}_p"]
    for name, element in SINGLE_ELEMENTS.items():
        of_pair = ELEMENTS[name if name == "p" else f"{name}_p"]
        assert (element.in_unit, element.additive) == (of_pair.in_unit, of_pair.additive)


def test_every_measure_names_its_source_and_title():
    assert all(measure.title and measure.source for measure in MEASURES.values())
    assert len({measure.title for measure in MEASURES.values()}) == len(MEASURES)
