"""`klcli fit`: families of distributions fitted to data by maximum likelihood, best first."""

from __future__ import annotations

from math import inf, isfinite, isnan, log, nan
from typing import TYPE_CHECKING

import numpy as np

from klcli.analyses.bins import divergences, histogram, kolmogorov_smirnov, masses
from klcli.errors import DistributionError, UsageError, clipped, listed, nearest
from klcli.families.catalogue import CONTINUOUS_FAMILIES, FAMILIES, FITTED
from klcli.families.family import scipy
from klcli.families.formula import Component, Formula
from klcli.families.law import Law
from klcli.families.likelihood.ascent import NOT_CONVERGED
from klcli.families.likelihood.sorted_sample import SortedSample
from klcli.fits import Fit, FitReport, reasons
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.families.likelihood.ascent import LikelihoodEstimate
    from klcli.fits import Histogram, Sample

_CHANCE = 0.001
"""How seldom data of the family itself differ from it by more than is said to be chance."""

_A_PARAMETER = 10
"""Values a parameter needs, by a rule of thumb; with fewer its error is hardly known."""

_TIED = 1e-9
"""Of an AIC, what is rounding."""

_FEWEST_BINS, _MOST_BINS = 2, 100_000

_SMALL = 1000
"""Whole numbers up to here are taken for counts; a density hardly differs from masses on larger ones."""

_REPEATED = 10
"""Values for each distinct one: larger numbers that occur so often may be counts too."""

_DISPERSED = 10
"""The variance of large counts is at most so many times their mean; that of incomes is thousands of times theirs."""

_ALL_WHOLE = 2.0**53
"""From here on every double is a whole number."""


class Suitable(NamedTuple):
    """Families that suit the data. left_out, in_short: as of a FitReport. counts: the data seem to be counts."""

    families: tuple[str, ...]
    left_out: dict[str, str]
    in_short: dict[str, str]
    counts: bool


def suitable(sample: Sample, *, every: bool = False) -> Suitable:
    """The families that suit the data's range, and unless it is to be every such one also their kind.

    Those that hold another and never fit worse are fitted only where they are named.

    Small or often repeated whole numbers are counts. Others may have been measured, such as incomes: then densities
    suit, and families of counts where the data vary as little as counts do.
    """
    data = SortedSample.of(sample.values, sample.weights)
    counts, both = _kind(data)
    found = Suitable((), {}, {}, counts)
    chosen, of_other_kind = [], []
    for family in (name for name in FITTED if not FAMILIES[name].nests):
        if outside := _first_outside(sample, family):
            found.left_out[family], found.in_short[family] = outside, f"needs {FAMILIES[family].needs}"
        elif every or both or _is_continuous(family) is not counts:
            chosen.append(family)
        else:
            of_other_kind.append(family)
    seem = "the data look like counts" if counts else "the data are whole numbers too large or scattered for counts"
    them = "it" if len(of_other_kind) == 1 else "them"
    reason = f"{seem}; --family {','.join(of_other_kind[:2])} or --family all fits {them} too"
    found.left_out.update(dict.fromkeys(of_other_kind, reason))
    return found._replace(families=tuple(chosen))


def _kind(data: SortedSample) -> tuple[bool, bool]:
    """Whether the data seem to be counts; whether, if they do not, they may be some nevertheless."""
    if data.x[0] < 0 or data.x[-1] >= _ALL_WHOLE or (data.x != np.floor(data.x)).any():
        return False, False
    small = data.x[-1] <= _SMALL or (_REPEATED * len(data.x) <= data.n and data.median <= _SMALL)
    return bool(small), not small and data.variance <= _DISPERSED * data.mean


def _is_continuous(family: str) -> bool:
    return family in CONTINUOUS_FAMILIES


def _first_outside(sample: Sample, family: str) -> str:
    """'PLACE: VALUE is not ...' of the first value that the family cannot have; '' where there is none."""
    inside = FAMILIES[family].holds(sample.values)
    outside = ~inside if sample.weights is None else ~inside & (sample.weights > 0)
    if not outside.any():
        return ""
    i = int(outside.argmax())
    return f"{sample.where(i)}: {sample.values[i]:g} is not {FAMILIES[family].takes}"


