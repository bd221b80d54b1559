"""The pairs that the rows of a frame are, one a row: columns of weights, or lists and objects in fields."""

from __future__ import annotations

from dataclasses import replace
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.blocks import Block, Failure, KeptColumn, Pairs
from klcli.errors import DistributionError, KlcliError, clipped
from klcli.model import frozen
from klcli.readers.distributions import ADDED_UP
from klcli.readers.documents import distribution_of
from klcli.readers.tables.cells import json_value
from klcli.readers.tables.dropped import without_totals
from klcli.readers.totals import is_sum, is_total, mend, unnamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from klcli.model import Array, Distribution
    from klcli.readers.tables.layout import Layout
    from klcli.readers.tables.table import Table

    Places = npt.NDArray[np.intp]
    Names = tuple[str, ...] | None
    Side = tuple[Names, Any]
    Sides = list[Side | None]
    """Of P and of Q the labels and the weights; None where the rows lack it."""
    Where = Callable[[int, int, int], tuple[int, str]]

_SINGLE = "in {} there is a single outcome, where every divergence is 0; --by COLUMN makes a pair of several rows"


def pair_rows(table: Table, layout: Layout) -> Block:
    """Each row is a pair: columns of weights are the outcomes, or lists and objects in one column a side."""
    if any(not isinstance(table.columns[i], np.ndarray) for i in (*layout.p, *layout.q)):
        return _pair_fields(table, layout)
    names = layout.names(layout.p), layout.names(layout.q)
    chosen = sound(table.size, table.wrong)

    def where(side: int, column: int, outcome: int) -> tuple[int, str]:
        name = names[side][outcome] if outcome < len(names[side]) else ""
        return table.line(int(chosen[column])), f"column {clipped(name)}"

    p, q = (table.matrix(side) if side else None for side in (layout.p, layout.q))
    if table.wrong:
        p, q = (None if side is None else side[:, chosen] for side in (p, q))
    if layout.gaps:
        p, q = (None if side is None else side.copy() for side in (p, q))
        leave_out(p, q)
    source = table.source or layout.source
    said = [_totals(source, layout, of, side) for of, side in zip(names, (p, q), strict=True) if side is not None]
    # Only a reference has labels of its own to be joined with the columns' names.
    labels = (names[0], None) if q is None else (None, names[1] if p is None else None)
    pairs = Pairs(chosen, p, q, labels, where, by_columns=True)
    remarks = {**table.remarks, **{note: len(chosen) for note in said if note}}
    if max(map(len, names)) == 1:
        remarks[_SINGLE] = len(chosen)
    # Among several columns names to drop have been looked for.
    met = frozenset(layout.header) if layout.choices.drop and max(map(len, names)) == 1 else None
    return replace(_block_of_rows(table, layout, [pairs], table.wrong, remarks), names=met)


def _block_of_rows(
    table: Table, layout: Layout, pairs: Sequence[Pairs], wrong: Mapping[int, KlcliError], remarks: Mapping[str, int]
) -> Block:
    """The rows, each a pair. wrong: what is wrong with those that are none."""
    cells = [table.columns[~i if ~i in table.columns else i] for i in layout.kept]
    kept = tuple(KeptColumn(layout.header[i], of, table.form) for i, of in zip(layout.kept, cells, strict=True))
    failures = tuple(Failure(row, table.line(row), str(wrong[row]), type(wrong[row])) for row in sorted(wrong))
    return Block(table.size, table.lines, kept, tuple(pairs), failures, remarks)


def leave_out(p: Array | None, q: Array | None) -> None:
    """Takes the weight of an outcome from both sides where one of them is NaN. p, q: (K, n)."""
    sides = [side for side in (p, q) if side is not None]
    gaps = np.any([np.isnan(side) for side in sides], axis=0)
    for side in sides:
        side[gaps] = 0.0


def _totals(source: str, layout: Layout, names: tuple[str, ...], weights: npt.NDArray[np.float64]) -> str:
    """What to say of a column that is the sum of the others in all rows. weights: (columns, rows).

    Raises DistributionError where its name says that it is a total.
    """
    if layout.choices.keep_totals or len(names) < 2 or not weights.shape[1]:  # noqa: PLR2004 - a total and a part
        return ""
    for i, name in enumerate(names):
        if is_total(name) and is_sum(weights[i], np.delete(weights, i, axis=0).sum(axis=0)).all():
            message = f"{source}: column {clipped(name)} {mend(name)}"
            raise DistributionError(message)
    return next((f"in {{}} {note}" for note in unnamed(names, weights, "column")), "")


def sound(n: int, wrong: Iterable[int]) -> Places:
    """The rows, or groups, from 0 to n that are not among the wrong ones."""
    left = np.ones(n, dtype=bool)
    left[list(wrong)] = False
    return np.flatnonzero(left)


# ---------------------------------------------------------------------------------------------------- lists and objects


