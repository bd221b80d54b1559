"""What `project` is made of: a known distribution, and the members of a family that are nearest to it.

nodes      where a family's integrals are taken: panels of Gauss and Legendre in the logit of its distribution function
targets    P, a density: its starts, KL to and from a model
masses     P, masses on points: counts, or weights that a density left on a grid
shapes     families: coordinates without bounds, members of a given mean and spread, what they cover
optima     every local minimum that is reached from a start
search     a family's distinct optima
"""
