"""The closed forms against torch.distributions.kl_divergence, wherever PyTorch has the pair."""

from math import inf

import pytest
import torch
from torch import distributions as theirs

from klcli.families.catalogue import FAMILIES
from klcli.families.closed import divergence
from tests.families.laws import parameters, seeded


def _t(value):
    return torch.tensor(value, dtype=torch.float64)


AS_TORCH = {
    "normal": lambda p: theirs.Normal(_t(p["mu"]), _t(p["sd"])),
    "lognormal": lambda p: theirs.LogNormal(_t(p["mu"]), _t(p["sd"])),
    "exponential": lambda p: theirs.Exponential(_t(p["rate"])),
    "gamma": lambda p: theirs.Gamma(_t(p["shape"]), _t(p["rate"])),
    "beta": lambda p: theirs.Beta(_t(p["a"]), _t(p["b"])),
    "laplace": lambda p: theirs.Laplace(_t(p["mu"]), _t(p["scale"])),
    "uniform": lambda p: theirs.Uniform(_t(p["low"]), _t(p["high"])),
    "gumbel": lambda p: theirs.Gumbel(_t(p["mu"]), _t(p["scale"])),
    "poisson": lambda p: theirs.Poisson(_t(p["rate"])),
    "binomial": lambda p: theirs.Binomial(p["n"], _t(p["p"])),
    "geometric": lambda p: theirs.Geometric(_t(p["p"])),
    "bernoulli": lambda p: theirs.Bernoulli(_t(p["p"])),
    "categorical": lambda p: theirs.Categorical(_t(p["p"])),
    "multivariate_normal": lambda p: theirs.MultivariateNormal(_t(p["mean"]), _t(p["cov"])),
    "dirichlet": lambda p: theirs.Dirichlet(_t(p["alpha"])),
}


def _has(first, second):
    random = seeded("probe", first, second)
    try:
        theirs.kl_divergence(AS_TORCH[first](parameters(first, random)), AS_TORCH[second](parameters(second, random)))
    except NotImplementedError:
        return first == second
    return True


PAIRS = [(first, second) for first in AS_TORCH for second in AS_TORCH if _has(first, second)]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_same_divergence(first, second):
    random = seeded("torch", first, second)
    for _ in range(100):
        p, q = parameters(first, random), parameters(second, random)
        if first == second == "binomial":
            q["n"] = p["n"]
        ours = divergence(FAMILIES[first](**p), FAMILIES[second](**q))
        expected = float(theirs.kl_divergence(AS_TORCH[first](p), AS_TORCH[second](q)))
        # PyTorch's own sums cancel: their error is that of terms of order one.
        assert ours == expected == inf or ours == pytest.approx(expected, rel=1e-10, abs=1e-13), (p, q)
