"""Distributions given by a formula: families, mixtures, and what is measured of two of them.

The only place, with `analyses.fit` and what draws its pictures, that knows SciPy; it imports it when a family needs it.

catalogue   the families and their parameters, by name: without NumPy, for help and completion
law         a family or a mixture with its parameters: density, distribution function, quantiles, samples
grid        the points of a grid, and a formula's weights there
closed      closed forms of entropies and divergences, tables with sources
numeric     quadrature, summation and sampling, each with its error
infinite    why a divergence is infinite: supports and tails
pair        what measures are made of, each part by the best of these
measure     every measure, put together from its parts
observed    data as estimators want them: every distinct value once, with how often it occurs
likelihood  maximum likelihood, family by family, with standard errors
counted     ... of families of counts
ascent      Newton's method, for what has no closed form
estimate    what a fit finds
"""