def _pair_fields(table: Table, layout: Layout) -> Block:
    """The pairs whose sides are fields of a record: a list of weights, or an object of label: weight."""
    of_both = (layout.p, layout.q)
    fields = [(layout.header[side[0]], table.columns[side[0]]) if side else None for side in of_both]
    names = tuple("" if field is None else field[0] for field in fields)
    arrays = [None if field is None else _stacked(field[1]) for field in fields]
    wrong, remarks = dict(table.wrong), dict(table.remarks)
    found: Iterable[tuple[Places, Sides]]
    blank = layout.blank != "error" and any(array is not None and np.isnan(array[1]).any() for array in arrays)
    if not blank and all((field is None) == (array is None) for field, array in zip(fields, arrays, strict=True)):
        rows = sound(table.size, wrong)
        found = [(rows, [array and (array[0], array[1][:, rows] if wrong else array[1]) for array in arrays])]
    else:
        found = alike(_fields(table, layout, fields, wrong, remarks))
    pairs = [_pairs_of_fields(names, rows, sides, table) for rows, sides in found]
    return without_totals(_block_of_rows(table, layout, pairs, wrong, remarks), layout.choices)


def _stacked(cells: Any) -> Side | None:  # noqa: ANN401
    """Lists of numbers, all of one length, or structures of them, as (K, n); None where that is not what they are."""
    if isinstance(cells, list | np.ndarray):
        return None
    from klcli.arrow import weights

    array, kind = weights(cells), cells.type
    labels = tuple(kind.field(i).name for i in range(kind.num_fields)) if str(kind).startswith("struct<") else None
    return None if array is None else (labels, array)


def _fields(
    table: Table,
    layout: Layout,
    fields: Sequence[tuple[str, Any] | None],
    wrong: dict[int, KlcliError],
    remarks: dict[str, int],
) -> Iterator[tuple[int, Sides]]:
    """The rows whose fields are distributions, and these; adds what is wrong with the others.

    In how many rows labels were added up is added to the remarks.
    """
    how = layout.choices.repeats, layout.blank
    columns = [None if field is None else (field[0], _values(field[1])) for field in fields]
    for row in sound(table.size, wrong).tolist():
        try:
            found = [of and distribution_of(of[0], of[1][row], f"column {clipped(of[0])}", *how) for of in columns]
        except KlcliError as error:
            wrong[row] = error
        else:
            if any(one is not None and one.remarks for one in found):
                remarks[ADDED_UP] = remarks.get(ADDED_UP, 0) + 1
            found = _without_gaps(found) if layout.gaps else found
            yield (
                row,
                [
                    None if one is None else (None if one.outcomes is None else tuple(one.outcomes), one.values)
                    for one in found
                ],
            )


def faults_of_fields(table: Table, layout: Layout) -> dict[int, KlcliError]:
    """What is wrong with the rows whose weights of Q are a field that is no distribution."""
    cells, wrong = table.columns[layout.q[0]], dict(table.wrong)
    if not isinstance(cells, np.ndarray) and _stacked(cells) is None:
        for _ in _fields(table, layout, [None, (layout.header[layout.q[0]], cells)], wrong, {}):
            pass
    return wrong


def _without_gaps(sides: list[Distribution | None]) -> list[Distribution | None]:
    """The sides without weight where one of them is NaN: by label, or without labels by position."""
    names = [() if side is None else side.outcomes or range(len(side.values)) for side in sides]
    weights = [[] if side is None else side.values.tolist() for side in sides]
    pairs = [list(zip(*each, strict=True)) for each in zip(names, weights, strict=True)]
    gaps = {name for each in pairs for name, weight in each if isnan(weight)}
    return [
        None if side is None else replace(side, values=frozen([0.0 if n in gaps else weight for n, weight in each]))
        for side, each in zip(sides, pairs, strict=True)
    ]


def _values(cells: Any) -> list[Any]:  # noqa: ANN401
    return list(cells) if isinstance(cells, list | np.ndarray) else [json_value(value) for value in cells.to_pylist()]


def alike(found: Iterable[tuple[int, Sides]]) -> Iterator[tuple[Places, Sides]]:
    """The rows with the same labels, or as many outcomes without, and the weights of all of them, (K, n)."""
    kinds: dict[tuple[Any, ...], list[tuple[int, Sides]]] = {}
    for row, sides in found:
        kind = tuple(side and (side[0], len(side[1])) for side in sides)
        kinds.setdefault(kind, []).append((row, sides))
    for kind, members in kinds.items():
        weights = [
            [side[1] for side in of if side is not None] for of in zip(*(sides for _, sides in members), strict=True)
        ]
        yield (
            np.array([row for row, _ in members], dtype=np.intp),
            [
                of and (of[0], np.concatenate(values).reshape(len(members), of[1]).T)
                for of, values in zip(kind, weights, strict=True)
            ],
        )


def _pairs_of_fields(names: tuple[str, ...], rows: Places, sides: Sides, table: Table) -> Pairs:
    """The pairs that fields of these names are, in some rows in which they are alike."""

    def where(side: int, column: int, outcome: int) -> tuple[int, str]:
        """The line, the field, and the item or the label in it."""
        labels, _ = sides[side] or (None, None)
        # Of a side without outcomes nothing is asked but the line.
        inside = f"item {outcome + 1}" if labels is None or outcome >= len(labels) else clipped(labels[outcome])
        return table.line(int(rows[column])), f"column {clipped(names[side])}, {inside}"

    return pairs_of(rows, sides, where)


def pairs_of(rows: Places, sides: Sides, where: Where) -> Pairs:
    """The pairs that these sides are, (K, n) each, in some rows, or groups of rows."""
    (of_p, p), (of_q, q) = (side or (None, None) for side in sides)
    return Pairs(rows, p, q, (of_p, of_q), where)
