"""`klcli rank`."""

from typing import TYPE_CHECKING, Annotated

import typer

from klcli.cli.formulas import formulas, sampling, weights_alone, with_errors
from klcli.cli.options import Chosen, Measured, P, PairMaths, Sampled, Shape, grouped, names, one_of
from klcli.cli.output import Gates, chosen_fields, deliver, format_of
from klcli.engine.measures import MEASURES
from klcli.errors import InputError, UsageError
from klcli.model import Answer, Report, Settings

DEFAULT = ("kl_pq", "kl_qp", "js_divergence")
if TYPE_CHECKING:  # they import NumPy
    from klcli.model import Distribution
    from klcli.parametric.catalogue import Formula
    from klcli.readers.arguments import Arguments

NEAREST = "kl_pq"

Candidates = Annotated[
    list[str] | None,
    typer.Argument(metavar="[Q]...", help="The candidates; left out when P is a file whose first distribution is P."),
]


@grouped
def rank(
    p: P,
    q: Candidates = None,
    *,
    inputs: Chosen,
    maths: PairMaths,
    measured: Measured,
    sampled: Sampled,
    shape: Shape,
) -> int:
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

    arguments = Arguments(inputs.checked_format(), inputs.choices(), inputs.dialect())
    got = [field for field in fields if field in MEASURES]
    ordered = [by] if shape.sort is not None else []
    shown = list(dict.fromkeys([*ordered, *(asked or got or DEFAULT), *got]))
    others = q or []
    roles = ["P", *(f"Q{i}" if others[1:] else "Q" for i in range(1, len(others) + 1))]
    together = formulas(arguments, list(zip([p, *others], roles, strict=True)))
    if together is not None:
        reports = _of_formulas(together, settings, shown, [*gates.fields, by], sampled)
        answer = with_errors(_answer(reports, settings), format_name, fields)
        return deliver(answer, shape, format_name, fields, gates)
    weights_alone(sampled)
    reference, candidates = _of_weights(arguments, p, others, roles)
    reports = analyse(reference, candidates, settings, shown, gates.fields, by)
    return deliver(_answer(reports, settings), shape, format_name, fields, gates)


def _of_weights(
    arguments: "Arguments", p: str, others: list[str], roles: list[str]
) -> "tuple[Distribution, list[Distribution]]":
    """P and the candidates, which may all stand in one file."""
    arguments.expect([p, *others])
    if others:
        reference = arguments.one(p, "P")
        candidates = [one for text, role in zip(others, roles[1:], strict=True) for one in arguments.every(text, role)]
    else:
        reference, *candidates = arguments.every(p, "P")
    if not candidates:
        message = f"{p}: one distribution; rank needs P and at least one candidate"
        raise InputError(message)
    reference, *candidates = arguments.all_of([reference, *candidates])
    return reference, candidates


def _of_formulas(
    together: "list[Formula]", settings: Settings, shown: list[str], others: list[str], sampled: Sampled
) -> list[Report]:
    """others: the measures besides, the last that by which they are ranked."""
    from klcli.analyses.parametric import Asked
    from klcli.analyses.parametric import rank as analyse

    if len(together) == 1:
        message = "P is a formula; give at least one candidate after it"
        raise UsageError(message)
    return analyse(together[0], together[1:], settings, Asked(shown, others, sampling(sampled)), others[-1])


def _answer(reports: list[Report], settings: Settings) -> Answer:
    notes = tuple(dict.fromkeys(note for report in reports for note in report.notes))
    return Answer("rank", tuple(reports), settings, notes)
