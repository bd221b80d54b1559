"""A distribution given by a formula, as an argument:

    FORMULA = TERM {"+" TERM} ["@" START ":" STOP ":" STEP]
    TERM    = [NUM "*"] NAME "(" [ARG {"," ARG}] ")"
    ARG     = [NAME "="] VALUE                            those without a name first
    VALUE   = NUM | "[" VALUE {"," VALUE} "]"

White space may stand between any two of these. What is malformed is an InputError, a name that does not exist or
arguments that do not fit a family are a UsageError, numbers that make no distribution a DistributionError: all of them
point at the place.
"""  # noqa: D400, D415

from __future__ import annotations

import re
from math import inf, isfinite, sqrt
from typing import TYPE_CHECKING

from klcli.errors import DistributionError, InputError, UsageError, clipped, listed, nearest
from klcli.families.catalogue import CONTINUOUS, COUNTS, FAMILIES, FINITE, VECTORS
from klcli.families.formula import SUM_TOLERANCE, Component, Formula, Grid, ParameterError, shares
from klcli.model import Distribution, frozen
from klcli.readers.distributions import Single
from klcli.readers.formats import is_known_suffix
from klcli.readers.sources import exists, split_selector
from klcli.readers.syntax import Argument, List, Number, Said, read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from klcli.families.family import Family
    from klcli.families.formula import Parameter, Value
    from klcli.readers.syntax import Term

MOST_POINTS = 10_000_000
MOST_TERMS = 1000
"""Quadrature looks at every term at some 300 points for each: the work grows with the square of their number."""

_START = re.compile(r"\s*(?:[-+]?[.\d][-+.\d/%eE]*\s*\*\s*)?[a-z_]\w*\s*\(", re.ASCII | re.IGNORECASE)
_PAIR = re.compile(r"\)[^()*+@,]*=")
"""What only a label with something in brackets has: f(x)=0.5."""


def is_formula(text: str) -> bool:
    """Whether an argument is meant as a formula: NAME "(" stands first, or NUM "*" NAME "(", and it is no file."""
    if not _START.match(text) or _PAIR.search(text):
        return False
    path, _, _ = split_selector(text.strip())
    return not is_known_suffix(path) and not exists(path)


def parse(text: str, role: str) -> Formula:
    """The distribution that the formula gives, complete and valid. Raises KlcliError, pointing at the place."""
    text = text.strip()
    said = Said(text, role)
    tree = read(said)
    components, remarks = _components(said, tree.terms)
    formula = Formula(text, components, None, remarks)
    return formula if tree.grid is None else formula._replace(grid=_grid(said, tree.grid, tree.grid_at, formula.kind))


def content(formula: Formula, role: str) -> Single:
    """The formula as a source of one distribution, without labels. Raises DistributionError where it has no weights."""
    from klcli.families.grid import weights

    remark = "; ".join(said if i == 0 else said.removeprefix(f"{role}: ") for i, said in enumerate(formula.remarks))
    values, remarks = frozen(weights(formula, role)), (remark,) if remark else ()
    return Single(role, Distribution("", role, values, lambda i: f"{role}, point {i + 1}", remarks=remarks))


_KINDS = {
    CONTINUOUS: "a density",
    COUNTS: "masses on 0, 1, 2, ...",
    FINITE: "masses on finitely many outcomes",
    VECTORS: "a density of vectors",
}


def _components(said: Said, terms: Sequence[Term]) -> tuple[tuple[Component, ...], tuple[str, ...]]:
    """The terms as components whose weights sum to 1, and what there is to say of it."""
    if len(terms) > MOST_TERMS:
        message = f"a mixture of {len(terms)} terms, and {MOST_TERMS} are the most; add up the weights of equal terms"
        raise said.wrong(UsageError, terms[MOST_TERMS].at, message)
    remarks: list[str] = []
    parameters = [_parameters(said, term, remarks) for term in terms]
    kinds = [FAMILIES[term.name].kind for term in terms]
    for term, kind in zip(terms, kinds, strict=True):
        if kind == VECTORS and len(terms) > 1:
            message = f"{term.name} is of vectors, and mixtures are of numbers only"
            raise said.wrong(DistributionError, term.at, message)
        if kind != kinds[0]:
            message = f"{term.name} is {_KINDS[kind]}, {terms[0].name} is {_KINDS[kinds[0]]}; a mixture is of one kind"
            raise said.wrong(DistributionError, term.at, message)
    given = [1.0 if term.weight is None else _weight(said, term.weight) for term in terms]
    try:
        portions, total = shares(given)
    except ParameterError as error:
        first = terms[0] if terms[0].weight is None else terms[0].weight
        raise said.wrong(DistributionError, first.at, str(error)) from None
    if abs(total - 1) > SUM_TOLERANCE:
        many = f"the weights of the mixture sum to {total:.10g}; divided by it"
        one = f"the weight {total:.10g} of its only term makes no difference"
        remarks.append(f"{said.role}: {many if len(terms) > 1 else one}")
    together = zip(terms, parameters, portions, strict=True)
    return tuple(Component(term.name, each, share) for term, each, share in together), tuple(remarks)


