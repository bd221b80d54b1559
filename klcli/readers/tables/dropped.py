"""Outcomes of lists and objects that --drop leaves out, and the totals that are left among them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from klcli.blocks import Failure
from klcli.errors import DistributionError
from klcli.readers.totals import is_sum, is_total, mend

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from klcli.blocks import Block, Pairs
    from klcli.readers.tables.roles import Choices


def without_totals(block: Block, choices: Choices) -> Block:
    """The pairs of a block without the outcomes that are dropped, and without those in which a total is left."""
    names = frozenset(label for pairs in block.pairs for labels in pairs.labels for label in labels or ())
    if choices.drop:
        block = replace(block, pairs=tuple(_without(pairs, choices.drop) for pairs in block.pairs), names=names)
    if choices.keep_totals or not any(map(is_total, names.difference(choices.drop))):
        return block
    failures = {failure.row: failure for pairs in block.pairs for failure in _totals(pairs)}
    failures |= {failure.row: failure for failure in block.failures}
    pairs = tuple(_of_rows(pairs, ~np.isin(pairs.rows, list(failures))) for pairs in block.pairs)
    return replace(block, pairs=pairs, failures=tuple(failures[row] for row in sorted(failures)))


def _totals(pairs: Pairs) -> Iterator[Failure]:
    """A failure for each side of a pair in which an outcome that is called a total is one."""
    for which, (side, labels) in enumerate(zip((pairs.p, pairs.q), pairs.labels, strict=True)):
        if side is None or labels is None:
            continue
        for i in [i for i, label in enumerate(labels) if is_total(label)]:
            for column in np.flatnonzero(is_sum(side[i], np.delete(side, i, axis=0).sum(axis=0))).tolist():
                line, place = pairs.where(which, column, i)
                yield Failure(int(pairs.rows[column]), line, f"{place} {mend(labels[i])}", DistributionError)


def _of_rows(pairs: Pairs, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Pairs:
    """Some of the pairs. kept: (n,)."""
    at = np.flatnonzero(kept)

    def where(side: int, column: int, outcome: int) -> tuple[int, str]:
        return pairs.where(side, int(at[column]), outcome)

    p, q = (None if side is None else side[:, at] for side in (pairs.p, pairs.q))
    return replace(pairs, rows=pairs.rows[at], p=p, q=q, where=where)


def _without(pairs: Pairs, drop: Sequence[str]) -> Pairs:
    """The pairs without the outcomes of these names."""
    kept = [None if of is None else [i for i, label in enumerate(of) if label not in drop] for of in pairs.labels]
    sides = zip((pairs.p, pairs.q), pairs.labels, kept, strict=True)
    left = [
        (side, labels) if side is None or labels is None or at is None else (side[at], tuple(labels[i] for i in at))
        for side, labels, at in sides
    ]

    def where(side: int, column: int, outcome: int) -> tuple[int, str]:
        at = kept[side]
        return pairs.where(side, column, outcome if at is None or outcome >= len(at) else at[outcome])

    (p, of_p), (q, of_q) = left
    return replace(pairs, p=p, q=q, labels=(of_p, of_q), where=where)
