"""From distributions as given to weights: read as, softmax, aligned, smoothed. Everything done is said in a note."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import fsum, inf, isfinite
from typing import TYPE_CHECKING
from unicodedata import normalize

import numpy as np

from klcli.engine.weights import SMOOTHERS, logsumexp, mass, shrinkage_rate, softmax
from klcli.errors import DistributionError, UsageError, clipped, listed, typed
from klcli.model import Input, Pair, Smoothed, frozen
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from klcli.engine.log_pair import LogWeights
    from klcli.model import Array, Distribution, Settings, Side, Smoothing

    Indices = npt.NDArray[np.intp]

SUM_TOLERANCE = 1e-9
"""A sum this near to 1 is 1: more would be a difference, not the rounding of decimals."""

_MANY = 10_000
"""From here on adding up with a single rounding would be felt."""

LOG_SUM_TOLERANCE = 1e-6
"""Log-probabilities come rounded from float32 programs as often as not."""


class _Prepared(NamedTuple):
    """One side: its weights, what was done to get them, and what the user should know.

    logs: (K,), of which the weights were made; None where they were made of no logarithms.
    """

    weights: Array
    done: tuple[str, ...]
    notes: tuple[str, ...]
    logs: Array | None = None


class _Check(NamedTuple):
    """A value that cannot stand: which ones, and what to say of the first."""

    fails: Callable[[Array], npt.NDArray[np.bool_]]
    complaint: str


_NAN = _Check(np.isnan, "NaN is no {kind}")
_INFINITE = _Check(np.isposinf, "inf is no {kind}: it must be finite")
_NEGATIVE = _Check(lambda v: v < 0, "{value!r} is negative, and no {kind} is; for scores or logits add --as logits")
_BELOW_ZERO = _Check(lambda v: v < 0, "{value!r} is negative, and no {kind} is")
_ABOVE_ONE = _Check(lambda v: v > 1, "{value!r} is above 1, and no {kind} is; for counts drop --as probs")

_KINDS: dict[str, tuple[str, tuple[_Check, ...]]] = {
    "weights": ("weight", (_NAN, _NEGATIVE, _INFINITE)),
    "probs": ("probability", (_NAN, _NEGATIVE, _ABOVE_ONE)),
    "logits": ("logit", (_NAN, _INFINITE)),
    "logprobs": ("log-probability", (_NAN, _INFINITE)),
    "cumulative": ("running total", (_NAN, _BELOW_ZERO, _INFINITE)),
}


def _checked(given: Distribution, read_as: str, role: str) -> Array:
    """The values, each a possible one. Raises DistributionError for the first that is not, and for none at all."""
    values = given.values
    if len(values) == 0:
        message = f"{role} has no values; a distribution has at least one outcome"
        raise DistributionError(message)
    kind, checks = _KINDS[read_as]
    if read_as == "weights" and values.min() >= 0 and values.max() < inf:  # both are NaN where any value is
        return values
    for check in checks:
        bad = np.flatnonzero(check.fails(values))
        if len(bad):
            i = int(bad[0])
            complaint = check.complaint.format(value=float(values[i]), kind=kind)
            message = f"{given.where(i)}: {complaint}"
            raise DistributionError(message)
    return values


def improper(values: Array, read_as: str) -> npt.NDArray[np.bool_]:
    """Which columns hold a value that cannot stand, or none above zero. values: (K, n). Returns (n,)."""
    _, checks = _KINDS[read_as]
    possible = np.isfinite(values) if read_as in {"logits", "logprobs"} else values != 0
    empty = np.logical_not(np.logical_or.reduce(possible, axis=0))
    if read_as == "weights" and values.min(initial=inf) >= 0 and values.max(initial=0) < inf:
        return np.asarray(empty)
    failing = np.logical_or.reduce([np.logical_or.reduce(check.fails(values), axis=0) for check in checks])
    return np.asarray(failing | empty)


class PreparedColumns(NamedTuple):
    """Distributions that are the columns of an array, read as one kind.

    weights: (K, n). doubtful: (n,), which may be none: `prepare_one` alone says whether, and why. wholes: (n,), their
    sums, of log-probabilities the logarithm. off: (n,), which of them are not 1; of logits that means nothing. logs: of
    which the weights were made, None where they were made of no logarithms.
    """

    weights: Array
    doubtful: npt.NDArray[np.bool_]
    wholes: Array
    off: npt.NDArray[np.bool_]
    logs: LogWeights | None = None


def read_columns(values: Array, read_as: str, settings: Settings) -> PreparedColumns:
    """The weights that n columns stand for, as `prepare_one` finds them of one. values: (K, n), K > 0."""
    in_logarithms = read_as == "logprobs"
    totals, fallen = values, None
    if read_as == "cumulative":
        values = np.diff(totals, axis=0, prepend=0.0)
        fallen = improper(totals, read_as) | (values < 0).any(axis=0)
        read_as = "weights"
    wholes = logsumexp(values) if in_logarithms else values.sum(axis=0)
    off = ~(np.abs(wholes) <= LOG_SUM_TOLERANCE if in_logarithms else np.abs(wholes - 1) <= SUM_TOLERANCE)
    # Of positive numbers with finite totals there is nothing to doubt.
    plain = read_as == "weights" and values.min(initial=inf) > 0 and wholes.max(initial=0.0) < inf
    doubtful = np.zeros(values.shape[1], dtype=bool) if plain else improper(values, read_as)
    doubtful = doubtful if fallen is None else doubtful | fallen
    if settings.strict and read_as != "logits":
        doubtful = doubtful | off
    if read_as == "logits":
        weights = softmax(values, settings.temperature)
    elif in_logarithms:
        weights = softmax(values) if settings.normalize else np.exp(values)
        doubtful = doubtful | ~(weights.any(axis=0) & np.isfinite(weights).all(axis=0))
    else:
        weights = values + 0.0 if not plain and np.signbit(values).any() else values  # -0.0 is 0.0
    logs = None
    if settings.normalize and read_as in {"logits", "logprobs"}:
        from klcli.engine.log_pair import LogWeights

        logs = LogWeights(values, settings.temperature if read_as == "logits" else 1.0)
    return PreparedColumns(weights, doubtful, wholes, off, logs)


def _as_weights(given: Distribution, side: Side, settings: Settings, role: str) -> _Prepared:
    """The weights that the values are, and what was done and remarked on the way. Raises DistributionError."""
    values = _checked(given, side.read_as, role)
    read = {"logits": _from_logits, "logprobs": _from_log_probabilities}.get(side.read_as, _from_weights)
    differences: tuple[str, ...] = ()
    if side.read_as == "cumulative":
        values = _increases(values, given)
        differences = (f"{role}: running totals; their differences are the weights",)
    prepared = read(values, settings, role)
    doubts = (never_falls(given.running),) if given.running and side.read_as in {"weights", "probs"} else ()
    done = ("differences of running totals",) if differences else ()
    notes = (*given.remarks, *doubts, *differences, *prepared.notes)
    return prepared._replace(done=(*done, *prepared.done), notes=notes)


def never_falls(running: str) -> str:
    """The note on what seem to be running totals. running: as `Distribution` has it."""
    return f"{running} never falls; if these are running totals add --as cumulative"


def weights_of_totals(given: Distribution, role: str) -> Distribution:
    """Running totals as the weights that they are the totals of. Raises DistributionError where they are none."""
    values = _increases(_checked(given, "cumulative", role), given)
    return replace(given, values=frozen(values), read_as="weights")


def _increases(totals: Array, given: Distribution) -> Array:
    """What running totals, (K,), grow by. Raises DistributionError where they fall."""
    grown = np.diff(totals, prepend=0.0)
    falls = np.flatnonzero(grown < 0)
    if len(falls):
        i = int(falls[0])
        said = f"{given.where(i)}: {float(totals[i])!r} is below {float(totals[i - 1])!r} before it"
        mend = "if these are none drop --as cumulative"
        if _fall(given.outcomes or ()):
            mend = "the labels do not rise: sort the rows by them, as sort -g does"
        message = f"{said}, and running totals never fall; {mend}"
        raise DistributionError(message)
    return grown


def _fall(labels: Sequence[str]) -> bool:
    """Whether labels are numbers that do not rise from one to the next."""
    try:
        keys = [float(label) for label in labels]
    except ValueError:
        return False
    return any(low > high for low, high in pairwise(keys))


def _from_weights(values: Array, settings: Settings, role: str) -> _Prepared:
    if not values.any():
        which = f"all {len(values)} weights are" if len(values) > 1 else "its only weight is"
        message = f"{role}: {which} zero; a distribution needs one above zero"
        raise DistributionError(message)
    weights = values + 0.0 if np.signbit(values).any() else values  # which makes -0.0 0.0
    whole = raw_sum(values)
    if abs(whole - 1) <= SUM_TOLERANCE:
        return _Prepared(weights, (), ())
    if settings.strict:
        message = f"{role} sums to {shown(whole)} and --strict was given; drop --strict to divide by the sum"
        raise DistributionError(message)
    if not settings.normalize:
        return _Prepared(weights, (), ())
    return _Prepared(
        weights, (f"divided by its sum, {shown(whole)}",), (f"{role} sums to {shown(whole)}; divided by its sum",)
    )


def _from_logits(values: Array, settings: Settings, role: str) -> _Prepared:
    if not np.isfinite(values).any():
        message = f"{role}: every logit is -inf; softmax needs a finite one"
        raise DistributionError(message)
    weights = softmax(values, settings.temperature)
    at = f" at temperature {shown(settings.temperature)}" if settings.temperature != 1 else ""
    done = f"softmax of {len(values)} logits{at}"
    return _Prepared(weights, (done,), (f"{role}: {done}",), values)


def _from_log_probabilities(values: Array, settings: Settings, role: str) -> _Prepared:
    if not np.isfinite(values).any():
        message = f"{role}: every log-probability is -inf; one must be finite"
        raise DistributionError(message)
    whole = float(logsumexp(values))
    notes = [f"{role}: log-probabilities exponentiated"]
    if abs(whole) > LOG_SUM_TOLERANCE:
        finding = f"{role}: the log-probabilities' logsumexp is {shown(whole)}, not 0"
        if settings.strict:
            message = f"{finding}, and --strict was given; drop --strict to divide by the sum"
            raise DistributionError(message)
        if settings.normalize:
            notes.append(f"{finding}; divided by their sum")
    weights = softmax(values) if settings.normalize else np.exp(values)
    if not (weights.any() and np.isfinite(weights).all()):
        message = f"{role}: exp of these log-probabilities is beyond what a double holds; drop --no-normalize"
        raise DistributionError(message)
    return _Prepared(weights, ("exponentiated",), tuple(notes), values)


def raw_sum(values: Array) -> float:
    """The sum of the values as given, correctly rounded where there are not too many; for telling, not for dividing."""
    whole = float(values.sum())
    return whole if len(values) > _MANY or not isfinite(whole) else fsum(values.tolist())


def shown(value: float) -> str:
    """A number in a sentence: up to 10 digits, which shows a sum of 1.0000001 as what it is."""
    return f"{value:.10g}" if isfinite(value) else "more than 1.8e308"


# ------------------------------------------------------------------------------------------------------------ alignment


def _refuse_other_rows(p: Distribution, q: Distribution, roles: tuple[str, str]) -> None:
    """Raises DistributionError where P and Q are taken row by row, and a column of keys says that the rows differ."""
    if p.keys is None or q.keys is None or p.keys is q.keys or p.keys[0] != q.keys[0]:
        return
    if p.outcomes is not None and q.outcomes is not None:
        return
    name, of_p, of_q = p.keys[0], p.keys[1]()[:], q.keys[1]()[:]
    at = next((i for i, (a, b) in enumerate(zip(of_p, of_q, strict=False)) if a != b), None)
    if at is not None:
        rows = f"{p.where(at)} and {q.where(at)} would be joined by position, but column {clipped(name)} has"
        mend = f"--label {typed(name or '1')} joins {roles[0]} and {roles[1]} by it, --label none by position"
        message = f"{rows} {clipped(of_p[at])} and {clipped(of_q[at])} there; {mend}"
        raise DistributionError(message)


class _Aligned(NamedTuple):
    """Both sides' weights on the same outcomes. at: where each side has them; None where nothing was moved."""

    p: Array
    q: Array
    outcomes: Sequence[str] | None
    notes: tuple[str, ...]
    at: tuple[Indices, Indices] | None = None


