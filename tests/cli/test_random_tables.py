"""`klcli batch` on random tables: what an independent reader, built on Python's csv, json and fractions, says of them.

tests/benchmarks/random_tables.py does the same for thousands of tables, and prints what differs.
"""

import pytest

from tests.random_tables import disagreements, random_table

LARGE = {0: 1 << 16, 20: 1 << 18, 40: 1 << 18}
"""The tables that have as many bytes as klcli reads at a time, and their sizes at most."""


@pytest.mark.parametrize("seed", range(60))
def test_random_table_is_read_as_an_independent_reader_reads_it(call, tmp_path, seed):
    def klcli(*args):
        code, _, err = call(*args)
        return code, err

    assert list(disagreements(random_table(seed, LARGE.get(seed, 0)), tmp_path, klcli, seed, sizes=1)) == []
