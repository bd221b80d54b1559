"""Text and files to `Distribution`s. The grammar a user writes is in `arguments`, its parts beside it.

numbers        one number as people type it: 0.4, 9/25, 40%
inline         numbers, label=number pairs or JSON, given as text
sources        the bytes of a file or of standard input, decompressed and decoded
documents      JSON and JSON pointers
formats        which reader a suffix stands for
tables         tables, as a whole and as a stream of blocks of rows
distributions  the distributions of a source by name, and how a command takes one, two or all of them
rows           distributions that are rows of a table, or groups of rows, or members of a JSON list
observations   distributions of raw values, which are counted
arguments      DIST: which of all these an argument is
matrix         the distributions of several sources on the same outcomes, for a matrix
npy            NumPy's files
nested         nested lists
arrays         TENSOR: numbers of any shape, which a loss takes
samples        the data of a fit
expressions    formulas, whose grammar is in `syntax`
"""
