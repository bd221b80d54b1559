"""What was found, to bytes. `RENDERERS` in `formats` is the table: a row a format.

answer         what every kind of result is, as tables and a document: `Answer`
distributions, fit, loss, matrix, summary      the answers, each with what a terminal shows of it
formats        TSV, CSV, NDJSON, JSON, Markdown, Parquet, bare values, each once
html           an answer as one page, with its picture as SVG
terminal       the kit of all that is drawn
text           labels made safe to show, numbers made short; what changes how an answer is shown, and nothing else
heatmap        a square as shades on a terminal
curves, fit_picture, plot      the picture of a fit, in characters and by matplotlib
component      a fitted component as text
pytorch        a loss in PyTorch: as an expression, and as a script
sinks          blocks of measures to CSV, TSV, NDJSON, Parquet; `SINKS` is the table
parts          Parquet files that are one table
doubles        many doubles as text at once
progress       how far it is
"""
