"""Text and files to `Distribution`s. The grammar a user writes is in `arguments`, its parts beside it.

numbers     one number as people type it: 0.4, 9/25, 40%
inline      numbers, label=number pairs or JSON, given as text
sources     the bytes of a file or of standard input, decompressed and decoded
content     what a source holds: some named distributions, on labels or not
documents   JSON and JSON pointers
delimited   CSV and TSV
labels      a column of labels, and whether any stands twice
beside      work on a thread beside this one's
columnar    Parquet, Feather, and through pandas spreadsheets and statistics packages' files
formats     which reader a suffix stands for
npy         NumPy's files
nested      nested lists
arrays      TENSOR: numbers of any shape, which a loss takes
arguments   DIST: which of all these an argument is
wide        tables read as a whole: their numbers as one array
grids       distributions that are the rows of such a table, or its columns
tables      tables of any length, as a stream of blocks of rows
"""