def _align(
    p: Array, q: Array, labels: tuple[Sequence[str] | None, Sequence[str] | None], roles: tuple[str, str], how: str
) -> _Aligned:
    """p and q on the same outcomes, joined by label where both have labels."""
    of_p, of_q = labels
    if of_p is None or of_q is None:
        if len(p) != len(q):
            message = f"{roles[0]} has {len(p)} values, {roles[1]} has {len(q)}; without labels on both they must match"
            raise DistributionError(message)
        notes: tuple[str, ...] = ()
        if of_p is not of_q:
            bare, other = roles if of_p is None else roles[::-1]
            notes = (f"{bare} has no labels; its values were taken in the order of {other}",)
        return _Aligned(p, q, of_p if of_p is not None else of_q, notes)
    if of_p is of_q:
        return _Aligned(p, q, of_p, ())
    of_p, of_q = list(of_p), list(of_q)
    return _Aligned(p, q, of_p, ()) if of_p == of_q else _join((p, q), (of_p, of_q), roles, how)


def _join(
    weights: tuple[Array, Array], labels: tuple[list[str], list[str]], roles: tuple[str, str], how: str
) -> _Aligned:
    """Both sides' weights on the outcomes that `how` says, 0 where a side lacks one."""
    joined = join(labels, roles, how)
    lacking = joined.lacking
    notes = [
        f"{role} lacks {named(missing)}; weight 0 there"
        for role, missing in zip(roles, lacking, strict=True)
        if missing
    ]
    if how == "inner":
        notes = []
        for side in (0, 1):
            dropped = lacking[1 - side]
            if dropped:
                at = {label: i for i, label in enumerate(labels[side])}
                share = float(mass(weights[side])[[at[label] for label in dropped]].sum())
                notes.append(f"{roles[side]}: dropped {named(dropped)}, {share:.4g} of its mass; the other lacks it")
    if not any(lacking):
        notes = [f"the outcomes of {roles[1]} stand in another order; joined by label"]
    notes += nearly_alike(lacking, roles)
    picked = [pick(w, at) for w, at in zip(weights, joined.at, strict=True)]
    for role, side_weights in zip(roles, picked, strict=True):
        if not side_weights.any():
            message = f"{role} has no mass on the labels that both have; try --align outer"
            raise DistributionError(message)
    return _Aligned(picked[0], picked[1], joined.outcomes, tuple(notes), joined.at)


