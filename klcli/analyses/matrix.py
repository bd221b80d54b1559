"""Which of many distributions are alike: a measure of every pair, and the pairs in order."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from klcli.analyses.compare import measure_options, unit_of
from klcli.analyses.prepare import (
    named,
    never_falls,
    of_side,
    places_of,
    prepare_one,
    raw_sum,
    read_columns,
    shown,
    smoothed,
    weights_of_totals,
    where_outcomes_lie,
)
from klcli.engine.measures import MEASURES, OF_LIKENESS, ROOT_OF_UNIT
from klcli.engine.pairwise import is_symmetric, pairwise
from klcli.engine.weights import share_of
from klcli.errors import DistributionError, clipped
from klcli.model import Listed, Settings, Square
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    from klcli.engine.log_pair import LogWeights
    from klcli.model import Array, Distribution

    Indices = npt.NDArray[np.intp]
    Mask = npt.NDArray[np.bool_]


class Matrix(NamedTuple):
    """squares: measure -> (n, n), in the unit of the settings, from the row's distribution, P, to the column's, Q.

    names: of the n distributions. failed: a line on those that are none, if there are any.
    """

    names: list[str]
    squares: dict[str, Array]
    symmetric: frozenset[str]
    notes: tuple[str, ...]
    failed: tuple[str, ...] = ()


def _unfit(given: Sequence[Distribution], settings: Settings) -> dict[int, str]:
    """Which are no distributions, and why."""
    wrong: dict[int, str] = {}
    for i, one in enumerate(given):
        if one.fault:
            wrong[i] = one.fault
            continue
        try:
            prepare_one(one, settings, one.place)
        except DistributionError as error:
            wrong[i] = str(error)
    return wrong


def matrix(
    given: Sequence[Distribution], settings: Settings, measures: Iterable[str], on_error: str = "fail"
) -> Matrix:
    """The named measures of every pair; why some of the first one are infinite, a note tells. Raises DistributionError.

    on_error: with 'keep' the measures of what is no distribution are NaN, with 'skip' it is left out.
    """
    wrong = {} if on_error == "fail" else _unfit(given, settings)
    if not wrong:
        return _measured(given, settings, measures)
    at = [i for i in range(len(given)) if i not in wrong]
    first, done = next(iter(wrong.values())), "kept without values" if on_error == "keep" else "left out"
    if not at and on_error == "keep":
        message = f"none of the {len(given)} rows is a distribution"
        raise DistributionError(message)
    if len(at) < 2 and on_error == "skip":  # noqa: PLR2004 - a pair
        has = f"{len(at) or 'none'} of {len(given)} is a distribution, and a pair needs two"
        message = f"{has}; the first that is none: {first}"
        raise DistributionError(message)
    found = _measured([given[i] for i in at], settings, measures)
    if on_error == "keep":
        wide = {name: np.full((len(given), len(given)), np.nan) for name in found.squares}
        for name, square in wide.items():
            square[np.ix_(at, at)] = found.squares[name]
        found = found._replace(names=[one.name for one in given], squares=wide)
    failed = f"{len(wrong)} of {len(given)} distributions failed and were {done}; the first: {first}"
    return found._replace(failed=(failed,))


def _measured(given: Sequence[Distribution], settings: Settings, measures: Iterable[str]) -> Matrix:
    family = AlignedDistributions(given, settings)
    squares: dict[str, Array] = {}
    for name in dict.fromkeys(measures):
        square = pairwise(family.weights, name, family.logs, **measure_options(settings, family.places(name)))
        unit = unit_of(name, settings)
        squares[name] = square if unit == 1 else np.divide(square, unit, out=square)
        if len(squares) == 1:
            family.explain_infinities(name, square)
    symmetric = frozenset(name for name in squares if is_symmetric(name, settings.js_weight))
    return Matrix([one.name for one in given], squares, symmetric, tuple(family.notes))


class AlignedDistributions:
    """The distributions on common outcomes, read and smoothed. weights: (K, n). notes: all that was done to them.

    logs: the logarithms that the weights were made of, None where they were made of none. joined: the notes on how
    they were joined.
    """

    logs: LogWeights | None

    def __init__(self, given: Sequence[Distribution], settings: Settings) -> None:
        if settings.p.read_as == "cumulative":
            given = [weights_of_totals(one, one.place) for one in given]
        kinds = {one.read_as for one in given} - {None}
        if len(kinds) == 1:
            settings = settings._replace(p=of_side(settings.p, given[0]))
        self._given, self._settings = given, settings
        self.notes = list(dict.fromkeys(remark for one in given for remark in one.remarks))
        if settings.p.read_as in {"weights", "probs"}:
            self.notes += [never_falls(one.running) for one in given if one.running][:1]
        with np.errstate(all="ignore"):  # what overflows is looked for
            before = len(self.notes)
            values, self._outcomes = self._on_common_outcomes()
            self.joined = self.notes[before:]
            if not len(values):
                message = f"{given[0].place} has no values; a distribution has at least one outcome"
                raise DistributionError(message)
            self.weights = np.ascontiguousarray(self._smoothed(self._as_weights(values)))

    def _on_common_outcomes(self) -> tuple[Array, Sequence[str] | None]:
        """The values, (K, n), and the outcomes' labels; what has not all the labels gets no mass on the others."""
        outcomes = self._given[0].outcomes
        if all(one.outcomes is outcomes or one.outcomes == outcomes for one in self._given):
            odd = next((one for one in self._given if len(one) != len(self._given[0])), None)
            if odd is not None:
                counts = f"{self._given[0].place} has {len(self._given[0])} values, {odd.place} has {len(odd)}"
                message = f"{counts}; without labels they must match"
                raise DistributionError(message)
            return np.array([one.values for one in self._given]).T, outcomes
        bare = next((one for one in self._given if one.outcomes is None), None)
        if bare is not None:
            message = f"{bare.place} has no labels and others have; write it as LABEL=WEIGHT, or all of them without"
            raise DistributionError(message)
        at = {label: i for i, label in enumerate(dict.fromkeys(o for one in self._given for o in one.outcomes or ()))}
        none = -inf if self._settings.p.read_as in {"logits", "logprobs"} else 0.0
        values = np.full((len(at), len(self._given)), none)
        for column, one in zip(values.T, self._given, strict=True):
            column[[at[label] for label in one.outcomes or ()]] = one.values
        lacking = np.array([len(one) < len(at) for one in self._given])
        if lacking.any():
            first = self._given[int(lacking.argmax())]
            own = set(first.outcomes or ())
            missing = named([label for label in at if label not in own])
            self._note(lacking, f"lacked outcomes of others ({clipped(first.name)}: {missing}); weight 0 there")
        else:
            self.notes.append("the outcomes stand in different orders; joined by label")
        return values, list(at)

    def _note(self, which: Mask, what: str) -> None:
        self.notes.append(f"{np.count_nonzero(which)} of {len(which)} distributions {what}")

    def _as_weights(self, values: Array) -> Array:
        settings, read_as = self._settings, self._settings.p.read_as
        in_logarithms = read_as == "logprobs"
        weights, doubtful, wholes, off, logs = read_columns(values, read_as, settings)
        self._refuse(doubtful)
        self.logs = None if settings.p.smoothing is not None else logs
        if read_as == "logits":
            at = f" at temperature {shown(settings.temperature)}" if settings.temperature != 1 else ""
            self.notes.append(f"softmax of {len(values)} logits each{at}")
            return weights
        if in_logarithms:
            self.notes.append("log-probabilities exponentiated")
        if off.any():
            first = int(off.argmax())
            one = self._given[first]
            sums = shown(float(wholes[first]) if in_logarithms else raw_sum(one.values))
            found = f"did not sum to 1 ({clipped(one.name)}: {'logsumexp ' if in_logarithms else ''}{sums})"
            as_they_are = ", and were not normalised; the results need not be divergences and can be negative"
            self._note(off, f"{found}{'; each divided by its sum' if settings.normalize else as_they_are}")
        return weights

    def _smoothed(self, weights: Array) -> Array:
        smoothing = self._settings.p.smoothing
        if smoothing is not None:
            _, after = smoothed(weights, smoothing, self._settings)
            lifted = int(np.count_nonzero((weights == 0) & (after > 0)))
            gave = f"; {lifted} of {weights.size} weights were 0 before" if lifted else ""
            self.notes.append(f"{smoothing} applied to all {len(self._given)} distributions{gave}")
            weights = after
        largest = weights.max(axis=0)
        self._refuse(~((largest > 0) & (largest < inf)))
        return weights

    def places(self, name: str) -> Array | None:
        """Where the outcomes lie for a measure, of which a note is taken; None where it does not matter."""
        places = places_of(self._outcomes) if name == "wasserstein" else None
        if name == "wasserstein":
            self.notes.append(where_outcomes_lie(places))
        return places

    def _refuse(self, doubtful: Mask) -> None:
        """Raises DistributionError for the first that is no distribution, in the words of `prepare`."""
        for i in np.flatnonzero(doubtful).tolist():
            prepare_one(self._given[i], self._settings, self._given[i].place)

    def explain_infinities(self, name: str, square: Array) -> None:
        """Notes how many pairs are infinite, and why the first is."""
        infinite = np.isinf(square)
        count, n = int(np.count_nonzero(infinite)), len(square)
        if not count:
            return
        row, column = divmod(int(infinite.argmax()), n)
        has, lacks = (column, row) if name.endswith("_qp") else (row, column)
        alone = self._only_in(has, lacks)
        if not alone:
            has, lacks = lacks, has
            alone = self._only_in(has, lacks)
        why = ""
        if alone:
            share = share_of(self.weights[:, has], alone)
            outcomes = named(
                [str(i + 1) if self._outcomes is None else self._outcomes[i] for i in alone[:3]], len(alone)
            )
            names = [clipped(self._given[i].name) for i in (has, lacks)]
            why = f"; the first: {names[0]} holds {share:.4g} of its mass where {names[1]} has none ({outcomes})"
        self.notes.append(f"infinite: {count} of {n * (n - 1)} pairs{why}; --smooth METHOD gives mass everywhere")

    def _only_in(self, has: int, lacks: int) -> list[int]:
        """The outcomes that one has and the other lacks."""
        mass = self.weights > 0 if self.logs is None else self.logs.values > -inf
        only: list[int] = np.flatnonzero(mass[:, has] > mass[:, lacks]).tolist()
        return only


