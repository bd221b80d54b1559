"""The losses of the command line as the comparisons with PyTorch call them."""

import json

import numpy as np
import pytest


def _inline(array):
    return json.dumps(array.tolist())


def _csv(array):
    columns = array.reshape(len(array), -1).T if array.ndim else array.reshape(1, 1)
    lines = [",".join(f"c{i}" for i in range(len(columns))), *(",".join(map(repr, row)) for row in columns.T.tolist())]
    return "\n".join(lines) + "\n"


@pytest.fixture
def loss(call, tmp_path):
    """loss(kind, input, target, **options): the value that klcli prints.

    given: how the arrays are: npy files, inline as JSON, or columns of csv files.
    """

    def written(name, array, given):
        if given == "inline":
            return _inline(array)
        path = tmp_path / f"{name}.{given}"
        if given == "csv":
            path.write_text(_csv(array))
        else:
            np.save(path, array)
        return path

    def loss(kind, *operands, given="npy", **options):
        arrays = [written(name, array, given) for name, array in zip(("input", "target"), operands, strict=True)]
        others = []
        for name, value in options.items():
            option = f"--{name.replace('_', '-')}"
            if isinstance(value, np.ndarray):
                others += [option, written(name, value, given)]
            elif value is not None:
                others += [option, value]
        result = call("loss", kind, *arrays, *others, "-q", "-f", "json")
        assert result.code == 0, result
        return np.array(json.loads(result.out)["value"], dtype=np.float64)  # which takes "NaN" and "Infinity"

    return loss