def _named(sample: Sample, families: Sequence[str]) -> tuple[str, ...]:
    """The families asked for. Raises UsageError for one that is none, DistributionError for one without such data."""
    for family in families:
        if family not in FITTED:
            known = listed(FITTED, len(FITTED))
            message = f"--family {clipped(family)}: fit has {known}.{nearest(family, FITTED)}"
            raise UsageError(message)
        if outside := _first_outside(sample, family):
            message = f"{outside}, as data of the family {family} are"
            raise DistributionError(message)
    return tuple(dict.fromkeys(families))


def fit(
    sample: Sample,
    families: Sequence[str] | None = None,
    bins: int | None = None,
    *,
    every: bool = False,
    sort: str | None = None,
) -> FitReport:
    """The families fitted, best first; None: those that suit the data. bins: how many; None: as the data need.

    every: without names, all whose range holds the data, also densities to counts. sort: of SORTS; None: by AIC, which
    charges a parameter what it gains by chance (Akaike 1974), or by KL where counts have densities among their fits.

    Raises UsageError for an unknown family, too few bins, or where there is no SciPy; DistributionError for data that a
    family asked for cannot have, or where nothing can be fitted.
    """
    if bins is not None and not _FEWEST_BINS <= bins <= _MOST_BINS:
        message = f"--bins {clipped(str(bins))}: it is auto, or a whole number from {_FEWEST_BINS} to {_MOST_BINS}"
        raise UsageError(message)
    scipy("special", "fit")
    with np.errstate(all="ignore"):
        chosen = suitable(sample, every=every)
        if families is not None:
            chosen = Suitable(_named(sample, families), {}, {}, chosen.counts)
        return _fit(sample, chosen, bins, sort)


def _fit(sample: Sample, chosen: Suitable, bins: int | None, sort: str | None) -> FitReport:
    data = SortedSample.of(sample.values, sample.weights)
    left_out = chosen.left_out
    if not isfinite(float(data.x[-1]) - float(data.x[0])):
        message = f"{sample.source}: the data span more than numbers can hold; scale them"
        raise DistributionError(message)
    shared = histogram(data, bins, counts=chosen.counts)
    fits = []
    for family in chosen.families:
        try:
            estimate = FAMILIES[family].estimate(data)
        except (ArithmeticError, ValueError):  # of numbers at the ends of what a double can hold
            estimate = None
        if estimate is None or not all(map(isfinite, (*estimate.parameters.values(), estimate.log_likelihood))):
            left_out[family] = "its likelihood leaves the range of numbers; scale the data"
            continue
        fits.append(_fitted(family, estimate, data, shared))
    if not fits:
        message = f"{sample.source}: no family could be fitted: {reasons(left_out)}"
        raise DistributionError(message)
    mixed = _of_two_kinds(fits, chosen)
    by = sort or ("kl" if mixed else "aic")
    fits.sort(key=lambda one: (NOT_CONVERGED in one.remarks, *_rank(one, by)))
    return FitReport(
        fits=tuple(fits),
        sample=sample,
        histogram=shared,
        target=None,
        n=data.n,
        left_out=left_out,
        notes=(*sample.remarks, *_notes(fits, sample, shared, data.n), *mixed),
        in_short=chosen.in_short,
    )


def _rank(one: Fit, by: str) -> tuple[float, ...]:
    """What orders the fits; equal ones by KL, then by AIC."""
    kl = inf if isnan(one.kl_data_model) else one.kl_data_model
    of = {"kl": kl, "aic": one.aic, "bic": one.bic, "ks": one.ks}[by]
    return inf if isnan(of) else of, kl, one.aic


