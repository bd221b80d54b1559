"""`klcli rank`."""

from typing import Annotated

import typer

from klcli.cli.options import Inputs, Measured, P, PairMaths, Shape, grouped, names, one_of
from klcli.cli.output import Gates, chosen_fields, deliver, format_of
from klcli.engine.measures import MEASURES
from klcli.errors import InputError
from klcli.model import Answer

DEFAULT = ("kl_pq", "kl_qp", "js_divergence")
NEAREST = "kl_pq"

Candidates = Annotated[
    list[str] | None,
    typer.Argument(metavar="[Q]...", help="The candidates; left out when P is a file whose first distribution is P."),
]


@grouped
def rank(p: P, q: Candidates = None, *, inputs: Inputs, maths: PairMaths, measured: Measured, shape: Shape) -> int:
    """Which candidate fits P best? The Qs by KL(P||Q), nearest first.

    klcli rank 0.4,0.6 0.3,0.7 0.2,0.8 -f tsv -m kl_pq

    klcli rank samples/models.csv -g name

    klcli rank samples/models.csv --sort js_distance -m js_distance
    """
    settings = maths.settings(alpha=measured.alpha)
    fields = chosen_fields(shape, MEASURES, [], ["rank", "name"])
    gates = Gates(shape.fail_above, MEASURES)
    asked = names("--measures", measured.measures, MEASURES)
    format_name = format_of(shape)
    by = NEAREST if shape.sort is None else one_of("--sort", shape.sort, MEASURES)

    from klcli.analyses.rank import rank as analyse
    from klcli.readers.arguments import Arguments

    with Arguments(inputs.checked_format(), inputs.label, inputs.dialect()) as arguments:
        if q:
            reference = arguments.one(p, "P")
            candidates = [
                one for i, text in enumerate(q, 1) for one in arguments.every(text, f"Q{i}" if q[1:] else "Q")
            ]
        else:
            reference, *candidates = arguments.every(p, "P")
        if not candidates:
            message = f"{p}: one distribution; rank needs P and at least one candidate"
            raise InputError(message)
        got = [field for field in fields if field in MEASURES]
        ordered = [by] if shape.sort is not None else []
        shown = list(dict.fromkeys([*ordered, *(asked or got or DEFAULT), *got]))
        reports = analyse(reference, candidates, settings, shown, gates.fields, by)
    notes = tuple(dict.fromkeys(note for report in reports for note in report.notes))
    return deliver(Answer("rank", tuple(reports), settings, notes), shape, format_name, fields, gates)
