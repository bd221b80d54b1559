"""`klcli compare`."""

from klcli.cli.formulas import Q_MISSING, formulas, no_outcomes, pair_of
from klcli.cli.options import BrokenDown, Chosen, Measured, OptionalQ, P, PairMaths, Sampled, grouped, one_of
from klcli.cli.output import MeasuresRequest
from klcli.engine.measures import ELEMENTS, MEASURES, SIX

DEFAULT = (*SIX, "js_divergence", "total_variation")


@grouped
def compare(
    p: P,
    q: OptionalQ = None,
    *,
    inputs: Chosen,
    maths: PairMaths,
    measured: Measured,
    sampled: Sampled,
    shape: BrokenDown,
) -> int:
    """How do P and Q differ, and where? Entropies, cross-entropies, KL both ways, and each outcome's share.

    klcli compare 0.4,0.6 0.3,0.7 -f tsv

    klcli compare cat=1,dog=0 cat=0.7,dog=0.3 -g kl_pq

    klcli compare samples/survey.csv --unit bits
    """
    settings = maths.settings(alpha=measured.alpha)
    columns = ["outcome", *ELEMENTS]
    request = MeasuresRequest(shape, measured.measures, MEASURES, DEFAULT, elements=columns)
    shown, others = request.shown, request.gates.fields
    wanted, top = request.outcomes_shown(shape)
    sort = None if shape.sort is None else one_of("--sort", shape.sort, columns)
    arguments = inputs.arguments()
    together = formulas(arguments, pair_of(p, q), Q_MISSING)

    from klcli.renderers.distributions import Comparison

    if together is not None:
        no_outcomes(shape, request.fields)

        from klcli.analyses.parametric import Asked
        from klcli.analyses.parametric import compare as compare_formulas

        report = compare_formulas(together[0], together[1], settings, Asked(shown, others, sampled.sampling()))
    else:
        sampled.refuse()

        from klcli.analyses.breakdown import Shown
        from klcli.analyses.compare import compare as compare_weights

        reverse = sort == "kl_qp" or ("kl_qp" in shown and "kl_pq" not in shown)
        rows = Shown("kl_qp" if reverse else "kl_pq", top, sort) if wanted else None
        one, other = arguments.two(p, q)
        report = compare_weights(one, other, settings, shown, others, rows)
    return request.deliver(Comparison([report], settings, request.format_name, request.fields))
