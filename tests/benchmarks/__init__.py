"""Speed against the alternatives, as ratios of medians taken in one run. Not part of a plain `pytest`; run it with

    pip install -e ".[dev]"
    pytest tests/benchmarks

on a machine that does nothing else. Every ratio is printed with -s. Tests of an alternative that is not installed are
skipped.
"""
