"""Arguments that are formulas: which way a command takes."""

from typing import TYPE_CHECKING

from klcli.cli.options import BrokenDown
from klcli.errors import DistributionError, UsageError, clipped
from klcli.model import ELEMENTS

if TYPE_CHECKING:  # they import NumPy
    from collections.abc import Sequence

    from klcli.families.formula import Formula
    from klcli.readers.arguments import Arguments


def formulas(arguments: "Arguments", texts: "Sequence[tuple[str, str]]", missing: str = "") -> "list[Formula] | None":
    """The arguments, each with its role, where they are formulas without a grid.

    None where none is, or all are of finitely many outcomes, which weights serve. missing: what to say where one is not
    enough. Raises DistributionError where only some are, UsageError.
    """
    found = [(role, text, arguments.formula(text, role)) for text, role in texts]
    _refuse_uniform(found)
    made = [formula for _, _, formula in found if formula is not None]
    if not made:
        return None
    from klcli.families.catalogue import FINITE

    if all(formula.kind == FINITE for formula in made):
        return None
    if missing and len(found) == 1:
        raise UsageError(missing)
    weights = [(role, text) for role, text, formula in found if formula is None]
    if weights:
        role, text = weights[0]
        from klcli.families.grid import without_grid

        of, one = next((role, one) for role, _, one in found if one is not None and one.kind != FINITE)
        from klcli.readers.observations import HINT

        message = f"{of}: {without_grid(one)}; {role}, {clipped(text.strip())}, is weights{HINT}"
        raise DistributionError(message)
    return made


def pair_of(p: str, q: str | None) -> list[tuple[str, str]]:
    """P and Q, if it is there, each with its role."""
    return [(p, "P")] if q is None else [(p, "P"), (q, "Q")]


Q_MISSING = "Q is missing: P is a formula; give another after it"


def _refuse_uniform(found: "Sequence[tuple[str, str, Formula | None]]") -> None:
    """Raises UsageError where an argument is `uniform` and all others are too, or one of them is a formula."""
    words = [role for role, text, _ in found if text.strip() == "uniform"]
    if not words:
        return
    formula = next((role for role, _, formula in found if formula is not None), None)
    if formula is not None:
        message = (
            f"{words[0]} is uniform on the other side's outcomes, and {formula} is a formula; uniform(a,b) is one too"
        )
        raise UsageError(message)
    if len(words) == len(found) > 1 or (words[0] == "P" and len(words) > 1):
        message = "uniform on both sides has no outcomes; write one of them out, as 1/3,1/3,1/3"
        raise UsageError(message)


def no_outcomes(shape: BrokenDown, fields: "Sequence[str]") -> None:
    """Raises UsageError where a breakdown by outcome is asked for, which a formula has not."""
    asked = {
        "--breakdown": shape.breakdown,
        "--top": shape.top is not None,
        "--sort": shape.sort is not None,
        "--get": any(field.startswith(ELEMENTS) for field in fields),
    }
    option = next((option for option, is_asked in asked.items() if is_asked), None)
    if option is not None:
        message = f"{option}: a formula has no outcomes to show one by one; put it on a grid, as normal(0,1)@-4:4:0.1"
        raise UsageError(message)
