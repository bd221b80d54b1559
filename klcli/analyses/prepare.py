"""From distributions as given to weights: read as, softmax, aligned, smoothed. Everything done is said in a note."""

from __future__ import annotations

from math import fsum, inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from klcli.engine.weights import SMOOTHERS, logsumexp, mass, softmax
from klcli.errors import DistributionError, clipped, listed
from klcli.model import Input, Pair, Smoothed, frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from klcli.model import Array, Distribution, Settings, Side, Smoothing

SUM_TOLERANCE = 1e-9
"""A sum this near to 1 is 1: more would be a difference, not the rounding of decimals."""

LOG_SUM_TOLERANCE = 1e-6
"""Log-probabilities come rounded from float32 programs as often as not."""


class _Prepared(NamedTuple):
    """One side: its weights, what was done to get them, and what the user should know."""

    weights: Array
    done: tuple[str, ...]
    notes: tuple[str, ...]


class _Check(NamedTuple):
    """A value that cannot stand: which ones, and what to say of the first."""

    fails: Callable[[Array], npt.NDArray[np.bool_]]
    complaint: str


_NAN = _Check(np.isnan, "NaN is no {kind}")
_INFINITE = _Check(np.isposinf, "inf is no {kind}: it must be finite")
_NEGATIVE = _Check(lambda v: v < 0, "{value!r} is negative, and no {kind} is; for scores or logits add --as logits")
_ABOVE_ONE = _Check(lambda v: v > 1, "{value!r} is above 1, and no {kind} is; for counts drop --as probs")

