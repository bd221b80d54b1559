"""Which candidate is nearest to P."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klcli.analyses.compare import measured
from klcli.analyses.prepare import prepare_pair

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.model import Distribution, Report, Settings

NEAREST = "kl_pq"


def rank(
    p: Distribution, candidates: Sequence[Distribution], settings: Settings, names: Sequence[str], by: str
) -> list[Report]:
    """A report for each candidate, by the measure `by`, smallest first; equal ones as given."""
    wanted = list(dict.fromkeys([*names, by]))
    reports = []
    for i, q in enumerate(candidates):
        role = "Q" if len(candidates) == 1 else f"Q{i + 1}"
        pair = prepare_pair(p, q, settings, ("P", role))
        reports.append(measured(pair, settings, wanted, None, q.name))
    return sorted(reports, key=lambda report: report.measures[by])
