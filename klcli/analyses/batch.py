"""A table of pairs: one pure function from a block of rows to their measures, from the same engine as `compare`.

What is done to a pair is what `prepare` says. Here it is done to all columns of an array at once, which are only looked
at for whether one may be no pair: such a column goes through `prepare` alone, whose errors are the ones that are said.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from klcli.analyses.compare import measure_options, measures_of, unit_of
from klcli.analyses.prepare import (
    join,
    of_side,
    pick,
    places_of,
    prepare_one,
    prepare_pair,
    read_columns,
    shown,
    smoothed,
    where_outcomes_lie,
)
from klcli.blocks import Failure, Scored
from klcli.engine.score import score, taken_logs
from klcli.errors import DistributionError
from klcli.kernels import taken
from klcli.model import Distribution, Side, frozen
from klcli.stems import stems
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from klcli.blocks import Block, Pairs
    from klcli.engine.arrays import Mask
    from klcli.engine.log_pair import LogWeights
    from klcli.engine.pair import Logs
    from klcli.model import Array, Settings

REFERENCE = "the reference"
"""What the distribution that stands for one side in all rows is called."""

_ROLES = ("P", "Q")
_PLAIN = Side()


class _Sides(NamedTuple):
    """Weights of P and Q, (K, n) each or (K, 1) for all columns, and which columns may be no pair, (n,).

    logs: the logarithms of a side that is given by them. outcomes: what both are on, None where nothing names them.
    """

    p: Array
    q: Array
    doubtful: Mask
    logs: Logs = (None, None)
    outcomes: Sequence[str] | None = None


def score_block(
    block: Block, settings: Settings, names: Sequence[str], reference: Distribution | None = None
) -> Scored:
    """The named measures of each row of the block, in the unit of the settings.

    reference: stands for the side that the rows lack.
    """
    if reference is None and any(pairs.q is None for pairs in block.pairs):
        settings = settings._replace(q=_PLAIN)  # P alone: what stands for Q is P
    values = {name: np.full(block.size, np.nan) for name in names}
    failures, remarks = list(block.failures), Counter(block.remarks)
    for pairs in block.pairs:
        if len(pairs.rows) == 0:
            continue
        standing, pairs, said = _fitting(reference, pairs)  # noqa: PLW2901 - with the labels that fit
        remarks[said] += len(pairs.rows) if said else 0
        with np.errstate(all="ignore"):  # what overflows is looked for
            sides = _prepared(pairs, settings, standing, remarks)
        places = None
        if "wasserstein" in names:
            places = places_of(sides.outcomes)
            remarks[where_outcomes_lie(places)] += len(pairs.rows)
        found, failed = _measured(pairs, sides, settings, names, standing, places)
        failures += failed
        if len(pairs.rows) == block.size:
            values = found
            continue
        for name, value in found.items():
            values[name][pairs.rows] = value
    for direction, way in (("pq", "P||Q"), ("qp", "Q||P")):
        infinite = int(np.count_nonzero(values.get(f"kl_{direction}", np.empty(0)) == inf))
        has, lacks = way.split("||")
        why = f"{has} has mass where {lacks} has none; --{lacks.lower()}-smooth METHOD gives {lacks} some"
        remarks[f"KL({way}) is infinite in {{}}: {why}"] += infinite
    failures.sort(key=lambda failure: (failure.row, failure.line))
    for value in values.values():
        value[[failure.row for failure in failures]] = np.nan
    return Scored(block.size, block.kept, values, tuple(failures), +remarks)


def _fitting(reference: Distribution | None, pairs: Pairs) -> tuple[Distribution | None, Pairs, str]:
    """The reference and the pairs with labels that fit, and what to say of it.

    They are joined by the columns' names, or by the part of those that differs; else the reference loses its labels.
    """
    names = next((of for of in pairs.labels if of is not None), None)
    if reference is not None and reference.uniform:
        weights = next((side for side in (pairs.p, pairs.q) if side is not None), np.empty((0, 0)))
        n = len(weights)
        values = frozen(np.full(n, 1 / max(n, 1)))
        return replace(reference, values=values, outcomes=names, read_as="weights"), pairs, ""
    if reference is None or reference.outcomes is None or (names and not pairs.by_columns):
        bare = reference is not None and reference.outcomes is None and names and not pairs.by_columns
        said = "the reference has no labels; its values were taken in the order of those in {}" if bare else ""
        return reference, pairs, said
    labels = set(reference.outcomes)
    if names is not None and labels & set(names):
        return reference, pairs, ""
    own = [list(reference.outcomes), *stems(reference.outcomes)]
    for ours, theirs in product(own, () if names is None or len(names) == 1 else [list(names), *stems(names)]):
        fits = set(ours) == set(theirs) if ours is not own[0] else labels & set(theirs)
        if fits and len(set(ours)) == len(ours) and len(set(theirs)) == len(theirs):
            of = [tuple(theirs) if side is not None else None for side in pairs.labels]
            said = "the reference was joined in {} by the part of the columns' names that differs"
            return replace(reference, outcomes=ours), replace(pairs, labels=(of[0], of[1])), said
    said = "the reference was taken in order in {}: its labels are none of the table's"
    return replace(reference, outcomes=None), pairs, said


def reference_notes(reference: Distribution, role: str, settings: Settings) -> tuple[str, ...]:
    """What is done to the reference that all rows are measured against. Raises DistributionError."""
    if reference.uniform:
        return ()
    side = settings.p if role == "P" else settings.q
    return prepare_one(reference, settings._replace(p=side), REFERENCE).notes


# ------------------------------------------------------------------------------------------------------- all columns


def _prepared(pairs: Pairs, settings: Settings, reference: Distribution | None, remarks: Counter[str]) -> _Sides:
    n = len(pairs.rows)
    if n == 1:
        return _prepared_alone(pairs, settings, reference, remarks)
    concerned: dict[str, Mask] = {}
    weights, logs, labels, doubtful = _as_read(pairs, settings, reference, concerned)
    joined = _aligned(weights, logs, labels, settings, concerned, n)
    if joined is None:
        return _Sides(weights[0], weights[1], np.ones(n, dtype=bool))
    aligned, outcomes = joined
    for i, (side, role) in enumerate(zip((settings.p, settings.q), _ROLES, strict=True)):
        if aligned is not weights:
            doubtful |= ~aligned[i].any(axis=0)
        if side.smoothing is not None:
            _, aligned[i] = smoothed(aligned[i], side.smoothing, settings)
            logs[i] = None
            concerned[f"{role} was smoothed by {side.smoothing} in {{}}"] = np.ones(n, dtype=bool)
        if side != _PLAIN or aligned is not weights:
            doubtful |= ~(np.isfinite(aligned[i]).all(axis=0) & aligned[i].any(axis=0))
    # Of a column that is no pair nothing is said but what is wrong with it.
    some = bool(doubtful.any())
    for sentence, which in concerned.items():
        remarks[sentence] += int(np.count_nonzero(which & ~doubtful if some else which))
    return _Sides(aligned[0], aligned[1], doubtful, (logs[0], logs[1]), outcomes)


def _as_read(
    pairs: Pairs, settings: Settings, reference: Distribution | None, concerned: dict[str, Mask]
) -> tuple[list[Array], list[LogWeights | None], list[tuple[str, ...] | None], Mask]:
    """The weights, logarithms and labels of P and of Q, and which columns may be no pair. Where Q is none P is it."""
    n = len(pairs.rows)
    weights: list[Array] = []
    logs: list[LogWeights | None] = []
    labels: list[tuple[str, ...] | None] = []
    doubtful = np.zeros(n, dtype=bool)
    for given, of, side, role in zip((pairs.p, pairs.q), pairs.labels, (settings.p, settings.q), _ROLES, strict=True):
        if given is None and reference is None and weights:  # P alone
            read, doubt, log = weights[0], doubtful, logs[0]
            labels.append(labels[0])
        elif given is None and reference is not None:
            read, doubt, _, log = _as_weights(reference.values.reshape(-1, 1), of_side(side, reference), settings)
            labels.append(None if reference.outcomes is None else tuple(reference.outcomes))
        else:
            read, doubt, said, log = _as_weights(np.empty((0, n)) if given is None else given, side, settings)
            concerned |= {f"{role} {sentence}": which for sentence, which in said.items()}
            labels.append(of)
        weights.append(read)
        logs.append(log)
        doubtful |= doubt
    return weights, logs, labels, doubtful


def _prepared_alone(pairs: Pairs, settings: Settings, reference: Distribution | None, remarks: Counter[str]) -> _Sides:
    """One column with the digits it has among others: NumPy adds up a single one in another order."""
    p, q = (None if side is None else np.repeat(side, 2, axis=1) for side in (pairs.p, pairs.q))
    twice: Counter[str] = Counter()
    sides = _prepared(replace(pairs, rows=np.repeat(pairs.rows, 2), p=p, q=q), settings, reference, twice)
    remarks.update({sentence: count // 2 for sentence, count in twice.items()})
    first = np.zeros(1, dtype=np.intp)
    logs = taken_logs(sides.logs, first)
    return _Sides(sides.p[:, :1], sides.q[:, :1], sides.doubtful[:1], logs, sides.outcomes)


def _as_weights(
    values: Array, side: Side, settings: Settings
) -> tuple[Array, Mask, dict[str, Mask], LogWeights | None]:
    """Weights, which columns may be none, what was done to which, and the logarithms that the weights were made of."""
    n = values.shape[1]
    if len(values) == 0:
        return values, np.ones(n, dtype=bool), {}, None
    read = read_columns(values, side.read_as, settings)
    said: dict[str, Mask] = {}
    if side.read_as == "logits":
        at = f" at temperature {shown(settings.temperature)}" if settings.temperature != 1 else ""
        said[f"was made by softmax in {{}}{at}"] = np.ones(n, dtype=bool)
        return read.weights, read.doubtful, said, read.logs
    if side.read_as == "logprobs":
        said["was made of log-probabilities in {}"] = np.ones(n, dtype=bool)
    if settings.normalize:
        said["did not sum to 1 in {}; divided by its sum"] = read.off
    else:
        said["did not sum to 1 in {} and was not normalised; these results need not be divergences"] = read.off
    return read.weights, read.doubtful, said, read.logs


def _aligned(
    weights: list[Array],
    logs: list[LogWeights | None],
    labels: list[tuple[str, ...] | None],
    settings: Settings,
    concerned: dict[str, Mask],
    n: int,
) -> tuple[list[Array], Sequence[str] | None] | None:
    """Both sides' weights on the same outcomes, these, and in place their logarithms; None where they cannot be."""
    of_p, of_q = labels
    if of_p is None or of_q is None or of_p == of_q:
        return (weights, of_p or of_q) if len(weights[0]) == len(weights[1]) else None
    try:
        joined = join((of_p, of_q), _ROLES, settings.align)
    except DistributionError:
        return None
    for role, missing in zip(_ROLES, joined.lacking, strict=True):
        other = "Q" if role == "P" else "P"
        what = f"these of {other} were dropped" if settings.align == "inner" else "weight 0 there"
        if missing:
            concerned[f"{role} lacks labels of {other} in {{}}; {what}"] = np.ones(n, dtype=bool)
    logs[:] = [
        side and side._replace(values=pick(side.values, at, -inf)) for side, at in zip(logs, joined.at, strict=True)
    ]
    return [pick(side, at) for side, at in zip(weights, joined.at, strict=True)], joined.outcomes