def ranked(
    square: Array, *, symmetric: bool, nearest: int | None = None, farthest: int | None = None
) -> tuple[Indices, Indices]:
    """The pairs of different distributions by their value, as rows and columns: nearest first, equal ones as given.

    symmetric: each pair once. nearest, farthest: so many of either end only, the farthest first among theirs.
    """
    n = len(square)
    wanted = np.triu(np.ones((n, n), dtype=bool), 1) if symmetric else ~np.eye(n, dtype=bool)
    wanted &= ~np.isnan(square)
    places = np.flatnonzero(wanted)
    values = square[wanted]
    if nearest is None and farthest is None:
        order = np.argsort(values, kind="stable")
    else:
        near = _least(values, nearest or 0)
        far = _least(-values, farthest or 0)
        order = np.concatenate([near, far[~np.isin(far, near)]])
    return np.divmod(places[order], n)


def _least(values: Array, count: int) -> Indices:
    """Where the `count` least values stand, in order."""
    if count == 0:
        return np.empty(0, dtype=np.intp)
    candidates = np.arange(len(values))
    if count < len(values):  # what equals the last of them may stand before it
        candidates = np.flatnonzero(values <= np.partition(values, count - 1)[count - 1])
    order: Indices = candidates[np.argsort(values[candidates], kind="stable")][:count]
    return order