def _weight(said: Said, weight: Number) -> float:
    if not 0 < weight.value < inf:
        message = f"a component's weight must be above 0 and finite, not {clipped(weight.text)}"
        raise said.wrong(DistributionError, weight.at, message)
    return weight.value


def _parameters(said: Said, term: Term, remarks: list[str]) -> Mapping[str, Value]:
    """The term's parameters, complete and valid, in the order of its family."""
    if term.name not in FAMILIES:
        hint = nearest(term.name, FAMILIES) or f" There are {listed(FAMILIES, len(FAMILIES))}"
        raise said.wrong(UsageError, term.at, f"no family {clipped(term.name)}.{hint}")
    family = FAMILIES[term.name]
    given = _given(said, term, family)
    values: dict[str, Value] = {}
    for parameter in family.parameters:
        if parameter.name in given:
            values[parameter.name] = _value(said, parameter, given[parameter.name], family)
        elif parameter.default is not None:
            values[parameter.name] = parameter.default
        else:
            message = f"{parameter.name} is missing; it is {_signature(term.name)}"
            raise said.wrong(UsageError, term.end, message)
    nodes = {name: argument.value for name, argument in given.items()}
    try:
        checked, remark = family.checked(values)
    except ParameterError as error:
        node = nodes[error.parameter]
        for i in error.at:
            node = node.items[i] if isinstance(node, List) else node
        raise said.wrong(DistributionError, node.at, str(error)) from None
    if remark:
        remarks.append(f"{said.role}: {remark}")
    return checked


def _given(said: Said, term: Term, family: type[Family]) -> dict[str, Argument]:
    """The arguments by the parameter that they are for, under whatever name they came."""
    given: dict[str, Argument] = {}
    for argument, place in _spread(term.arguments, family):
        if not argument.name and place >= len(family.parameters):
            message = f"one value too many; it is {_signature(term.name)}"
            raise said.wrong(UsageError, argument.at, message)
        name = argument.name or family.parameters[place].name
        target = family.instead[name][0] if name in family.instead else name
        if all(target != parameter.name for parameter in family.parameters):
            has = [*(parameter.name for parameter in family.parameters), *family.instead]
            hint = nearest(name, has)
            message = f"{term.name} has no parameter {clipped(name)}; it has {listed(has)}{hint and '.'}{hint}"
            raise said.wrong(UsageError, argument.at, message)
        if target in given:
            other = given[target].name
            twice = f"{name} stands twice" if other == name else f"{name} and {other} say the same; give one"
            raise said.wrong(UsageError, argument.at, twice)
        given[target] = argument._replace(name=name)
    return given


def _spread(arguments: Sequence[Argument], family: type[Family]) -> list[tuple[Argument, int]]:
    """The arguments and their positions; where the family's vector takes all plain numbers, they are one list."""
    if family.spread and arguments and not arguments[0].name and isinstance(arguments[0].value, Number):
        plain = [argument for argument in arguments if not argument.name]
        whole = Argument(plain[0].at, "", List(plain[0].at, tuple(argument.value for argument in plain)))
        arguments = [whole, *arguments[len(plain) :]]
    return [(argument, i) for i, argument in enumerate(arguments)]


def _signature(name: str) -> str:
    """'normal(mu, sd), or var= for sd'."""
    family = FAMILIES[name]
    takes = [
        one.name + ("" if one.default is None else f"={one.default:g}") + (", ..." if family.spread else "")
        for one in family.parameters
    ]
    others = "".join(f", or {other}= for {target}" for other, (target, _) in family.instead.items())
    return f"{name}({', '.join(takes)}){others}"


