"""Maximum likelihood of densities f((x - mu)/scale)/scale, over mu, log scale and what else f has."""

from __future__ import annotations

from math import exp, log
from typing import TYPE_CHECKING

import numpy as np

from klcli.families.likelihood.ascent import LikelihoodEstimate, ascend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from klcli.families.likelihood.ascent import Objective, Top
    from klcli.families.likelihood.sorted_sample import SortedSample

FEW = 4096
"""Quantiles to start from."""

LEAST_LOG_SCALE = -30.0
"""In units of the data's spread: a density that runs up at one value often repeated."""


def top_of(
    objective: Callable[[SortedSample], Objective],
    data: SortedSample,
    start: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
) -> Top:
    """The top for (x - median)/spread, between bounds. objective: data -> what is to be maximised."""
    scaled = data.shifted(data.median, data.spread)
    point, least, most = np.array(start), np.array(low), np.array(high)
    few = scaled.thinned(FEW)
    if few is not scaled:
        point = ascend(objective(few), point, least, most, located=True).point
    return ascend(objective(scaled), point, least, most, located=True)


def placed(data: SortedSample, top: Top) -> LikelihoodEstimate:
    """mu and scale in the data's own units, from mu and log scale in units of their spread."""
    spread = data.spread
    mu_error, log_error = np.sqrt(np.diag(top.covariance(data.n)))[:2].tolist()
    scale = spread * exp(top.point[1])
    return LikelihoodEstimate(
        {"mu": data.median + spread * float(top.point[0]), "scale": scale},
        {"mu": spread * mu_error, "scale": scale * log_error},
        top.value - log(spread),
        (*(["scale at a bound"] if top.bound[1] else []), *top.remarks),
    )
