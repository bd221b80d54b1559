"""`klcli entropy`."""

from typing import Annotated

import typer

from klcli.cli.options import BrokenDown, Inputs, Maths, SingleMeasured, grouped, names, one_of
from klcli.cli.output import Gates, chosen_fields, deliver, format_of, rows_shown
from klcli.engine.measures import SINGLE, SINGLE_ELEMENTS
from klcli.model import Answer

Distributions = Annotated[
    list[str], typer.Argument(metavar="P...", help="Numbers, pairs, JSON, FILE[:COLUMN], FILE#/POINTER or -.")
]


@grouped
def entropy(p: Distributions, *, inputs: Inputs, maths: Maths, measured: SingleMeasured, shape: BrokenDown) -> int:
    """How uncertain is each distribution? Entropy, perplexity, and the self-information of its outcomes.

    klcli entropy 1/8,1/8,1/4,1/2 --unit bits -g entropy

    klcli entropy 6/36,30/36 --unit bits -g elements.self_information

    klcli entropy samples/survey.csv -f tsv
    """
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

    with Arguments(inputs.checked_format(), inputs.label, inputs.dialect()) as arguments:
        roles = ["P"] if len(p) == 1 else [f"P{i}" for i in range(1, len(p) + 1)]
        given = [(one, role) for text, role in zip(p, roles, strict=True) for one in arguments.every(text, role)]
        if len(given) > len(p):
            given = [(one, one.name) for one, _ in given]
        got = [field for field in fields if field in SINGLE]
        shown = list(dict.fromkeys([*(asked or got or SINGLE), *got]))
        rows = Shown(CONTRIBUTION, top, sort) if wanted else None
        reports = tuple(analyse(one, settings, shown, gates.fields, rows, role) for one, role in given)
    notes = tuple(dict.fromkeys(note for report in reports for note in report.notes))
    return deliver(Answer("entropy", reports, settings, notes), shape, format_name, fields, gates)
