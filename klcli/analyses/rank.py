"""Which candidate is nearest to P."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klcli.analyses.compare import measured
from klcli.analyses.prepare import prepare_pair
from klcli.errors import clipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.model import Distribution, Report, Settings


def rank(
    p: Distribution,
    candidates: Sequence[Distribution],
    settings: Settings,
    names: Sequence[str],
    others: Sequence[str],
    by: str,
) -> list[Report]:
    """A report for each candidate, by the measure `by`, smallest first; equal ones as given.

    others: measures to compute besides, for a gate. Raises DistributionError.
    """
    besides = [*others, by]
    reports = []
    for i, q in enumerate(candidates):
        roles = ("P", "Q" if len(candidates) == 1 else f"Q{i + 1} ({clipped(q.name)})")
        reports.append(measured(prepare_pair(p, q, settings, roles), settings, names, besides, None))
    return sorted(reports, key=lambda report: {**report.measures, **report.others}[by])
