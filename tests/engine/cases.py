"""Pairs of weights that formulas in floating point get wrong, and ordinary ones. Every one is reproducible."""

import numpy as np

PERTURBATIONS = (1e-3, 1e-6, 1e-9, 1e-12, 1e-15)


def _one_hot(outcomes, at):
    weights = np.zeros(outcomes)
    weights[at] = 1.0
    return weights


def _sparse(rng, weights):
    kept = np.where(rng.random(len(weights)) < 0.4, 0.0, weights)
    kept[0] = 1.0
    return kept


def ordinary(outcomes, seed=0):
    """Pairs within the ordinary range of weights: name -> (a, b)."""
    rng = np.random.default_rng([seed, outcomes, 1])
    a, b = rng.standard_exponential((2, outcomes))
    sparse = _sparse(rng, b)
    zipf = 1 / np.arange(1, outcomes + 1)
    whole = np.arange(1.0, outcomes + 1)
    ulp = a.copy()
    ulp[0] = np.nextafter(ulp[0], np.inf)
    first, last = _one_hot(outcomes, 0), _one_hot(outcomes, -1)
    peaked = np.maximum(first, 1e-9)
    faint = np.maximum(first, 1e-17)
    fainter = faint.copy()
    fainter[-1] *= 3
    pairs = {
        "independent": (a, b),
        "dirichlet": tuple(rng.dirichlet(np.ones(outcomes), 2)),
        "counts": (rng.integers(1, 1000, outcomes).astype(float), rng.integers(1, 10**6, outcomes).astype(float)),
        "counts with zeros": (rng.poisson(1.5, outcomes) + first, rng.poisson(1.5, outcomes) + first),
        "p sparse": (sparse, b),
        "q sparse": (b, sparse),
        "same support": (sparse, np.where(sparse > 0, a, 0.0)),
        "disjoint": (first, last),
        "one-hot p": (first, b),
        "one-hot q": (b, first),
        "one-hot both": (first, first * 7),
        "near one-hot p": (peaked, b),
        "near one-hot q": (b, peaked),
        "near one-hot both": (faint, fainter),
        "one-hot against near one-hot": (first, faint),
        "almost all in one": (np.maximum(first * (1 - 1e-4), 1e-4 / outcomes), np.maximum(first, 1e-300 ** (1 / 3))),
        "zipf": (zipf, zipf[::-1].copy()),
        "range 1e50": tuple(10 ** rng.uniform(-50, 0, (2, outcomes))),
        "identical": (a, a.copy()),
        "proportional by 3": (whole, 3 * whole),
        "proportional by 1/7": (7 * whole, whole),
        "proportional by 2^-9": (a, a * 2.0**-9),
        "one ulp everywhere": (a, np.nextafter(a, np.inf)),
        "one ulp": (a, ulp),
        "uniform against near uniform": (np.ones(outcomes), 1 + 1e-8 * rng.standard_normal(outcomes)),
        "all close but one": (whole, np.where(first > 0, 5.0, whole * 3.1)),
    }
    for e in PERTURBATIONS:
        pairs[f"{e:g} apart"] = (a, a * (1 + e * rng.standard_normal(outcomes)))
        c = rng.dirichlet(np.ones(outcomes))
        pairs[f"{e:g} apart, probabilities"] = (c, np.abs(c + e * c.min() * rng.standard_normal(outcomes)))
        pairs[f"{e:g} apart, times 3"] = (a, 3 * a * (1 + e * rng.standard_normal(outcomes)))
    return pairs


def extreme(outcomes, seed=0):
    """Pairs beyond the ordinary range: subnormal, huge, with totals that overflow, spanning 1e600."""
    rng = np.random.default_rng([seed, outcomes, 2])
    a, b = rng.standard_exponential((2, outcomes))
    first = _one_hot(outcomes, 0)
    return {
        "subnormal": (a * 1e-310, b * 1e-310),
        "subnormal p": (a * 1e-310, b),
        "least subnormal": (np.maximum(first * 1e-322, 5e-324), np.full(outcomes, 5e-324)),
        "huge p": (a * 1e300, b),
        "huge against tiny": (a * 1e300, b * 1e-300),
        "sums overflow": (np.full(outcomes, 1.7e308), b),
        "sums overflow, close": (np.full(outcomes, 1.7e308), 1.7e308 * (1 - 1e-9 * rng.random(outcomes))),
        "range 1e300": tuple(10 ** rng.uniform(-300, 0, (2, outcomes))),
        "range 1e600": tuple(10 ** rng.uniform(-300, 300, (2, outcomes))),
        "a mass that vanishes beside the others has no q": (2 * first + _one_hot(outcomes, -1) * 5e-324, first),
        "opposite ends of 1e600": (np.where(first > 0, 1e300, 1e-300), np.where(first > 0, 1e-300, 1e300)),
        "identical but for 1e-300": (np.maximum(first, 1e-300), np.maximum(first, 3e-300)),
        "one-hot against 1e-300": (first, np.maximum(first, 1e-300)),
        "1e-300 against one-hot": (np.maximum(first, 1e-300), first),
        "close in subnormals": (np.maximum(first, 1e-310), np.maximum(first, 1e-310 + 5e-324)),
        "1e300, one ulp": (a * 1e300, np.nextafter(a * 1e300, 0)),
    }


TEXTBOOK = {
    "cover and thomas 2.3.1": ([0.5, 0.5], [0.75, 0.25]),
    "coins": ([0.4, 0.6], [0.3, 0.7]),
    "dyadic": ([0.5, 0.25, 0.125, 0.125], [0.25, 0.25, 0.25, 0.25]),
    "binomial against uniform": ([9, 12, 4], [1, 1, 1]),
    "thirds": ([1 / 3, 1 / 3, 1 / 3], [0.2, 0.3, 0.5]),
    "one outcome": ([3.0], [0.1]),
}
