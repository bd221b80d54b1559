"""A loss and its rows. `FORMATS` is the table: a row a format. NaN is an answer here, as PyTorch's, and is written.

Millions of numbers are written some thousands at a time.
"""

from __future__ import annotations

from functools import partial
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import numpy as np

from klcli.errors import UsageError
from klcli.renderers.doubles import AT_ONCE, Words, encoded, in_chunks
from klcli.renderers.formats import markdown_table, with_notes
from klcli.renderers.pytorch import call
from klcli.renderers.shape import Table, json_bytes, text_bytes
from klcli.renderers.text import short
from klcli.tensors import IGNORE_INDEX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from klcli.renderers.doubles import Out
    from klcli.renderers.view import View
    from klcli.tensors import LossReport, Tensor

    Array = npt.NDArray[Any]
    Line = tuple[bytes | memoryview, ...]
    Renderer = Callable[[LossReport, View, Out], None]

_PLAIN, _STRICT = Words(b"nan", b"inf", b"-inf"), Words(b'"NaN"', b'"Infinity"', b'"-Infinity"')

CLASS_INDICES = "class indices"


# ------------------------------------------------------------------------------------------------------------- the rows


def index_names(report: LossReport) -> list[str]:
    """What the axes of the rows are called: row, then as PyTorch has them, d1, d2, ..."""
    return ["row", *(f"d{i}" for i in range(1, report.rows.ndim))]


def of_elements(report: LossReport) -> bool:
    """Whether every element has a loss of its own that is shown: kl-div without a reduction."""
    return report.value.shape != report.rows.shape and report.value.ndim > 0


def _listed(report: LossReport) -> tuple[list[str], Array]:
    """The losses that are listed, the rows' or the elements', and what their axes are called."""
    if not of_elements(report):
        return index_names(report), report.rows
    axes = index_names(report) if report.value.ndim > 1 else []
    dim = report.dim or 0
    return [*axes[:dim], "class", *axes[dim:]], report.value


def _columns(report: LossReport, some: slice) -> dict[str, Array]:
    """Some of the losses: the index of each, its target where that is a class, its value."""
    names, losses = _listed(report)
    index = np.unravel_index(np.arange(some.start, some.stop), losses.shape)
    columns: dict[str, Array] = dict(zip(names, index, strict=True))
    if report.indices:
        columns["target"] = report.operands.target.values.reshape(-1)[some].astype(np.int64)
    return columns | {"loss": losses.reshape(-1)[some]}


def _names(report: LossReport) -> list[str]:
    return list(_columns(report, slice(0, 0)))


def _row_lines(report: LossReport, before: Sequence[str], end: bytes, words: Words) -> Iterator[Line]:
    """A line a loss. before: what stands in front of each column's value."""
    fronts = [repeat(text.encode()) for text in before]
    count = _listed(report)[1].size
    for start in range(0, count, AT_ONCE):
        columns = _columns(report, slice(start, min(start + AT_ONCE, count)))
        fields = [encoded(column, words)[1:-1].split(b",") for column in columns.values()]
        yield from zip(*chain.from_iterable(zip(fronts, fields, strict=True)), repeat(end))


# -------------------------------------------------------------------------------------------------------------- formats


def value(report: LossReport, _: View, out: Out) -> None:
    """The bare value; with the reduction none a line each, in row-major order."""
    _lines(report.value, out)


def _lines(values: Array, out: Out) -> None:
    if values.ndim == 0:
        out.write(f"{float(values)!r}\n".encode())
        return
    flat = values.reshape(-1)
    for start in range(0, len(flat), AT_ONCE):
        out.write(encoded(flat[start : start + AT_ONCE], _PLAIN)[1:-1].replace(b",", b"\n") + b"\n")


def _delimited(report: LossReport, _: View, out: Out, delimiter: str) -> None:
    """A header and a row a distribution."""
    names = _names(report)
    out.write(f"{delimiter.join(names)}\n".encode())
    in_chunks(out, _row_lines(report, ["", *[delimiter] * (len(names) - 1)], b"\n", _PLAIN))


def ndjson(report: LossReport, _: View, out: Out) -> None:
    """A strict JSON object a distribution."""
    before = [f'{", " if i else "{"}"{name}": ' for i, name in enumerate(_names(report))]
    in_chunks(out, _row_lines(report, before, b"}\n", _STRICT))


def json(report: LossReport, _: View, out: Out) -> None:
    """One strict JSON object, every list of numbers on a line of its own."""
    in_chunks(out, chain(_json(_document(report), 0), [(b"\n",)]))


def markdown(report: LossReport, view: View, out: Out) -> None:
    """Tables as GitHub has them: the value and what it is the sum of, the rows, the notes."""
    measures, columns = measured(report), _columns(report, slice(0, _listed(report)[1].size))
    tables = [Table(["measure", "value"], [list(measures), list(measures.values())])] if measures else []
    tables.append(Table(list(columns), [column.tolist() for column in columns.values()]))
    parts = [markdown_table(table, view, nan="nan") for table in tables]
    out.write(text_bytes(with_notes(parts, report.notes, view)))


def table(report: LossReport, view: View, out: Out) -> None:
    """For people: what was computed, the value and what it is the sum of, the rows."""
    from klcli.renderers.loss_table import draw

    out.write(text_bytes(draw(report, view)))


FORMATS: Mapping[str, Renderer] = {
    "value": value,
    "table": table,
    "tsv": partial(_delimited, delimiter="\t"),
    "csv": partial(_delimited, delimiter=","),
    "json": json,
    "ndjson": ndjson,
    "markdown": markdown,
}


def shown_number(number: float, digits: int) -> str:
    """A number for people, NaN as 'nan'."""
    return short(number, digits) or "nan"


