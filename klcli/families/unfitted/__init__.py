"""Families that are not fitted to data, one a file."""
