"""Integrals and sums over the laws themselves, each with an estimate of its error; and means over samples.

Every integrand is a function of (log p, log q), homogeneous of degree one in (p, q), >= 0 wherever what it measures is:
KL is the integral of p log(p/q) - p + q. Nothing cancels between close laws, and all measures share their nodes.

integrands    what is integrated or summed, by name
panels        the line cut to fit the laws, and their log densities at a panel's points
quadrature    Gauss and Kronrod's rule, panels halved until they agree
fixed         the same rule on panels that stay, smooth in the parameters of a law
summation     sums over whole numbers
expectations  of densities and whole numbers alike: expectations, suprema, mass outside a support
sampling      means over samples, with their standard errors
"""

from klcli.families.numeric.sampling import Sampling

__all__ = ["Sampling"]