def measured(report: LossReport) -> dict[str, float]:
    """The value, unless it is one of many, and what a cross-entropy is the sum of, in the order of the addition."""
    found = {} if report.value.ndim else {"value": float(report.value)}
    if report.identity is not None:
        names = ("entropy", "kl_divergence", "cross_entropy")
        found |= {name: getattr(report.identity, name) for name in names}
    return found


def bare(report: LossReport, fields: Sequence[str], out: Out) -> None:
    """The fields' values, a line each, field after field. Raises UsageError for one that the report has not."""
    wanted = {field: _field(report, field) for field in fields}
    for field in fields:
        _lines(wanted[field], out)


def _field(report: LossReport, field: str) -> Array:
    found: Array | None = {"value": report.value, "rows": report.rows, "log_probabilities": report.log_probs}.get(field)
    if found is None and report.identity is not None:
        found = np.asarray(getattr(report.identity, field, None), dtype=np.float64)
    if found is None:
        weights = [w.role for w in (report.operands.weight, report.operands.pos_weight) if w is not None]
        why = f"{report.task.loss} of these operands has none"
        if weights and field != "log_probabilities":
            given = " and ".join(weights)
            why = f"with {given} the loss is not the cross-entropy of two distributions; drop {given}"
        message = f"--get {field}: {why}"
        raise UsageError(message)
    return found


# ----------------------------------------------------------------------------------------------------------------- JSON


def _document(report: LossReport) -> dict[str, Any]:
    return {
        "loss": report.task.loss,
        "value": report.value,
        "reduction": report.task.reduction,
        "shape": list(report.operands.input.shape),
        "rows": report.rows,
        "identity": None if report.identity is None else report.identity._asdict(),
        "log_probabilities": report.log_probs,
        "inputs": {name: _operand(report, name, tensor) for name, tensor in _operands(report)},
        "settings": _settings(report),
        "call": call(report),
        "notes": list(report.notes),
    }


def _operands(report: LossReport) -> Iterator[tuple[str, Tensor]]:
    return ((name, tensor) for name, tensor in report.operands._asdict().items() if tensor is not None)


def read_as(report: LossReport, name: str) -> str:
    """How an operand was read: logits, probs, logprobs or class indices; '' for weights."""
    if name == "input":
        return report.task.input_as
    if name != "target":
        return ""
    return CLASS_INDICES if report.indices else report.task.target_as


def _operand(report: LossReport, name: str, tensor: Tensor) -> dict[str, Any]:
    described = {"source": tensor.source, "shape": list(tensor.shape), "dtype": str(tensor.values.dtype)}
    return described | ({"as": read_as(report, name)} if read_as(report, name) else {})


def _settings(report: LossReport) -> dict[str, Any]:
    task = report.task
    settings: dict[str, Any] = {}
    if report.dim is not None:
        settings["dim"] = report.dim
    if report.indices:
        settings["ignore_index"] = IGNORE_INDEX if task.ignore_index is None else task.ignore_index
    if task.loss == "cross-entropy":
        settings["label_smoothing"] = task.label_smoothing
    return settings | {"dtype": task.dtype}


def _json(given: object, depth: int) -> Iterator[Line]:
    """Strict JSON, indented; depth: of what it stands in."""
    if isinstance(given, np.ndarray):
        yield from _json_numbers(given, depth) if given.ndim else [(encoded(given.reshape(1), _STRICT)[1:-1],)]
    elif isinstance(given, float):
        yield from _json(np.asarray(given), depth)
    elif isinstance(given, dict) and given:
        for i, (key, item) in enumerate(given.items()):
            yield ((b"," if i else b"{"), _pad(depth + 1), json_bytes(key), b": ")
            yield from _json(item, depth + 1)
        yield (_pad(depth), b"}")
    elif isinstance(given, list) and any(isinstance(item, str) for item in given):
        lines = (_pad(depth + 1) + json_bytes(item) for item in given)
        yield (b"[", b",".join(lines), _pad(depth), b"]")
    else:
        yield (json_bytes(given),)


def _pad(depth: int) -> bytes:
    return b"\n" + b"  " * depth


def _json_numbers(values: Array, depth: int) -> Iterator[Line]:
    """Nested lists, the innermost on a line each."""
    if values.ndim == 1 or values.size == 0:
        yield (b"[",)
        for start in range(0, len(values), AT_ONCE):
            text = encoded(values[start : start + AT_ONCE], _STRICT)[1:-1]
            yield (b", " if start else b"", text.replace(b",", b", "))
        yield (b"]",)
        return
    deepest = depth + values.ndim - 1
    yield (b"[", *(part for i in range(depth + 1, deepest) for part in (_pad(i), b"[")), _pad(deepest))
    # Between two rows as many lists end and begin again as have sizes that divide the second's number.
    ends = [b"".join(_pad(deepest - 1 - i) + b"]" for i in range(n)) for n in range(values.ndim)]
    begins = [
        b"," + b"".join(_pad(deepest - n + i) + b"[" for i in range(n)) + _pad(deepest) for n in range(values.ndim)
    ]
    sizes = np.cumprod(values.shape[-2:0:-1])
    rows = values.reshape(-1, values.shape[-1])
    step = max(1, AT_ONCE // rows.shape[1])
    for start in range(0, len(rows), step):
        texts = encoded(rows[start : start + step], _STRICT)[2:-2].replace(b",", b", ").split(b"], [")
        numbers = np.arange(start, start + len(texts))
        levels = (numbers[:, np.newaxis] % sizes == 0).sum(axis=1).tolist()
        for i, (level, text) in enumerate(zip(levels, texts, strict=True), start):
            yield (ends[level] + begins[level] if i else b"", b"[", text, b"]")
    yield (ends[values.ndim - 1],)
