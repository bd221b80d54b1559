"""Which candidate is nearest to P."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klcli.analyses.compare import compare
from klcli.engine.measures import OF_LIKENESS
from klcli.errors import clipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.model import Asked, Distribution, Report, Settings


def rank(
    p: Distribution, candidates: Sequence[Distribution], settings: Settings, asked: Asked, by: str
) -> list[Report]:
    """A report for each candidate, by the measure `by`, nearest first; equal ones as given. Raises as `compare`."""
    asked = asked._replace(others=[*asked.others, by])
    reports = []
    for i, q in enumerate(candidates, 1):
        role = "Q" if len(candidates) == 1 else f"Q{i}" if q.formula is not None else f"Q{i} ({clipped(q.name)})"
        reports.append(compare(p, q, settings, asked, ("P", role)))
    sign = -1 if by in OF_LIKENESS else 1
    return sorted(reports, key=lambda report: sign * {**report.measures, **report.others}[by])