def places_of(outcomes: Sequence[str] | None) -> Array | None:
    """Where the outcomes lie on a line, (K,), if all their labels are numbers; else None: one after the other."""
    try:
        places = np.array([float(label) for label in outcomes or ()])
    except ValueError:
        return None
    return places if len(places) and np.isfinite(places).all() else None


def where_outcomes_lie(places: Array | None) -> str:
    """The note on what wasserstein measures along."""
    where = "at their positions, 1 apart" if places is None else "at the numbers that label them"
    return f"wasserstein: the outcomes lie {where}"


def nearly_alike(lacking: Sequence[Sequence[str]], roles: Sequence[str]) -> list[str]:
    """A note on labels of two sides that differ only in case, in blanks around them, in Unicode form, or as 1 and 01.

    lacking: what each side lacks.
    """
    if not (lacking[0] and lacking[1]):
        return []
    of_p = {_folded(label): label for label in lacking[1]}
    pairs = [(of_p[_folded(label)], label) for label in lacking[0] if _folded(label) in of_p]
    if not pairs:
        return []
    first = " and ".join(f"{_shown(label)} of {role}" for label, role in zip(pairs[0], roles, strict=True))
    more = f", as do {len(pairs) - 1} more" if pairs[1:] else ""
    return [f"{first} differ only in how they are written, and are not joined{more}"]


