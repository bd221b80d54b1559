"""Tables: as a whole, and of any length as a stream of frames of rows, which is what `batch` reads.

table           the type: rows of columns
roles           which column of a whole table plays which part
columns         what the columns of a whole table say: numbers, labels, distributions
cells           the cells of one column, by how they are kept
labels          labels in Arrow's memory
select          which columns: names, ranges, positions, globs, /regular expressions/
layout          the part that each column of a stream plays
pieces          a stream of bytes, cut at the ends of rows
delimited       CSV and TSV: the header, and which rows there are
csv_columns     ... by Arrow; csv_rows: by Python's csv, which judges what Arrow does not take
percents        percentages beside other numbers, in a column or in a row
records         NDJSON and JSON, whose fields may be lists and objects
json_columns    ... by Arrow; json_rows: by Python's json, which judges what Arrow does not take
columnar        Parquet, Feather, and what pandas reads: pandas_formats
pairs           the pairs that rows are
groups          ... that groups of rows are
dropped         outcomes of lists and objects that are left out, and the totals among them
partners        rows whose Q stands in another row, of this table or of another
stream          files and standard input, one after the other
"""