def _measured(
    pairs: Pairs,
    sides: _Sides,
    settings: Settings,
    names: Sequence[str],
    reference: Distribution | None,
    places: Array | None,
) -> tuple[dict[str, Array], list[Failure]]:
    """The measures of all columns: the doubtful ones alone, the rest together. places: as `measure` takes them."""
    n = len(pairs.rows)
    p, q, doubtful, logs, _ = sides
    failures = []
    if doubtful.any():
        values = {name: np.full(n, np.nan) for name in names}
        for column in np.flatnonzero(doubtful).tolist():
            alone = _alone(pairs, column, settings, names, reference)
            if isinstance(alone, Failure):
                failures.append(alone)
            else:
                for name in names:
                    values[name][column] = alone[name]
        sound = np.flatnonzero(~doubtful)
        if len(sound) == 0:
            return values, failures
        p, q = (side[:, sound] if side.shape[1] == n else side for side in (p, q))
        logs = taken_logs(logs, sound)
    else:
        sound = None
    shape = len(p), n if sound is None else len(sound)
    p, q = np.broadcast_to(p, shape), np.broadcast_to(q, shape)
    found = score(p, q, names, logs=logs, **measure_options(settings, places))
    for name, value in found.items():
        unit = unit_of(name, settings)
        if unit != 1:
            np.divide(value, unit, out=value)
        if sound is not None:
            values[name][sound] = value
    return (found if sound is None else values), failures