def _folded(label: str) -> str | float:
    """What is the same in labels that are written alike; of a number its value."""
    try:
        return float(label)
    except ValueError:
        return normalize("NFC", normalize("NFC", label).casefold()).strip()


def _shown(label: str) -> str:
    """A label whose form shows: a letter and its accent apart are escaped."""
    composed = normalize("NFC", label)
    return clipped(label) if label == composed else ascii(label)


class Joined(NamedTuple):
    """The outcomes of a pair joined by label.

    at: where each side has them, -1 where it does not. lacking: the labels that each side lacks of the other's.
    """

    outcomes: list[str]
    at: tuple[Indices, Indices]
    lacking: tuple[list[str], list[str]]


def join(labels: tuple[Sequence[str], Sequence[str]], roles: tuple[str, str], how: str) -> Joined:
    """The outcomes as `how` says: 'outer', 'inner' or 'strict'. Raises DistributionError."""
    at = [{label: i for i, label in enumerate(side)} for side in labels]
    lacking = tuple([label for label in labels[1 - side] if label not in at[side]] for side in (0, 1))
    if how == "strict" and any(lacking):
        said = [f"{role} lacks {named(missing)}" for role, missing in zip(roles, lacking, strict=True) if missing]
        message = f"{'; '.join(said)}, and --align strict was given; --align outer gives weight 0"
        raise DistributionError(message)
    outcomes = [label for label in labels[0] if label in at[1]] if how == "inner" else [*labels[0], *lacking[0]]
    if not outcomes:
        message = f"{roles[0]} and {roles[1]} share no label; {listed(labels[0], 3)} against {listed(labels[1], 3)}"
        raise DistributionError(message)
    of_p, of_q = (np.array([side.get(label, -1) for label in outcomes], dtype=np.intp) for side in at)
    return Joined(outcomes, (of_p, of_q), (lacking[0], lacking[1]))


