"""`klcli kl`."""

from klcli.cli.options import Chosen, OptionalQ, Output, P, PairMaths, Sampled, grouped
from klcli.cli.output import Request
from klcli.model import Asked

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
    one, other = inputs.arguments(sampled).pair(p, q)
    asked = Asked([FIELD], sampling=sampled.sampling())

    from klcli.analyses.compare import compare
    from klcli.renderers.distributions import Comparison

    report = compare(one, other, settings, asked)
    return request.deliver(Comparison([report], settings, request.format_name, request.fields))
