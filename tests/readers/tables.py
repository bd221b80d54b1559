"""What tests of the readers of tables share: layouts, and all that rows tell, in terms that compare."""

import numpy as np

from klcli.readers.tables.delimited import Written, _Reader
from klcli.readers.tables.layout import Layout
from klcli.readers.tables.rows import concatenated


def layout_of(others, weights, **changed):
    """Columns t0, t1, ... of text, all kept, then weights w0, w1, ..., all P's."""
    header = [f"t{i}" for i in range(others)] + [f"w{i}" for i in range(weights)]
    layout = Layout("x", tuple(header), tuple(range(others, others + weights)), (), tuple(range(others)))
    return layout._replace(**changed)


def reader_of(layout, delimiter=",", decimal="."):
    return _Reader(layout, Written(delimiter, decimal))


def exactly(numbers):
    """Doubles by all their bits, a NaN as any other."""
    return ["nan" if x != x else float(x).hex() for x in np.asarray(numbers).tolist()]  # noqa: PLR0124 - NaN


def told(parts):
    """What some rows are: their text, their weights, their lines, and what is wrong with some."""
    rows = concatenated(parts)
    wrong = {failure.row: (failure.line, failure.text, failure.error) for failure in rows.failures}
    return {
        "size": rows.size,
        "text": [column.to_pylist() for column in rows.text],
        "numbers": [None if i in wrong else exactly(rows.numbers[:, i]) for i in range(rows.size)],
        "wrong": wrong,
        "lines": [rows.line(i) for i in range(rows.size)],
        "remarks": dict(rows.remarks),
    }
