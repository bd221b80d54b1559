"""What `project` is made of: a known distribution, and the members of a family that are nearest to it.

targets    what is projected: KL to and from a model, where it is infinite, and where to start
search     every distinct optimum of a family, by SciPy's searches from many starts
"""
