"""KL divergence and its relatives, exact to the last digits, from the shell and from Python.

>>> import klcli
>>> float(klcli.kl_divergence([0.4, 0.6], [0.3, 0.7]).round(4))
0.0226
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from klcli.api import entropy, kl_divergence, measures

__version__ = "0.1.0"

__all__ = ["__version__", "entropy", "kl_divergence", "measures"]


def __getattr__(name: str) -> object:
    """The Python API, imported when it is first used: the command line starts without NumPy."""
    if name in __all__:
        from klcli import api

        return getattr(api, name)
    message = f"module 'klcli' has no attribute {name!r}"
    raise AttributeError(message)
