"""Named tuples are what typing makes of the same class statement."""

import pickle
import typing

from klcli import tuples

BODY = '''
class Point(NamedTuple):
    """A place."""

    x: "float"
    y: float = 2.0

    @property
    def size(self):
        """How far it is."""
        return abs(self.x) + abs(self.y)

    def __str__(self):
        return f"at {self.x}"
'''


def made(base):
    namespace = {"NamedTuple": base, "__name__": __name__}
    exec(BODY, namespace)  # noqa: S102 - one statement for both
    return namespace["Point"]


Point = made(tuples.NamedTuple)


def test_a_named_tuple_is_as_typing_makes_it():
    ours, theirs = Point, made(typing.NamedTuple)
    for name in ("_fields", "_field_defaults", "__doc__", "__name__", "__qualname__", "__module__", "__match_args__"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert list(ours.__annotations__) == list(theirs.__annotations__)
    for one, other in ((ours(1.0), theirs(1.0)), (ours(y=0.5, x=-3.0), theirs(-3.0, 0.5))):
        assert (one, repr(one), str(one), one.size) == (other, repr(other), str(other), other.size)
        assert one._replace(x=9.0) == other._replace(x=9.0)
        assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301 - its own
