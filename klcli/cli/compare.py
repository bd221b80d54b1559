"""`klcli compare`."""

from klcli.cli.options import BrokenDown, Chosen, Measured, OptionalQ, P, PairMaths, Sampled, grouped
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
    settings = maths.settings(alpha=measured.alpha, js_weight=measured.js_weight)
    request = MeasuresRequest(shape, measured.measures, MEASURES, DEFAULT, elements=ELEMENTS)
    one, other = inputs.arguments(sampled).pair(p, q)
    asked = request.asked(sampled, one)

    from klcli.analyses import compare as analyses
    from klcli.renderers.distributions import Comparison

    report = analyses.compare(one, other, settings, asked)
    return request.deliver(Comparison([report], settings, request.format_name, request.fields))