_KINDS: dict[str, tuple[str, tuple[_Check, ...]]] = {
    "weights": ("weight", (_NAN, _NEGATIVE, _INFINITE)),
    "probs": ("probability", (_NAN, _NEGATIVE, _ABOVE_ONE)),
    "logits": ("logit", (_NAN, _INFINITE)),
    "logprobs": ("log-probability", (_NAN, _INFINITE)),
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


def _as_weights(given: Distribution, side: Side, settings: Settings, role: str) -> _Prepared:
    values = _checked(given, side.read_as, role)
    if side.read_as == "logits":
        return _from_logits(values, settings, role)
    if side.read_as == "logprobs":
        return _from_log_probabilities(values, settings, role)
    if not values.any():
        message = f"{role}: all {len(values)} weights are zero; a distribution needs one above zero"
        raise DistributionError(message)
    return _from_weights(values, settings, role)


def _from_weights(values: Array, settings: Settings, role: str) -> _Prepared:
    weights = values if values.min() > 0 else values + 0.0  # which makes -0.0 0.0
    weights.setflags(write=False)
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
    return _Prepared(weights if settings.normalize else mass(weights), (done,), (f"{role}: {done}",))


def _from_log_probabilities(values: Array, settings: Settings, role: str) -> _Prepared:
    if not np.isfinite(values).any():
        message = f"{role}: every log-probability is -inf; one must be finite"
        raise DistributionError(message)
    whole = logsumexp(values)
    notes = [f"{role}: log-probabilities exponentiated"]
    if abs(whole) > LOG_SUM_TOLERANCE:
        finding = f"{role}: the log-probabilities' logsumexp is {shown(whole)}, not 0"
        if settings.strict:
            message = f"{finding}, and --strict was given; drop --strict to divide by the sum"
            raise DistributionError(message)
        if settings.normalize:
            notes.append(f"{finding}; divided by their sum")
    weights = softmax(values) if settings.normalize else np.exp(values)
    return _Prepared(weights, ("exponentiated",), tuple(notes))


def raw_sum(values: Array) -> float:
    """The sum of the values as given, correctly rounded where there are not too many; for telling, not for dividing."""
    if len(values) > 10_000 or not np.isfinite(values.sum()):  # noqa: PLR2004 - where fsum would be felt
        return float(values.sum())
    try:
        return fsum(values.tolist())
    except OverflowError:
        return inf


def shown(value: float) -> str:
    """A number in a sentence: up to 10 digits, which shows a sum of 1.0000001 as what it is."""
    return f"{value:.10g}"


# ------------------------------------------------------------------------------------------------------------ alignment


class _Aligned(NamedTuple):
    p: Array
    q: Array
    outcomes: Sequence[str] | None
    notes: tuple[str, ...]


def _align(p: Array, q: Array, labels: tuple[Sequence[str] | None, Sequence[str] | None], how: str) -> _Aligned:
    """P and q on the same outcomes, joined by label where both have labels."""
    of_p, of_q = labels
    if of_p is None or of_q is None:
        if len(p) != len(q):
            message = f"P has {len(p)} values, Q has {len(q)}; without labels on both the lengths must match"
            raise DistributionError(message)
        notes: tuple[str, ...] = ()
        if of_p is not of_q:
            bare, other = ("P", "Q") if of_p is None else ("Q", "P")
            notes = (f"{bare} has no labels; its values were taken in {other}'s order",)
        return _Aligned(p, q, of_p if of_p is not None else of_q, notes)
    if of_p is of_q or (len(of_p) == len(of_q) and list(of_p) == list(of_q)):
        return _Aligned(p, q, of_p, ())
    return _join(p, q, list(of_p), list(of_q), how)


def _join(p: Array, q: Array, of_p: list[str], of_q: list[str], how: str) -> _Aligned:
    at_p, at_q = ({label: i for i, label in enumerate(labels)} for labels in (of_p, of_q))
    only_p = [label for label in of_p if label not in at_q]
    only_q = [label for label in of_q if label not in at_p]
    notes = []
    if not only_p and not only_q:
        notes.append("Q's outcomes stand in another order; joined by label")
    if how == "strict" and (only_p or only_q):
        lacking = "; ".join(
            f"{role} lacks {named(missing)}" for role, missing in (("Q", only_p), ("P", only_q)) if missing
        )
        message = f"{lacking}, and --align strict was given; --align outer gives weight 0"
        raise DistributionError(message)
    if how == "inner":
        outcomes = [label for label in of_p if label in at_q]
        if not outcomes:
            message = f"P and Q share no label; P has {listed(of_p, 3)}, Q has {listed(of_q, 3)}"
            raise DistributionError(message)
        for role, missing, weights, at in (("P", only_p, p, at_p), ("Q", only_q, q, at_q)):
            if missing:
                share = float(mass(weights)[[at[label] for label in missing]].sum())
                notes.append(f"{role}: dropped {named(missing)}, {share:.4g} of its mass, which the other lacks")
    else:
        outcomes = of_p + only_q
        notes += [f"{role} lacks {named(m)}; weight 0 there" for role, m in (("Q", only_p), ("P", only_q)) if m]
    picked = [
        np.array([weights[at[label]] if label in at else 0.0 for label in outcomes])
        for weights, at in ((p, at_p), (q, at_q))
    ]
    for role, weights in zip("PQ", picked, strict=True):
        if not weights.any():
            message = f"{role} has no mass on the labels that both have; try --align outer"
            raise DistributionError(message)
    return _Aligned(picked[0], picked[1], outcomes, tuple(notes))


def named(labels: Sequence[str], count: int | None = None) -> str:
    """The first three labels in a sentence, quoted, and how many more there are. count: of all, else of `labels`."""
    first = ", ".join(map(clipped, labels[:3]))
    more = (len(labels) if count is None else count) - 3
    return first if more <= 0 else f"{first} and {more} more"


# ------------------------------------------------------------------------------------------------------------ smoothing


def _smooth(weights: Array, smoothing: Smoothing, role: str, settings: Settings) -> tuple[Array, Smoothed]:
    smoother = SMOOTHERS[smoothing.method]
    p = mass(weights) if settings.normalize else weights
    after = smoother.apply(weights, p, smoothing.value or 0.0)
    before = weights if smoother.takes == "ALPHA" or smoothing.method in {"laplace", "jeffreys", "perks"} else p
    added = float(np.maximum(after - before, 0).sum())
    touched, lifted = int((after != before).sum()), (weights == 0) & (after > 0)
    text = (
        f"{smoothing} added {added:.4g} to a sum of {float(before.sum()):.4g}, touching {touched} of {len(p)} outcomes"
    )
    return after, Smoothed(role, text, lifted)


# --------------------------------------------------------------------------------------------------------------- whole


def prepare_pair(p: Distribution, q: Distribution, settings: Settings, roles: tuple[str, str] = ("P", "Q")) -> Pair:
    """P and Q read, aligned and smoothed as the settings say. Raises DistributionError."""
    one = _as_weights(p, settings.p, settings, roles[0])
    two = _as_weights(q, settings.q, settings, roles[1])
    aligned = _align(one.weights, two.weights, (p.outcomes, q.outcomes), settings.align)
    weights, smoothed = [aligned.p, aligned.q], []
    for i, (side, role) in enumerate(zip((settings.p, settings.q), roles, strict=True)):
        if side.smoothing is not None:
            weights[i], what = _smooth(weights[i], side.smoothing, role, settings)
            smoothed.append(what)
    inputs = tuple(
        _input(given, side.read_as, prepared, [s.text for s in smoothed if s.role == role])
        for given, side, prepared, role in zip((p, q), (settings.p, settings.q), (one, two), roles, strict=True)
    )
    notes = one.notes + two.notes + aligned.notes
    if not settings.normalize:
        sums = " and ".join(f"{role} sums to {w.sum():.4g}" for role, w in zip(roles, weights, strict=True))
        notes += (f"not normalised: {sums}; the results need not be divergences and can be negative",)
    return Pair(
        frozen(weights[0]), frozen(weights[1]), aligned.outcomes, (inputs[0], inputs[1]), notes, tuple(smoothed)
    )


def prepare_one(given: Distribution, settings: Settings, role: str) -> Pair:
    """One distribution, read and smoothed as the settings say: a pair of it with itself."""
    prepared = _as_weights(given, settings.p, settings, role)
    weights, notes, done = prepared.weights, prepared.notes, []
    if settings.p.smoothing is not None:
        weights, what = _smooth(weights, settings.p.smoothing, role, settings)
        notes += (f"{role}: {what.text}",)
        done.append(what.text)
    if not settings.normalize:
        notes += (f"not normalised: {role} sums to {weights.sum():.4g}; the results need not be entropies",)
    same = frozen(weights)
    told = _input(given, settings.p.read_as, prepared, done)
    return Pair(same, same, given.outcomes, (told, told), notes)


def _input(given: Distribution, read_as: str, prepared: _Prepared, smoothed: list[str]) -> Input:
    done = (*prepared.done, *smoothed)
    return Input(given.name, given.source, len(given), raw_sum(given.values), read_as, done)
