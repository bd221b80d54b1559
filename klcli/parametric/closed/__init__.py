"""Closed forms: entropies, Kullback-Leibler and Renyi divergences of families, in nats, with their sources.

A form that cancels between close laws is written as a sum of terms that are >= 0, so that it keeps its digits there:
x - 1 - log x, e^x - 1 - x and log Gamma's Bregman divergence each have a series near 0. What is left: gamma, beta and
Dirichlet laws with parameters above 1e4 in the same proportion lose as many digits as the parameter has;
covariances whose ratio along some axis is below 1e-8 lose that axis's; and pairs of different families, which are
cross-entropy minus entropy, are good to 1e-15 times these.

The pairs of different families come from a table of moments: log q is linear in a few functions of x, so that
KL(P||Q) = -H(P) - E_P log q needs only P's entropy and their means under P.

differences  what the forms are made of, without cancellation
within       one family: ENTROPIES, WITHIN (KL), RENYI, TOTAL_VARIATION
moments      MOMENTS of a family, and CROSS-entropies from them
pairs        DIVERGENCES: KL by the families of both
"""
