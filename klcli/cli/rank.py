"""`klcli rank`."""

from typing import Annotated

import typer

from klcli.cli.options import Chosen, Measured, P, PairMaths, Sampled, Shape, grouped
from klcli.cli.output import MeasuresRequest
from klcli.engine.measures import MEASURES

DEFAULT = ("kl_pq", "kl_qp", "js_divergence")
NEAREST = "kl_pq"

Candidates = Annotated[
    list[str] | None,
    typer.Argument(metavar="[Q]...", help="The candidates; left out when P is a file whose first distribution is P."),
]


@grouped
def rank(
    p: P,
    q: Candidates = None,
    *,
    inputs: Chosen,
    maths: PairMaths,
    measured: Measured,
    sampled: Sampled,
    shape: Shape,
) -> int:
    """Which candidate fits P best? The Qs by KL(P||Q), nearest first.

    klcli rank 0.4,0.6 0.3,0.7 0.2,0.8 -f tsv -m kl_pq

    klcli rank samples/models.csv -g name

    klcli rank samples/models.csv --sort js_distance -m js_distance
    """
    settings = maths.settings(alpha=measured.alpha, js_weight=measured.js_weight)
    request = MeasuresRequest(shape, measured.measures, MEASURES, DEFAULT, extra=["rank", "name"])
    reference, candidates = inputs.arguments(sampled).candidates(p, q or [])
    asked = request.asked(sampled, reference)
    if request.sort is not None:
        asked = asked._replace(names=list(dict.fromkeys([request.sort, *asked.names])))

    from klcli.analyses import rank as analyses
    from klcli.renderers.distributions import Ranking

    reports = analyses.rank(reference, candidates, settings, asked, request.sort or NEAREST)
    return request.deliver(Ranking(reports, settings, request.format_name, request.fields))
