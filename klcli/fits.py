"""The types of a fit that pass from stage to stage. As in `model`."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING

from klcli.families.catalogue import CONTINUOUS, COUNTS
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from klcli.families.formula import Component, Formula
    from klcli.model import Array

SORTS = ("aic", "kl", "bic", "ks")
"""What fits to data may be ordered by, least first."""

FORWARD, REVERSE, BOTH = "forward", "reverse", "both"
"""Least KL(target||model), which seeks the mean; least KL(model||target), which seeks a mode."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Data to fit. values: (n,), finite. weights: (n,), how often each occurs, >= 0, not all 0; None: once.

    where(i): the place of value i, for errors. remarks: what should be known of how it was read.
    """

    source: str
    values: Array
    weights: Array | None
    where: Callable[[int], str]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class WeightsOnGrid:
    """Weights at points: (n,) each, the points rising, the weights >= 0 and not all 0. They are divided by their sum.

    Whole points >= 0 are counts to a family of counts. To a density, they are what it left on the points: each has a
    cell that reaches half-way to its neighbours, however far they are.
    """

    source: str
    points: Array
    weights: Array

    @property
    def kind(self) -> str:
        """COUNTS where all points are whole and >= 0, else CONTINUOUS."""
        return COUNTS if bool(((self.points >= 0) & (self.points % 1 == 0)).all()) else CONTINUOUS


class Histogram(NamedTuple):
    """Bins that all families of a ranking share. mass: (m,), the data's share of each bin, sums to 1.

    edges: (m + 1,), rising; the first is -inf or the least value that is possible, the last likewise: tails are bins
    too.
    """

    edges: Array
    mass: Array


class Fit(NamedTuple):
    """One family fitted. kl_data_model, kl_model_data: on the histogram; of a projection from and to the target.

    log_likelihood, aic, bic, ks (Kolmogorov-Smirnov's distance) and standard errors are nan for a projection.
    direction: of a projection, else ''. remarks: 'at a bound', 'did not converge', ...
    kl_error: the standard error of kl_data_model, as the data's shares of the bins vary from sample to sample.
    """

    component: Component
    standard_errors: Mapping[str, float]
    kl_data_model: float
    kl_model_data: float
    log_likelihood: float
    aic: float
    bic: float
    ks: float
    direction: str = ""
    error: float | None = None
    remarks: tuple[str, ...] = ()
    kl_error: float = nan


@dataclass(frozen=True, eq=False)
class FitReport:
    """The answer of `fit`. fits: best first, at least one. sample and histogram: of data. target: of a projection.

    n: the number of values, weighted. left_out: family -> why it was not tried or gave nothing. in_short: family -> the
    same without a place, for people.
    """

    fits: tuple[Fit, ...]
    sample: Sample | None
    histogram: Histogram | None
    target: Formula | None
    n: float
    left_out: Mapping[str, str]
    notes: tuple[str, ...]
    in_short: Mapping[str, str] = field(default_factory=dict)


def reasons(left_out: Mapping[str, str]) -> str:
    """'beta (needs 0 < x < 1), poisson, binomial (need whole numbers from 0)': families of one reason together."""
    together: dict[str, list[str]] = {}
    for family, reason in left_out.items():
        together.setdefault(reason, []).append(family)
    return ", ".join(
        f"{', '.join(names)} ({reason.replace('needs ', 'need ', 1) if len(names) > 1 else reason})"
        for reason, names in together.items()
    )
