"""`klcli kl`."""

from klcli.cli.formulas import Q_MISSING, formulas, pair_of
from klcli.cli.options import Chosen, OptionalQ, Output, P, PairMaths, Sampled, grouped
from klcli.cli.output import Request

FIELD = "kl_pq"


@grouped
def kl(p: P, q: OptionalQ = None, *, inputs: Chosen, maths: PairMaths, sampled: Sampled, output: Output) -> int:
    """KL(P||Q) and nothing else: one number, full precision.

    klcli kl 0.4,0.6 0.3,0.7

    klcli kl 9/25,12/25,4/25 1/3,1/3,1/3 --unit bits

    klcli kl samples/survey.csv --fail-above kl_pq=0.1
    """
    settings = maths.settings()
    request = Request(output, "value", [FIELD], [FIELD])
    arguments = inputs.arguments()
    together = formulas(arguments, pair_of(p, q), Q_MISSING)
    if together is None:
        sampled.refuse()

        from klcli.analyses.compare import compare

        one, other = arguments.two(p, q)
        report = compare(one, other, settings, [FIELD], [], None)
    else:
        from klcli.analyses.parametric import Asked
        from klcli.analyses.parametric import compare as compare_formulas

        report = compare_formulas(together[0], together[1], settings, Asked([FIELD], [], sampled.sampling()))

    from klcli.renderers.distributions import Comparison

    return request.deliver(Comparison([report], settings, request.format_name, request.fields))
