"""A stream of tables to a stream of rows: reads, scores and writes in blocks, in order, in memory that does not grow.

run       a batch from its files to its output
tally     what is known of the rows so far, and what is said at the end
ordered   work on threads whose results come in order
progress  how far it has come, on a terminal
cluster   the same by a Dask cluster, whose side `workers` and `partition` are
spans     a large file cut into parts that different workers read
"""
