"""Distributions given by a formula: families, mixtures, and what is measured of two of them.

The only place, with `analyses.fit` and what draws its pictures, that knows SciPy; it imports it when a family needs it.

catalogue    the families by name: without NumPy, for help and completion
formula      what a formula says: families with their parameters, weights, a grid
family       what every family is, and what it may add
continuous, counts, unfitted  the families, a file each
likelihood   what maximum likelihood needs whatever the family
moments      what a family tells of itself, for the cross-entropies of others
differences  what closed forms are made of, without cancellation
special      what log densities are made of
closed       KL between any two members that has a closed form
law          a member or a mixture: density, distribution function, quantiles, samples
grid         the points of a grid, and a formula's weights there
numeric      quadrature, summation and sampling, each with its error
infinite     why a divergence is infinite: supports and tails
pair         what measures are made of, each part by the best of these
measure      every measure, put together from its parts
"""
