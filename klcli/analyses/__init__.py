"""The use cases: pure functions from `Distribution`s to a `Report`, or from a block to a block; one file each.

prepare     what was given -> weights: read as, aligned, smoothed, with a note of everything done
breakdown   the outcomes of a pair, sorted, cut, the rest folded into one
compare     two distributions
entropy     one distribution
rank        candidates, nearest to P first
batch       a block of pairs: from the same engine, all at once
summary     statistics of a stream of values
matrix      every pair of some distributions
losses      PyTorch's losses of predictions and targets
operands    ... which come in any shape
traps       ... and what people stumble over in them
"""