# ------------------------------------------------------------------------------------------------------- one column


def _alone(
    pairs: Pairs, column: int, settings: Settings, names: Sequence[str], reference: Distribution | None
) -> dict[str, float] | Failure:
    """The measures of one pair as `compare` has them, or what is wrong with it."""
    lines = [pairs.where(0 if pairs.p is not None else 1, column, 0)[0]]

    def side(which: int, given: Array | None) -> Distribution:
        def where(i: int) -> str:
            line, name = pairs.where(which, column, i)
            lines.append(line)
            return name

        if given is None and reference is not None:
            return reference
        values = frozen(np.empty(0) if given is None else given[:, column])
        return Distribution(_ROLES[which], "", values, where, pairs.labels[which])

    if pairs.q is None and reference is None:
        try:
            return measures_of(prepare_one(side(0, pairs.p), settings, "P"), names, settings)
        except DistributionError as error:
            return Failure(int(pairs.rows[column]), lines[-1], str(error), DistributionError)
    roles = (REFERENCE if pairs.p is None else "P", REFERENCE if pairs.q is None else "Q")
    try:
        pair = prepare_pair(side(0, pairs.p), side(1, pairs.q), settings, roles)
    except DistributionError as error:
        return Failure(int(pairs.rows[column]), lines[-1], str(error), DistributionError)
    return measures_of(pair, names, settings)


def without(scored: Scored, rows: npt.NDArray[np.intp]) -> Scored:
    """The block without some of its rows."""
    kept = np.ones(scored.size, dtype=bool)
    kept[rows] = False
    left = np.flatnonzero(kept)
    return Scored(
        len(left),
        tuple(column._replace(cells=taken(column.cells, left)) for column in scored.kept),
        {name: values[left] for name, values in scored.values.items()},
        (),
        scored.remarks,
    )
