"""`klcli rank`."""

from typing import TYPE_CHECKING, Annotated

import typer

from klcli.cli.formulas import formulas
from klcli.cli.options import Chosen, Measured, P, PairMaths, Sampled, Shape, grouped, one_of
from klcli.cli.output import MeasuresRequest
from klcli.engine.measures import MEASURES
from klcli.errors import InputError

DEFAULT = ("kl_pq", "kl_qp", "js_divergence")
if TYPE_CHECKING:  # they import NumPy
    from klcli.model import Distribution
    from klcli.readers.arguments import Arguments

NEAREST = "kl_pq"
ALONE = "P is a formula; give at least one candidate after it"

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
    settings = maths.settings(alpha=measured.alpha)
    request = MeasuresRequest(shape, measured.measures, MEASURES, DEFAULT, extra=["rank", "name"])
    by = NEAREST if shape.sort is None else one_of("--sort", shape.sort, MEASURES)
    shown, gated = request.shown, request.gates.fields
    if shape.sort is not None:
        shown = list(dict.fromkeys([by, *shown]))
    arguments = inputs.arguments()
    others = q or []
    roles = ["P", *(f"Q{i}" if others[1:] else "Q" for i in range(1, len(others) + 1))]
    together = formulas(arguments, list(zip([p, *others], roles, strict=True)), ALONE)

    from klcli.renderers.distributions import Ranking

    if together is not None:
        from klcli.analyses.parametric import Asked
        from klcli.analyses.parametric import rank as rank_formulas

        asked = Asked(shown, [*gated, by], sampled.sampling())
        reports = rank_formulas(together[0], together[1:], settings, asked, by)
    else:
        sampled.refuse()

        from klcli.analyses.rank import rank as rank_weights

        reference, candidates = _of_weights(arguments, p, others, roles)
        reports = rank_weights(reference, candidates, settings, shown, gated, by)
    return request.deliver(Ranking(reports, settings, request.format_name, request.fields))


def _of_weights(
    arguments: "Arguments", p: str, others: list[str], roles: list[str]
) -> "tuple[Distribution, list[Distribution]]":
    """P and the candidates, which may all stand in one file."""
    arguments.expect([p, *others])
    if others:
        reference = arguments.one(p, "P")
        candidates = [one for text, role in zip(others, roles[1:], strict=True) for one in arguments.every(text, role)]
    else:
        reference, *candidates = arguments.every(p, "P")
    if not candidates:
        message = f"{p}: one distribution; rank needs P and at least one candidate"
        raise InputError(message)
    reference, *candidates = arguments.all_of([reference, *candidates])
    return reference, candidates
