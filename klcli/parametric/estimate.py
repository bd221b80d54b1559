"""What an estimator finds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Estimate(NamedTuple):
    """Parameters of a family, with standard errors (nan: there is none); log_likelihood: the mean of one value's."""

    parameters: Mapping[str, float]
    errors: Mapping[str, float]
    log_likelihood: float
    remarks: tuple[str, ...] = ()