def pick(weights: Array, at: Indices, none: float = 0.0) -> Array:
    """The weights of the outcomes at those places, `none` where there is none (-1). weights: (K,) or (K, n)."""
    if not len(weights):
        return np.full((len(at), *weights.shape[1:]), none)
    picked: Array = weights[at]
    picked[at < 0] = none
    return picked


def named(labels: Sequence[str], count: int | None = None) -> str:
    """The first three labels in a sentence, quoted, and how many more there are. count: of all, else of `labels`."""
    first = ", ".join(map(clipped, labels[:3]))
    more = (len(labels) if count is None else count) - 3
    return first if more <= 0 else f"{first} and {more} more"


# ------------------------------------------------------------------------------------------------------------ smoothing


def smoothed(weights: Array, smoothing: Smoothing, settings: Settings) -> tuple[Array, Array]:
    """The weights that a method is applied to, and what it makes of them. weights: (K,) or (K, n)."""
    smoother = SMOOTHERS[smoothing.method]
    before = mass(weights) if smoother.of_mass and settings.normalize else weights
    return before, smoother.apply(before, smoothing.value or 0.0)


def _smooth(weights: Array, smoothing: Smoothing, role: str, settings: Settings) -> tuple[Array, Smoothed]:
    before, after = smoothed(weights, smoothing, settings)
    if not np.isfinite(after).all():
        message = f"{role}: {smoothing} makes weights beyond what a double holds; take a smaller value"
        raise DistributionError(message)
    lifted = (weights == 0) & (after > 0)
    return after, Smoothed(role, f"{smoothing} {_effect(smoothing, weights, before, after)}", lifted)


def _effect(smoothing: Smoothing, weights: Array, before: Array, after: Array) -> str:
    """What smoothing did, in a sentence."""
    if smoothing.method == "shrink":
        counts = "" if weights.sum() > 1 else ", which needs counts: these sum to 1 or less"
        return f"mixed in {float(shrinkage_rate(weights)):.4g} of the uniform distribution{counts}"
    added, touched = float(np.maximum(after - before, 0).sum()), int((after != before).sum())
    return f"added {added:.4g} to a sum of {before.sum():.4g}, touching {touched} of {len(after)} outcomes"


# --------------------------------------------------------------------------------------------------------------- whole


