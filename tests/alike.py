"""Output compared as text, its numbers as numbers: the last digit of a logarithm is the machine's."""

import re
from math import isclose

_LONG_NUMBER = re.compile(r"-?\d+\.\d{6,}(?:e[-+]?\d+)?")


def alike(shown, expected):
    """Whether the texts are the same but for the last digits of long numbers."""
    numbers = [[float(x) for x in _LONG_NUMBER.findall(text)] for text in (shown, expected)]
    if _LONG_NUMBER.sub("#", shown) != _LONG_NUMBER.sub("#", expected) or len(numbers[0]) != len(numbers[1]):
        return False
    return all(isclose(x, y, rel_tol=1e-13) for x, y in zip(*numbers, strict=True))