class Listing(NamedTuple):
    """How many pairs are listed; both None: all. counted: whether the others are."""

    nearest: int | None = None
    farthest: int | None = None
    counted: bool = False


def square(found: Matrix, heading: str, measure: str, settings: Settings, listing: Listing | None) -> Square:
    """A measure of every pair as it is shown. heading: what the names are called. listing: None shows the square."""
    values, symmetric = found.squares[measure], measure in found.symmetric
    unit = settings.unit_name if MEASURES[measure].in_unit else ""
    side = settings.p
    made = Square(
        names=found.names,
        heading=heading,
        measure=measure,
        unit=f"√{unit}" if measure in ROOT_OF_UNIT else unit,
        values=values,
        symmetric=symmetric,
        settings={
            "unit": settings.unit_name,
            "as": side.read_as,
            "smooth": None if side.smoothing is None else str(side.smoothing),
            "temperature": settings.temperature,
            "normalize": settings.normalize,
            "strict": settings.strict,
            "alpha": settings.alpha,
            **({} if settings.js_weight == Settings().js_weight else {"js_weight": settings.js_weight}),
        },
        notes=found.notes,
    )
    if listing is None:
        return made
    distances = -values if measure in OF_LIKENESS else values
    rows, columns = ranked(distances, symmetric=symmetric, nearest=listing.nearest, farthest=listing.farthest)
    n = len(values)
    more = n * (n - 1) // (2 if symmetric else 1) - len(rows) if listing.counted else 0
    return made._replace(pairs=Listed(rows, columns, listing.nearest or 0, more))


def exceeding(found: Matrix, limits: Sequence[tuple[str, float]]) -> list[str]:
    """For each limit of a measure that a pair is above a line on the farthest pair, and on how many others are."""
    lines, names = [], found.names
    for measure, limit in limits:
        others = np.where(np.isnan(found.squares[measure]), -inf, found.squares[measure])
        np.fill_diagonal(others, -inf)
        i, j = divmod(int(others.argmax()), len(others))
        count = int(np.count_nonzero(others > limit))
        if count:
            both_ways = 2 if measure in found.symmetric else 1
            beside, pairs = count // both_ways - 1, len(names) * (len(names) - 1) // both_ways
            more = f", as in {beside} more of {pairs} pairs" if beside else ""
            value = float(others[i, j])
            lines.append(f"{clipped(names[i])} to {clipped(names[j])}: {measure} is {value!r}, above {limit!r}{more}")
    return lines
