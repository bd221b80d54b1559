"""Totals among the outcomes of a distribution, or among distributions, which count everything twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from klcli.errors import DistributionError, UsageError, clipped, listed, nearest, typed
from klcli.readers.distributions import picked
from klcli.readers.tables.select import in_quotes, list_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from klcli.model import Array, Distribution
    from klcli.readers.tables.roles import Choices

NAMES = frozenset(
    (
        *("total", "totals", "grand total", "row total", "column total", "subtotal", "sub-total", "overall"),
        *("all", "sum", "margin", "gesamt", "gesamtergebnis", "summe", "insgesamt", "totaal", "totale"),
    )
)
"""What programs that write tables, and people, call totals; those of pivot tables in a few languages."""

_ROUNDED = 5e-3
"""A total by its name may be of numbers that were rounded after they had been added up."""

_SAME = 1e-9
_FEWEST, _ENOUGH = 2, 4
"""So many distributions of so many outcomes hold no sum of the others by chance."""


def is_total(name: str) -> bool:
    """Whether a row or column of that name is one of totals."""
    return name.strip().rstrip(":").casefold() in NAMES


def is_sum(values: Array, sums: Array) -> npt.NDArray[np.bool_]:
    """Whether the values are the sums of the others, nearly. Both of any shape."""
    return np.asarray((values > 0) & (np.abs(values - sums) <= _ROUNDED * sums))


def mend(name: str) -> str:
    """What an error says of a total of that name."""
    return f"equals the sum of the others; --drop {typed(list_of([name]))} leaves it out, --keep-totals keeps it"


def without_totals(given: list[Distribution], names: Sequence[str], choices: Choices) -> list[Distribution]:
    """The distributions of a source, without the outcomes that are dropped. names: what the source calls them.

    Raises DistributionError where an outcome or a distribution is the total of the others by its name and its values.
    The first distribution tells of one that is a total by its values alone.
    """
    given = [_without(one, choices.drop) for one in given]
    if choices.keep_totals:
        return given
    for one in given:
        _refuse_outcome(one)
    if given and given[0].outcomes is not None and (note := _folders(given[0].outcomes)):
        given = [replace(given[0], remarks=(*given[0].remarks, *note)), *given[1:]]
    alike = len(given) > 1 and all(one.outcomes == given[0].outcomes and len(one) == len(given[0]) for one in given[1:])
    if not alike:
        return given
    values = np.array([one.values for one in given])
    for i, name in enumerate(names):
        if (
            is_total(name)
            and len(given) > _FEWEST
            and is_sum(values[i], np.delete(values, i, axis=0).sum(axis=0)).all()
        ):
            message = f"{given[i].name}: {clipped(name)} {mend(name)}"
            raise DistributionError(message)
    outcomes = given[0].outcomes
    notes = [] if outcomes is None else unnamed(outcomes, values.T, "outcome")
    notes += unnamed(names, values, "distribution")
    return [replace(given[0], remarks=(*given[0].remarks, *notes)), *given[1:]] if notes else given


def _folders(labels: Sequence[str]) -> list[str]:
    """A note on folders among paths, the last of which holds all others, as du writes them."""
    if not (len(labels) > 1 and labels[0].startswith(f"{labels[-1]}/")):
        return []
    parents = {label.rpartition("/")[0] for label in labels}
    folders = [label for label in labels if label in parents]
    if not all(label.startswith(f"{labels[-1]}/") for label in labels[:-1]):
        return []
    them = "it counts" if len(folders) == 1 else "they count"
    how = f"as du does, add --drop {typed(list_of(folders))}"
    return [f"{listed(list(map(clipped, folders)))}: if {them} what is inside too, {how}"]


def refuse_undropped(drop: Sequence[str], names: Sequence[Sequence[str]]) -> None:
    """Raises UsageError for a name to drop that no outcome and no distribution has. names: of those there are."""
    unknown = next((name for name in drop if not any(name in some for some in names)), None)
    if unknown is not None:
        known = dict.fromkeys(name for some in names for name in some if name)
        has = f"there are {listed(known)}.{nearest(unknown, known)}" if known else "none here has a name"
        has += in_quotes(unknown, known)
        message = f"--drop {clipped(unknown)}: no outcome and no distribution is called so; {has}"
        raise UsageError(message)


def _without(one: Distribution, drop: Sequence[str]) -> Distribution:
    if not drop or one.outcomes is None:
        return one
    kept = [i for i, label in enumerate(one.outcomes) if label not in drop]
    return one if len(kept) == len(one) else picked(one, kept)


def _refuse_outcome(one: Distribution) -> None:
    """Raises DistributionError where an outcome that is called a total is one."""
    labels = one.outcomes
    if labels is None or len(one) == 1:
        return
    with np.errstate(invalid="ignore", over="ignore"):  # infinite weights are refused elsewhere
        others = one.values.sum() - one.values
        sums = is_sum(one.values, others)
    for i in np.flatnonzero(sums).tolist():
        if is_total(labels[i]):
            message = f"{one.where(i)}: {clipped(labels[i])} {mend(labels[i])}"
            raise DistributionError(message)


def unnamed(names: Sequence[str], values: Array, what: str) -> list[str]:
    """A note on what is the sum of the others throughout, whatever it is called. values: (K, n), of each name a row."""
    if len(values) < _ENOUGH or values.shape[1] < _FEWEST or not _is_half(values[:, 0]):
        return []  # the first of them spares a long table the rest
    at = np.flatnonzero(_are_halves(values))
    if len(at) != 1 or is_total(names[int(at[0])]):
        return []
    name = names[int(at[0])]
    total = f"{what} {clipped(name)} equals the sum of the others throughout"
    return [f"{total}; if it is a total add --drop {typed(list_of([name]))}"]


def _is_half(values: Array) -> bool:
    """Whether the largest of some values is half of their sum. values: (K,)."""
    with np.errstate(invalid="ignore", over="ignore"):
        half = values.sum() / 2
        return bool(np.abs(values.max() - half) <= _SAME * half)


def _are_halves(values: Array) -> npt.NDArray[np.bool_]:
    """Which rows are half of the sum in every column, as a total of the others is. values: (K, n). Returns (K,)."""
    if not (np.isfinite(values) & (values >= 0)).all():
        return np.zeros(len(values), dtype=bool)
    halves = values.sum(axis=0) / 2
    return np.asarray(((np.abs(values - halves) <= _SAME * halves) & (values > 0)).all(axis=1))
