"""`klcli compare`."""

from klcli.cli.formulas import no_outcomes, sampling, two_formulas, weights_alone, with_errors
from klcli.cli.options import BrokenDown, Chosen, Measured, OptionalQ, P, PairMaths, Sampled, grouped, names, one_of
from klcli.cli.output import Gates, chosen_fields, deliver, format_of, rows_shown
from klcli.engine.measures import ELEMENTS, MEASURES, SIX
from klcli.model import ELEMENTS as ELEMENT_FIELDS
from klcli.model import Answer

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
    fields = chosen_fields(shape, MEASURES, ["outcome", *ELEMENTS])
    gates = Gates(shape.fail_above, MEASURES)
    asked = names("--measures", measured.measures, MEASURES)
    format_name = format_of(shape)
    wanted, top = rows_shown(shape, format_name, fields)
    sort = None if shape.sort is None else one_of("--sort", shape.sort, ["outcome", *ELEMENTS])

    from klcli.readers.arguments import Arguments

    arguments = Arguments(inputs.checked_format(), inputs.choices(), inputs.dialect())
    got = [field for field in fields if not field.startswith(ELEMENT_FIELDS)]
    shown = list(dict.fromkeys([*(asked or got or DEFAULT), *got]))
    formulas = two_formulas(arguments, p, q)
    if formulas is not None:
        no_outcomes(shape, fields)

        from klcli.analyses.parametric import Asked
        from klcli.analyses.parametric import compare as analyse_formulas

        report = analyse_formulas(*formulas, settings, Asked(shown, gates.fields, sampling(sampled)))
        answer = with_errors(Answer("compare", (report,), settings, report.notes), format_name, fields)
        return deliver(answer, shape, format_name, fields, gates)
    weights_alone(sampled)
    pair = arguments.two(p, q)
    from klcli.analyses.breakdown import Shown
    from klcli.analyses.compare import compare as analyse

    reverse = sort == "kl_qp" or ("kl_qp" in shown and "kl_pq" not in shown)
    rows = Shown("kl_qp" if reverse else "kl_pq", top, sort) if wanted else None
    report = analyse(*pair, settings, shown, gates.fields, rows)
    return deliver(Answer("compare", (report,), settings, report.notes), shape, format_name, fields, gates)
