"""Families whose parameters are lists of numbers, one a file."""
