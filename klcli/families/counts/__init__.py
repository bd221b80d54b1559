"""Families of masses on 0, 1, 2, ..., one a file."""
