"""Hypothesis draws the same examples in every run, and does not judge how long one takes."""

from hypothesis import settings

settings.register_profile("same every time", derandomize=True, deadline=None, database=None)
settings.load_profile("same every time")
