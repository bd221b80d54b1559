"""What was found, to text. `RENDERERS` in `formats` is the table: a row a format.

shape       what a format takes, `Content`: rows and columns, a JSON value; and that of an `Answer`
formats     TSV, CSV, NDJSON, JSON, Markdown
bare        bare values
view        what changes how an answer is shown, and nothing else
terminal    tables, with the breakdown drawn as bars
text        labels made safe to show, numbers made short
matrix      every pair: a square, or a list
heatmap     the square as shades on a terminal
fit         the fits, best first
fit_table, fit_picture, curves, plot      the same for people, in characters and by matplotlib
loss        a loss and its rows; `FORMATS` is the table
loss_table  the same for people
pytorch     the same in PyTorch: as an expression, and as a script
sinks       blocks of measures to CSV, TSV, NDJSON, Parquet; `SINKS` is the table
parts       Parquet files that are one table
doubles     many doubles as text at once
summary     the statistics of a batch
progress    how far it is
"""
