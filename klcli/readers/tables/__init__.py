"""Tables: as a whole, and of any length as a stream of blocks of rows, which is what `batch` reads.

table       the type: rows of columns
roles       which column plays which part
columns     what the columns of a whole table say: numbers, labels, distributions
cells       the cells of one column, by how they are kept
labels      labels in Arrow's memory
select      which columns: names, ranges, positions, globs, /regular expressions/
layout      the part that each column of a table plays
pieces      a stream of bytes, cut at the ends of rows or of groups
rows        rows that have been read, and the pairs they are: one a row, or one a group
headers     the first row of CSV and TSV
delimited   CSV and TSV by Arrow; by Python's csv what Arrow does not take
records     NDJSON and JSON, whose fields may be lists and objects
typed       Parquet, Feather, and what pandas reads
fixed       ... whose weights are all written alike
alike       lines of NDJSON that are written alike
fields      pairs whose sides are fields of a record
gather      groups whose rows do not stand together
stream      files and standard input, one after the other, as jobs that each give some blocks
"""
