"""Tables of any length, as a stream of blocks of rows: what `batch` reads.

selectors   which columns: names, ranges, positions, globs, /regular expressions/
layout      the part that each column of a table plays
pieces      a stream of bytes, cut at the ends of rows or of groups
rows        rows that have been read, and the pairs they are: one a row, or one a group
delimited   CSV and TSV by Arrow; by Python's csv what Arrow does not take
records     NDJSON and JSON, whose fields may be lists and objects
typed       Parquet, Feather, and what pandas reads
stream      files and standard input, one after the other, as jobs that each give some blocks
"""
