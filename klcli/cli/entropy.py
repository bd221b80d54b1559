"""`klcli entropy`."""

from typing import TYPE_CHECKING, Annotated

import typer

from klcli.cli.formulas import formulas, no_outcomes, sampling, weights_alone, with_errors
from klcli.cli.options import BrokenDown, Chosen, Maths, Sampled, SingleMeasured, grouped, names, one_of, piped
from klcli.cli.output import Gates, chosen_fields, deliver, format_of, rows_shown
from klcli.engine.measures import SINGLE, SINGLE_ELEMENTS
from klcli.model import Answer, Report, Settings

if TYPE_CHECKING:
    from klcli.parametric.catalogue import Formula

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
    fields = chosen_fields(shape, SINGLE, ["outcome", *SINGLE_ELEMENTS], ["name"])
    gates = Gates(shape.fail_above, SINGLE)
    asked = names("--measures", measured.measures, SINGLE)
    format_name = format_of(shape)
    wanted, top = rows_shown(shape, format_name, fields)
    sort = None if shape.sort is None else one_of("--sort", shape.sort, ["outcome", *SINGLE_ELEMENTS])

    from klcli.analyses.breakdown import Shown
    from klcli.analyses.entropy import CONTRIBUTION
    from klcli.analyses.entropy import entropy as analyse
    from klcli.readers.arguments import Arguments

    arguments = Arguments(inputs.checked_format(), inputs.choices(), inputs.dialect())
    roles = ["P"] if len(p) == 1 else [f"P{i}" for i in range(1, len(p) + 1)]
    got = [field for field in fields if field in SINGLE]
    shown = list(dict.fromkeys([*(asked or got or SINGLE), *got]))
    together = formulas(arguments, list(zip(p, roles, strict=True)))
    if together is not None:
        no_outcomes(shape, fields)
        reports = _of_formulas(together, settings, shown, gates.fields, sampled)
        answer = with_errors(_answer(reports, settings), format_name, fields)
        return deliver(answer, shape, format_name, fields, gates)
    weights_alone(sampled)
    arguments.expect(p)
    given = [(one, role) for text, role in zip(p, roles, strict=True) for one in arguments.every(text, role)]
    counted = arguments.all_of([one for one, _ in given])
    several = len(given) > len(p)
    given = [(one, one.name if several else role) for one, (_, role) in zip(counted, given, strict=True)]
    rows = Shown(CONTRIBUTION, top, sort) if wanted else None
    reports = tuple(analyse(one, settings, shown, gates.fields, rows, role) for one, role in given)
    return deliver(_answer(reports, settings), shape, format_name, fields, gates)


def _of_formulas(
    together: "list[Formula]", settings: Settings, shown: list[str], others: list[str], sampled: Sampled
) -> tuple[Report, ...]:
    from klcli.analyses.parametric import Asked
    from klcli.analyses.parametric import entropy as analyse

    asked = Asked(shown, others, sampling(sampled))
    return tuple(analyse(one, settings, asked) for one in together)


def _answer(reports: tuple[Report, ...], settings: Settings) -> Answer:
    notes = tuple(dict.fromkeys(note for report in reports for note in report.notes))
    return Answer("entropy", reports, settings, notes)