def _value(said: Said, parameter: Parameter, argument: Argument, family: type[Family]) -> Value:
    """A parameter's value: of its shape, every number of it in its range."""
    node, name = argument.value, argument.name

    def numbers(items: Sequence[Number | List]) -> tuple[float, ...]:
        for item in items:
            if isinstance(item, List):
                raise said.wrong(InputError, item.at, f"{name} is a list of numbers, as [1,2], not of lists")
        # What is divided by its sum may be above 1.
        bounds = parameter._replace(high=inf) if family.spread else parameter
        return tuple(_in_range(said, bounds, item, name) for item in items if isinstance(item, Number))

    if parameter.shape == "matrix":
        rows = node.items if isinstance(node, List) else ()
        lists = [row.items for row in rows if isinstance(row, List)]
        if not rows or len(lists) < len(rows):
            raise said.wrong(InputError, node.at, f"{name} is a list of rows, as [[1,0],[0,1]]")
        return tuple(numbers(row) for row in lists)
    if parameter.shape == "vector":
        if isinstance(node, Number):
            raise said.wrong(InputError, node.at, f"{name} is a list of numbers, as [1,2]")
        return numbers(node.items)
    if isinstance(node, List):
        raise said.wrong(InputError, node.at, f"{name} is one number, not a list")
    if name != parameter.name:
        return _converted(said, parameter, node, name, family.instead[name][1])
    return _in_range(said, parameter, node, name)


def _in_range(said: Said, parameter: Parameter, node: Number, name: str) -> float:
    """The number itself. Raises DistributionError where the parameter cannot be that."""
    if not parameter.allows(node.value):
        raise said.wrong(DistributionError, node.at, f"{name} must be {_range(parameter)}, not {clipped(node.text)}")
    return node.value


def _range(parameter: Parameter) -> str:
    """What a parameter may be, in words."""
    what = "a whole number " if parameter.shape == "whole" else ""
    if parameter.low == -inf:
        return what + "finite"
    if parameter.high == inf:
        return f"{what}{'from' if parameter.closed[0] else 'above'} {parameter.low:g}, and finite"
    if parameter.closed == (True, True):
        return f"{what}from {parameter.low:g} to {parameter.high:g}"
    return f"{what}above {parameter.low:g} and {'at most' if parameter.closed[1] else 'below'} {parameter.high:g}"


_CONVERSIONS: Mapping[str, Callable[[float], float]] = {"root": sqrt, "inverse": lambda value: 1 / value}


def _converted(said: Said, parameter: Parameter, node: Number, name: str, how: str) -> float:
    """The parameter whose square or inverse was given."""
    value = _in_range(said, parameter._replace(low=0.0), node, name)
    try:
        converted = _CONVERSIONS[how](value)
    except OverflowError:
        converted = inf
    if not parameter.allows(converted):
        message = f"{name} {clipped(node.text)} makes {parameter.name} {converted!r}; it must be {_range(parameter)}"
        raise said.wrong(DistributionError, node.at, message)
    return converted


# ------------------------------------------------------------------------------------------------------------- the grid


def _grid(said: Said, given: tuple[Number, Number, Number], at: int, kind: str) -> Grid:
    """The grid of a formula of that kind, valid. at: where its @ stands."""
    if kind == VECTORS:
        message = "a grid is of numbers, and this is a distribution of vectors; leave the grid out"
        raise said.wrong(DistributionError, at, message)
    start, stop, step = given
    for name, node in zip(("START", "STOP", "STEP"), given, strict=True):
        if not isfinite(node.value):
            raise said.wrong(DistributionError, node.at, f"{name} must be finite, not {clipped(node.text)}")
        if kind != CONTINUOUS and node is not stop and not node.value.is_integer():
            message = f"{name} must be a whole number, for there alone are masses, not {clipped(node.text)}"
            raise said.wrong(DistributionError, node.at, message)
    if step.value <= 0:
        raise said.wrong(DistributionError, step.at, f"STEP must be above 0, not {clipped(step.text)}")
    if start.value >= stop.value:
        message = f"STOP must be above START, {start.text}, not {clipped(stop.text)}"
        raise said.wrong(DistributionError, stop.at, message)
    grid = Grid(start.value, stop.value, step.value)
    if (grid.stop - grid.start) / grid.step > MOST_POINTS:
        message = f"a grid of more than {MOST_POINTS:,} points; take a longer STEP"
        raise said.wrong(DistributionError, step.at, message)
    return grid
