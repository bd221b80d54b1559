"""`klcli entropy`."""

from typing import Annotated

import typer

from klcli.cli.options import BrokenDown, Chosen, Maths, Sampled, SingleMeasured, grouped, piped
from klcli.cli.output import MeasuresRequest
from klcli.engine.measures import SHOWN_OF_ONE, SINGLE, SINGLE_ELEMENTS, TOGETHER

Distributions = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="P...", help="Numbers, pairs, JSON, FILE[:COLUMN], FILE#/POINTER, - or a formula, as normal(0,1)."
    ),
]


@grouped
def entropy(
    p: Distributions = None,
    *,
    inputs: Chosen,
    maths: Maths,
    measured: SingleMeasured,
    sampled: Sampled,
    shape: BrokenDown,
) -> int:
    """How uncertain is each distribution? Entropy, perplexity, and the self-information of its outcomes.

    klcli entropy 1/8,1/8,1/4,1/2 --unit bits -g entropy

    klcli entropy 6/36,30/36 --unit bits -g elements.self_information

    klcli entropy samples/survey.csv -f tsv
    """
    texts = p or piped("P...")
    settings = maths.settings(alpha=measured.alpha)
    request = MeasuresRequest(
        shape, measured.measures, SINGLE, SHOWN_OF_ONE, besides=[TOGETHER], extra=["name"], elements=SINGLE_ELEMENTS
    )
    given = inputs.arguments(sampled).every(texts)
    asked = request.asked(sampled, given[0])

    from klcli.analyses import entropy as analyses
    from klcli.renderers.distributions import Entropies

    reports = analyses.entropies(given, settings, asked)
    return request.deliver(Entropies(reports, settings, request.format_name, request.fields))
