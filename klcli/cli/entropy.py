"""`klcli entropy`."""

from typing import Annotated

import typer

from klcli.cli.formulas import formulas, no_outcomes
from klcli.cli.options import BrokenDown, Chosen, Maths, Sampled, SingleMeasured, grouped, one_of, piped
from klcli.cli.output import MeasuresRequest
from klcli.engine.measures import SINGLE, SINGLE_ELEMENTS

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
    p = p or piped("P...")
    settings = maths.settings()
    columns = ["outcome", *SINGLE_ELEMENTS]
    request = MeasuresRequest(shape, measured.measures, SINGLE, SINGLE, extra=["name"], elements=columns)
    shown, others = request.shown, request.gates.fields
    wanted, top = request.outcomes_shown(shape)
    sort = None if shape.sort is None else one_of("--sort", shape.sort, columns)
    arguments = inputs.arguments()
    roles = ["P"] if len(p) == 1 else [f"P{i}" for i in range(1, len(p) + 1)]
    together = formulas(arguments, list(zip(p, roles, strict=True)))

    from klcli.renderers.distributions import Entropies

    if together is not None:
        no_outcomes(shape, request.fields)

        from klcli.analyses.parametric import Asked
        from klcli.analyses.parametric import entropy as of_formula

        asked = Asked(shown, others, sampled.sampling())
        return request.deliver(
            Entropies(
                [of_formula(one, settings, asked) for one in together], settings, request.format_name, request.fields
            )
        )
    sampled.refuse()
    arguments.expect(p)
    given = [(one, role) for text, role in zip(p, roles, strict=True) for one in arguments.every(text, role)]
    several = len(given) > len(p)
    read = arguments.all_of([one for one, _ in given])

    from klcli.analyses.breakdown import Shown
    from klcli.analyses.entropy import CONTRIBUTION
    from klcli.analyses.entropy import entropy as of_weights

    rows = Shown(CONTRIBUTION, top, sort) if wanted else None
    called = [one.name if several else role for one, (_, role) in zip(read, given, strict=True)]
    reports = [of_weights(one, settings, shown, others, rows, name) for one, name in zip(read, called, strict=True)]
    return request.deliver(Entropies(reports, settings, request.format_name, request.fields))
