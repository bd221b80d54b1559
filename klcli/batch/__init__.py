"""A stream of tables becomes a stream of rows: on this machine, or on a cluster."""
