"""NumPy arrays in, NumPy arrays out: no labels, no files, no option objects.

Everywhere in this package an array of weights or probabilities has shape (K, n): the K outcomes on axis 0, the n
distributions of a batch on axis 1. One array operation then handles one outcome of n distributions at once, which is
what makes short distributions cheap, and sums over axis 0 stay vectorised.

    weights     logits, log-probabilities and smoothing, all giving weights >= 0
    arrays      sums that stay accurate, exact products, which columns need the exact route
    terms       p, q, p - q and their logarithms, free of cancellation
    exact       the same from Python integers: for small pairs, and what floating point cannot serve
    pair        which of the two one pair is measured by
    measures    what can be asked for, by name
    formulas    what is summed for each measure, and what is known of each outcome
    score       a whole block: a quick pass, the careful one where it cancels, the exact one where that fails
    pairwise    every pair of n distributions
    centred     ... by one matrix product, of what they have in common with none
    losses      PyTorch's losses, operation by operation, in double or single precision
"""
