"""NumPy's files: .npy, an array, and .npz, an archive of some. Nothing in them is ever unpickled.

Source: the documentation of numpy.lib.format.
"""

from __future__ import annotations

import warnings
from io import BytesIO
from math import prod
from typing import TYPE_CHECKING
from zipfile import ZipFile

import numpy as np

from klcli.errors import InputError, listed
from klcli.readers.sources import unreadable

if TYPE_CHECKING:
    from klcli.tensors import Numbers

_SUFFIX = ".npy"

_LONGEST_HEADER = 1 << 16
"""NumPy itself takes no more than 10,000 bytes."""


def array(data: bytes, name: str) -> Numbers:
    """The array over the bytes of an .npy file, none of which is copied. Raises InputError.

    Truth values are 0 and 1, and long doubles, which nothing computes in here or in PyTorch, are rounded to doubles.
    """
    from numpy.lib import format as npy

    stream = BytesIO(data[:_LONGEST_HEADER])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that Python 2 wrote it
            old = npy.read_magic(stream) == (1, 0)
            shape, turned, dtype = (npy.read_array_header_1_0 if old else npy.read_array_header_2_0)(stream)
        if dtype.kind in "biuf":
            here, needed = len(data) - stream.tell(), prod(shape) * dtype.itemsize
            if here < needed:
                message = f"cut off after {here} of {needed} bytes"
                raise ValueError(message)
            found = np.ndarray(shape, dtype, data, stream.tell(), order="F" if turned else "C")
            if dtype.kind == "b":
                return found.view(np.uint8)
            with np.errstate(over="ignore"):
                return found.astype(np.float64) if dtype.itemsize > np.float64().itemsize else found
    except Exception as error:  # noqa: BLE001 - the header is an expression of Python's, which fails in many ways
        raise unreadable(name, ".npy", error) from None
    why = ", which would have to be unpickled, and a pickle can run any code" if dtype.hasobject else ""
    message = f"{name}: holds {listed([str(dtype)])}{why}; integers or floats are needed, as by array.astype(float)"
    raise InputError(message)


def archive(data: bytes, name: str) -> ZipFile:
    """An .npz file, opened. Raises InputError."""
    try:
        return ZipFile(BytesIO(data))
    except Exception as error:  # noqa: BLE001 - as many errors as there are ways to damage an archive
        raise unreadable(name, ".npz", error) from None


def names(opened: ZipFile) -> list[str]:
    """What the arrays of an archive are called."""
    return [member.removesuffix(_SUFFIX) for member in opened.namelist()]


def member(opened: ZipFile, key: str, name: str) -> Numbers:
    """One of them. name: what errors call it. Raises InputError."""
    try:
        data = opened.read(opened.namelist()[names(opened).index(key)])
    except Exception as error:  # noqa: BLE001 - as above, and for each way to compress one more
        raise unreadable(name, ".npz", error) from None
    return array(data, name)