def _fitted(family: str, estimate: LikelihoodEstimate, data: SortedSample, shared: Histogram) -> Fit:
    component = Component(family, estimate.parameters)
    law = Law(Formula(family, (component,)))
    apart = divergences(shared.mass, masses(law, shared.edges), data.n)
    parameters, whole = len(estimate.parameters), data.n * float(estimate.log_likelihood)
    return Fit(
        component=component,
        standard_errors=dict.fromkeys(estimate.errors, nan) if NOT_CONVERGED in estimate.remarks else estimate.errors,
        kl_data_model=apart.data_model,
        kl_model_data=apart.model_data,
        log_likelihood=whole,
        aic=2 * parameters - 2 * whole,
        bic=parameters * log(data.n) - 2 * whole,
        ks=kolmogorov_smirnov(data, law, counts=not _is_continuous(family)),
        remarks=estimate.remarks,
        kl_error=apart.error,
    )


class _Noise(NamedTuple):
    """2 n KL of a family, and what it is at most when the data are its own; but for one time in a thousand."""

    found: float
    most: float


def _noise(one: Fit, shared: Histogram, n: float) -> _Noise:
    """Chi-square with a degree a bin but one.

    Parameters fitted to the values, not to the bins, cost between none and one degree each, and none is the safe side.
    Source: Chernoff & Lehmann 1954.
    """
    most = float(scipy("special", "fit").chdtri(max(1, len(shared.mass) - 1), _CHANCE))
    return _Noise(2 * n * one.kl_data_model, most)


def _notes(fits: Sequence[Fit], sample: Sample, shared: Histogram, n: float) -> list[str]:
    best = fits[0]
    noise, notes, name = _noise(best, shared, n), [], best.component.family
    if sample.weights is not None and (sample.weights != np.floor(sample.weights)).any():
        notes.append(
            f"the weights are not whole numbers; errors, AIC and BIC take their sum, {n:g}, for the number of values"
        )
    if n < _A_PARAMETER * max(len(one.component.parameters) for one in fits):
        values = f"{n:g} value{'' if n == 1 else 's'}"
        notes.append(f"sample too small: {values} cannot tell families apart well; take errors and ranks with care")
    if not noise.found <= noise.most:
        chance = f"differs by 2 n KL = {noise.found:.4g} where chance gives up to {noise.most:.4g}"
        near = min(fits, key=lambda one: _rank(one, "kl"))
        if _noise(near, shared, n).found <= noise.most:
            notes.append(f"the best, {name}, {chance}; {near.component.family}, nearest by KL, is within that")
        else:
            notes.append(f"no family describes the data: the best, {name}, {chance}")
    else:
        notes.extend(_alike(best, fits[1:]))
    # A density's likelihood and one of masses have different units.
    of_its_kind = [one for one in fits if _is_continuous(one.component.family) is _is_continuous(name)]
    by_aic = min(of_its_kind, key=lambda one: (NOT_CONVERGED in one.remarks, one.aic))
    if by_aic.aic < best.aic - _TIED * abs(best.aic):
        notes.append(f"by AIC {by_aic.component.family} is best")
    notes.extend(f"{name}: {remark}" for remark in best.remarks)
    return notes


def _of_two_kinds(fits: Sequence[Fit], chosen: Suitable) -> list[str]:
    """What to say of densities beside masses on counts; on large numbers both have nearly the same likelihood."""
    two = len({_is_continuous(one.component.family) for one in fits}) > 1
    return (
        ["AIC, BIC and KS of densities do not compare with those of counts; KL does"] if two and chosen.counts else []
    )


def _alike(best: Fit, others: Sequence[Fit]) -> list[str]:
    """What to say of families that the data do not tell from the best: fewer parameters are then the better choice."""
    alike = [one.component for one in others if one.kl_data_model - best.kl_data_model <= one.kl_error]
    notes = []
    for simpler, more in ((True, " and has fewer parameters"), (False, "")):
        few = len(best.component.parameters)
        names = [one.family for one in alike if (len(one.parameters) < few) is simpler]
        if names:
            verb, also = ("is", more) if len(names) == 1 else ("are", more.replace("has", "have"))
            said = f"{listed(names, len(names))} {verb} no worse than {best.component.family} within the standard error"
            notes.append(said + also)
    return notes
