"""What tests of the readers of tables share: forms of tables, and all that a table tells, in terms that compare."""

import numpy as np

from klcli.readers.numbers import Notation
from klcli.readers.tables.csv_columns import Pieces
from klcli.readers.tables.csv_rows import CsvForm, Judge


def form_of(others, weights, delimiter=",", decimal=".", **changed):
    """Columns t0, t1, ... of text, then w0, w1, ... of weights."""
    names = (*(f"t{i}" for i in range(others)), *(f"w{i}" for i in range(weights)))
    form = CsvForm(names, delimiter, Notation(decimal), tuple(range(others, others + weights)), tuple(range(others)))
    return form._replace(**changed)


def by_arrow(form, data):
    """What the quick way makes of a piece."""
    return Pieces(form).table(bytearray(data))


def by_csv(form, data):
    """What Python's csv makes of it."""
    return Judge(form).table(bytearray(data))


def exactly(numbers):
    """Doubles by all their bits, a NaN as any other."""
    return ["nan" if x != x else float(x).hex() for x in np.asarray(numbers).tolist()]  # noqa: PLR0124 - NaN


def listed(cells):
    return cells if isinstance(cells, list) else cells.to_pylist()


def told(form, table):
    """What some rows are: their text, their weights, their lines, and what is wrong with some."""
    wrong = {row: (table.line(row), str(error), type(error)) for row, error in table.wrong.items()}
    numbers = table.matrix(form.numbers)
    return {
        "size": table.size,
        "text": [
            [cell for i, cell in enumerate(listed(table.columns[form.key(c)])) if i not in wrong] for c in form.text
        ],
        "numbers": [None if i in wrong else exactly(numbers[:, i]) for i in range(table.size)],
        "wrong": wrong,
        "line": [table.line(i) for i in range(table.size)],
        "lines": table.lines,
        "remarks": dict(table.remarks),
    }