def uniform_on(given: Distribution, other: Distribution) -> Distribution:
    """The distribution; if it is the uniform one, on the other's outcomes. Raises UsageError where both are that."""
    if not given.uniform:
        return given
    if other.uniform:
        message = "uniform on both sides has no outcomes; write one of them out, as 1/3,1/3,1/3"
        raise UsageError(message)
    n = len(other.values)
    return replace(given, values=frozen(np.full(n, 1 / max(n, 1))), outcomes=other.outcomes, read_as="weights")


def of_side(side: Side, given: Distribution) -> Side:
    """What is done to a side whose values may be known to be of another kind than the settings say."""
    return side if given.read_as is None else side._replace(read_as=given.read_as)


@np.errstate(all="ignore")  # what overflows is checked for, and said
def prepare_pair(p: Distribution, q: Distribution, settings: Settings, roles: tuple[str, str] = ("P", "Q")) -> Pair:
    """P and Q read, aligned and smoothed as the settings say. Raises DistributionError."""
    p, q = uniform_on(p, q), uniform_on(q, p)
    sides = (of_side(settings.p, p), of_side(settings.q, q))
    read = [_as_weights(*each) for each in zip((p, q), sides, (settings, settings), roles, strict=True)]
    _refuse_other_rows(p, q, roles)
    aligned = _align(read[0].weights, read[1].weights, (p.outcomes, q.outcomes), roles, settings.align)
    notes = tuple(dict.fromkeys(read[0].notes + read[1].notes + aligned.notes))
    weights, logs, smoothed, inputs = [aligned.p, aligned.q], [], [], []
    for i, (given, side, role) in enumerate(zip((p, q), sides, roles, strict=True)):
        done = read[i].done
        if side.smoothing is not None:
            weights[i], what = _smooth(weights[i], side.smoothing, role, settings)
            smoothed.append(what)
            done += (what.text,)
        logs.append(_logs(read[i], side, settings, None if aligned.at is None else aligned.at[i]))
        inputs.append(Input(given.name, given.source, len(given), raw_sum(given.values), side.read_as, done))
    notes += _unnormalized(list(zip(roles, weights, strict=True)), settings)
    one, other = map(frozen, weights)
    told = inputs[0], inputs[1]
    return Pair(one, other, aligned.outcomes, roles, told, notes, tuple(smoothed), (logs[0], logs[1]))


def _logs(read: _Prepared, side: Side, settings: Settings, at: Indices | None) -> LogWeights | None:
    """The logarithms of a side on the outcomes at those places; None where it is to be measured by its weights."""
    if read.logs is None or side.smoothing is not None or not settings.normalize:
        return None
    from klcli.engine.log_pair import LogWeights

    values = read.logs if at is None else pick(read.logs, at, -inf)
    return LogWeights(values.reshape(-1, 1), settings.temperature if side.read_as == "logits" else 1.0)


@np.errstate(all="ignore")
def prepare_one(given: Distribution, settings: Settings, role: str) -> Pair:
    """One distribution, read and smoothed as the settings say: a pair of it with itself."""
    if given.uniform:
        message = (
            f"{role}: uniform is on the outcomes of another side, and here there is none; write it, as 1/3,1/3,1/3"
        )
        raise UsageError(message)
    side = of_side(settings.p, given)
    read = _as_weights(given, side, settings, role)
    weights, done, notes, _ = read
    logs = _logs(read, side, settings, None)
    if settings.p.smoothing is not None:
        weights, what = _smooth(weights, settings.p.smoothing, role, settings)
        notes += (f"{role}: {what.text}",)
        done += (what.text,)
    notes += _unnormalized([(role, weights)], settings)
    same = frozen(weights)
    told = Input(given.name, given.source, len(given), raw_sum(given.values), settings.p.read_as, done)
    return Pair(same, same, given.outcomes, (role, role), (told, told), notes, (), (logs, logs))


def _unnormalized(sides: list[tuple[str, Array]], settings: Settings) -> tuple[str, ...]:
    """The note that weights were taken as they are, where that makes a difference."""
    sums = [f"{role} sums to {w.sum():.10g}" for role, w in sides if abs(w.sum() - 1) > SUM_TOLERANCE]
    if settings.normalize or not sums:
        return ()
    return (f"not normalised: {' and '.join(sums)}; the results need not be divergences and can be negative",)
